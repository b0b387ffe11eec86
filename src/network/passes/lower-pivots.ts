/** Projections with pivots become the 1x1 convolutions that they stand for, which every kernel has. */
import type { Conv2dLayer, Layer, Model, Network, PivotProjectionLayer, RealWeight } from "../description.ts";
import { inferChannels } from "../shapes.ts";
import { validate } from "../validate.ts";
import { checkWeights } from "../weights.ts";
import { withNewWeights } from "./new-weights.ts";
import { roundWeights } from "./round.ts";

/** Ones at the pivots, zeros at the other pivots of the group, the stored weights elsewhere: [out, 1, 1, in]. */
function denseFilter({ pivots }: PivotProjectionLayer, { shape, data }: RealWeight): RealWeight {
  const [out, , , rest] = shape as [number, number, number, number];
  const own = pivots[0]!.length;
  const inputs = rest + own;
  const dense = data instanceof Float32Array ? new Float32Array(out * inputs) : new Float64Array(out * inputs);
  for (let o = 0; o < out; o++) {
    const group = pivots[Math.floor(o / own)]!;
    let from = o * rest;
    for (let c = 0; c < inputs; c++) if (!group.includes(c)) dense[o * inputs + c] = data[from++]!;
    dense[o * inputs + group[o % own]!] = 1;
  }
  return { shape: [out, 1, 1, inputs], data: dense };
}

function lowered({ name, input, pivots }: PivotProjectionLayer): Conv2dLayer {
  const channels = pivots.length * pivots[0]!.length;
  const weights = `${name}.dense.weight`;
  return { op: "conv2d", name, input, kernel: [1, 1], stride: 1, padding: "valid", channels, weights };
}

/** `lowerPivots` without weights. @throws WasmogradError as `validate` */
export function lowerPivotsNetwork(
  network: Network,
  isKept: (layer: PivotProjectionLayer, inputs: number) => boolean = () => false,
): Network {
  const before = validate(network);
  if (!before.layers.some(({ op }) => op === "pivot-projection")) return before;
  const inputs = inferChannels(before);
  const layers = before.layers.map(
    (layer): Layer =>
      layer.op === "pivot-projection" && !isKept(layer, inputs.get(layer.input)!) ? lowered(layer) : layer,
  );
  return validate({ ...before, layers });
}

/**
 * Projections with pivots become the 1x1 convolutions that they stand for, which every kernel has: the same values, rounded to f32 once.
 * What pivots saved in weights and products is given back. Ours.
 * @param isKept which projections stay as they are, none by default; `inputs` are the channels that a projection reads
 * @throws WasmogradError ERR_NETWORK when a new name is taken; as `validate`, `checkWeights`
 */
export function lowerPivots(
  model: Model,
  isKept: (layer: PivotProjectionLayer, inputs: number) => boolean = () => false,
): Model {
  const before = validate(model.network);
  if (!before.layers.some(({ op }) => op === "pivot-projection")) return model;
  checkWeights(before, model.weights);
  const inputs = inferChannels(before);
  const made = new Map<string, RealWeight>();
  for (const layer of before.layers) {
    if (layer.op !== "pivot-projection" || isKept(layer, inputs.get(layer.input)!)) continue;
    made.set(lowered(layer).weights, denseFilter(layer, model.weights.get(layer.weights)!));
  }
  return roundWeights(withNewWeights(lowerPivotsNetwork(before, isKept), model.weights, made));
}
