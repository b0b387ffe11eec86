import { check, WasmogradError } from "../errors.ts";
import type { Layer, Network } from "./description.ts";
import { tensorsRead } from "./graph.ts";
import { checkLayerFields, checkNetworkFields, show } from "./layer-fields.ts";

/** What `validate` returned is frozen, so it cannot become invalid: asking again costs nothing. */
const validated = new WeakSet<object>();

function freeze<T>(value: T): T {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  for (const inner of Object.values(value)) freeze(inner);
  return Object.freeze(value);
}

/** A copy without the fields that are undefined: TypeScript's optional fields and JSON's absent ones become the same. */
function copy<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}

/** Layers by name. @throws WasmogradError ERR_NETWORK when a name occurs twice */
function byName(layers: readonly Layer[]): Map<string, Layer> {
  const map = new Map<string, Layer>();
  for (const layer of layers) {
    check(!map.has(layer.name), "ERR_NETWORK", () => `layer ${show(layer.name)}: expected a unique name, got it twice`);
    map.set(layer.name, layer);
  }
  return map;
}

/**
 * Depth-first order: a layer follows everything that it reads, otherwise the given order is kept (a sorted list stays as it is).
 * Written with a stack of its own, as a long chain of layers would overflow the interpreter's.
 */
function sortTopologically(layers: readonly Layer[], map: ReadonlyMap<string, Layer>): Layer[] {
  const sorted: Layer[] = [];
  const state = new Map<string, "open" | "done">();
  for (const root of layers) {
    const path: Layer[] = [root];
    while (path.length > 0) {
      const layer = path.at(-1)!;
      state.set(layer.name, state.get(layer.name) ?? "open");
      const next = tensorsRead(layer).find((tensor) => state.get(tensor) !== "done");
      if (next === undefined) {
        if (state.get(layer.name) === "open") sorted.push(layer);
        state.set(layer.name, "done");
        path.pop();
      } else if (state.get(next) === "open") {
        const names = path.map(({ name }) => name);
        const cycle = [...names.slice(names.indexOf(next)), next].join(" -> ");
        throw new WasmogradError("ERR_NETWORK", `layers: expected no cycle, got ${cycle}`);
      } else {
        path.push(map.get(next)!);
      }
    }
  }
  return sorted;
}

/** Names of the layers that the output does not depend on. */
function unreached(sorted: readonly Layer[], output: string): string[] {
  const needed = new Set([output]);
  for (const layer of sorted.toReversed()) {
    if (needed.has(layer.name)) for (const tensor of tensorsRead(layer)) needed.add(tensor);
  }
  return sorted.map(({ name }) => name).filter((name) => !needed.has(name));
}

/**
 * Checks a description, which may come from a user's JSON, and returns it frozen and sorted so that inputs come first.
 *
 * Checked are the operators and the range of every field, fields that do not exist, names that occur twice, tensors that nothing
 * produces, cycles, that there is exactly one input, and that the output exists. A layer that the output does not need is refused
 * rather than dropped: it is nearly always a mistyped tensor name. Shapes are the business of `inferShapes`.
 *
 * @throws WasmogradError ERR_NETWORK, one line, on the first of these faults
 */
export function validate(network: unknown): Network {
  if (typeof network === "object" && network !== null && validated.has(network)) return network as Network;
  checkNetworkFields(network);
  network.layers.forEach((layer, index) => {
    checkLayerFields(layer, index);
  });
  const layers = copy(network.layers as Layer[]);
  const map = byName(layers);
  const inputs = layers.filter(({ op }) => op === "input").map(({ name }) => name);
  check(inputs.length === 1, "ERR_NETWORK", () => `layers: expected exactly one input, got ${show(inputs)}`);
  for (const layer of layers) {
    const missing = tensorsRead(layer).find((tensor) => !map.has(tensor));
    const message = () => `layer ${show(layer.name)}: expected the name of a layer as its input, got ${show(missing)}`;
    check(missing === undefined, "ERR_NETWORK", message);
  }
  const { name, output } = network;
  check(map.has(output), "ERR_NETWORK", () => `output: expected the name of a layer, got ${show(output)}`);
  const sorted = sortTopologically(layers, map);
  const unused = unreached(sorted, output);
  const message = () => `layers: expected all to lead to the output ${show(output)}, got unused ${unused.join(", ")}`;
  check(unused.length === 0, "ERR_NETWORK", message);
  const result = freeze<Network>({ name, layers: sorted, output });
  validated.add(result);
  return result;
}
