import { pause } from "../pause.ts";

/** How long to compute before timers, messages and aborts get their turn. */
const TURN_MS = 10;

/** Steps of a computation in batches of some milliseconds: yields after each batch, when others have had their turn, and at the end. */
export async function* takeTurns<Step>(steps: Iterable<Step>): AsyncGenerator<readonly Step[], void> {
  let batch: Step[] = [];
  let since = performance.now();
  for (const step of steps) {
    batch.push(step);
    if (performance.now() - since < TURN_MS) continue;
    await pause();
    yield batch;
    batch = [];
    since = performance.now();
  }
  await pause();
  yield batch;
}
