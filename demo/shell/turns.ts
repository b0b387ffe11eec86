/** Long work on the page itself, some milliseconds at a time, so that it scrolls and answers meanwhile. */
import { pause } from "../../src/pause.ts";

const TURN_MS = 12;

/** One place that is filled step by step; what is filled anew gives up what was under way. */
export class Turns {
  #newest = 0;

  async run(steps: Iterable<unknown>): Promise<void> {
    const mine = ++this.#newest;
    let since = performance.now();
    for (const _ of steps) {
      if (performance.now() - since < TURN_MS) continue;
      await pause();
      if (mine !== this.#newest) return;
      since = performance.now();
    }
  }
}
