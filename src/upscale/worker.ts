/** What a thread starts with when nobody says otherwise. Never imported; `threaded.ts` starts it by its URL. */
import { serveUpscaler } from "./serve-upscaler.ts";

serveUpscaler();
