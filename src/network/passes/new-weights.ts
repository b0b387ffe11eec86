import { check } from "../../errors.ts";
import type { Network, RealWeight } from "../description.ts";
import { show } from "../layer-fields.ts";
import { weightShapes } from "../weights.ts";

/**
 * The model after a pass: of the old weights those that are still read, and those that the pass has made.
 * @throws WasmogradError ERR_NETWORK when a made weight has the name of one that is still read as it was
 */
export function withNewWeights<W extends RealWeight>(
  network: Network,
  old: ReadonlyMap<string, W>,
  made: ReadonlyMap<string, W>,
): { readonly network: Network; readonly weights: ReadonlyMap<string, W> } {
  for (const name of made.keys()) {
    check(
      !old.has(name),
      "ERR_NETWORK",
      () => `weight ${show(name)}: expected the name to be free for what a pass makes, got it in use`,
    );
  }
  const names = weightShapes(network).keys();
  return { network, weights: new Map([...names].map((name) => [name, made.get(name) ?? old.get(name)!])) };
}
