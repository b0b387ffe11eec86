/** The public door to the detector. What is behind it is imported when it is asked for, as most pages never do. */
import { compile } from "../engine/compile.ts";
import { checkObject } from "../errors.ts";
import { instantiateKernels } from "../kernels/load.ts";
import type { CreateDetectorOptions, PictureDetector } from "./assemble.ts";

/**
 * RAN's two-stage detector (arXiv 2208.08562, official code) in WebAssembly, f32, one thread.
 *
 * @example
 * const detector = await createDetector({ backbone: "ran-i-s", weights: await readFile("detector.safetensors") });
 * for (const { box, label, score } of detector.detect(picture)) draw(box, label, score);
 *
 * @throws WasmogradError ERR_ARGUMENT (unknown backbone, options), ERR_NETWORK, ERR_FORMAT and ERR_WEIGHTS (every missing, extra and misshapen
 *   tensor at once), ERR_WASM, ERR_OUT_OF_MEMORY
 */
export async function createDetector(options: CreateDetectorOptions): Promise<PictureDetector> {
  checkObject("options", options);
  return (await import("./assemble.ts")).assembleDetector(options, { compile, instantiateKernels });
}
