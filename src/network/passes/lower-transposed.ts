/** Transposed convolutions become ordinary ones behind which depth-to-space puts the outputs in their places. */
import { transposedAxis } from "../../conv-axis.ts";
import type { Conv2dLayer, Conv2dTransposeLayer, Layer, Model, Network, Weight } from "../description.ts";
import { validate } from "../validate.ts";
import { checkWeights } from "../weights.ts";
import { withNewWeights } from "./new-weights.ts";

function lowered(layer: Conv2dTransposeLayer): [Conv2dLayer, Layer] {
  const { name, input, stride, channels } = layer;
  const [rows, columns] = layer.kernel.map((k) => 2 * transposedAxis(k, stride).reach + 1) as [number, number];
  const cells = `${name}.cells`;
  const conv: Conv2dLayer = {
    op: "conv2d",
    name: cells,
    input,
    kernel: [rows, columns],
    stride: 1,
    padding: "same",
    channels: channels * stride ** 2,
    weights: `${cells}.weight`,
    ...(layer.bias === undefined ? {} : { bias: `${cells}.bias` }),
  };
  return [conv, { op: "depth-to-space", name, input: cells, block: stride }];
}

/** Filter (phase y, phase x, o) of the ordinary convolution holds the taps that reach that phase; all others are zero. */
function loweredFilter({ kernel: [kh, kw], stride, channels }: Conv2dTransposeLayer, { shape, data }: Weight): Weight {
  const inputs = shape[3]!;
  const [vertical, horizontal] = [transposedAxis(kh, stride), transposedAxis(kw, stride)];
  const [rows, columns] = [2 * vertical.reach + 1, 2 * horizontal.reach + 1];
  const made = new Float32Array(stride ** 2 * channels * rows * columns * inputs);
  let to = 0;
  for (let phase = 0; phase < stride ** 2; phase++) {
    for (let o = 0; o < channels; o++) {
      for (let y = 0; y < rows; y++) {
        const u = vertical.tap(Math.floor(phase / stride), y - vertical.reach);
        for (let x = 0; x < columns; x++, to += inputs) {
          const v = horizontal.tap(phase % stride, x - horizontal.reach);
          if (u === undefined || v === undefined) continue;
          const from = ((o * kh + u) * kw + v) * inputs;
          made.set(data.subarray(from, from + inputs), to);
        }
      }
    }
  }
  return { shape: [stride ** 2 * channels, rows, columns, inputs], data: made };
}

/** `lowerTransposed` without weights. @throws WasmogradError as `validate` */
export function lowerTransposedNetwork(network: Network): Network {
  const before = validate(network);
  if (!before.layers.some(({ op }) => op === "conv2d-transpose")) return before;
  const layers = before.layers.flatMap((layer): Layer[] =>
    layer.op === "conv2d-transpose" ? lowered(layer) : [layer],
  );
  return validate({ ...before, layers });
}

/**
 * Transposed convolutions become convolutions to stride^2 times the channels, and depth-to-space. Exact: the products are the same, those
 * with taps that a phase does not have are left to zeros.
 * @throws WasmogradError ERR_NETWORK when a new name is taken; as `validate`, `checkWeights`
 */
export function lowerTransposed(model: Model): Model {
  const before = validate(model.network);
  const transposed = before.layers.filter((layer) => layer.op === "conv2d-transpose");
  if (transposed.length === 0) return model;
  checkWeights(before, model.weights);
  const made = new Map<string, Weight>();
  for (const layer of transposed) {
    const [conv] = lowered(layer);
    made.set(conv.weights, loweredFilter(layer, model.weights.get(layer.weights)!));
    if (layer.bias === undefined) continue;
    const bias = model.weights.get(layer.bias)!.data;
    const data = Float32Array.from({ length: conv.channels }, (_, i) => bias[i % layer.channels]!);
    made.set(conv.bias!, { shape: [conv.channels], data });
  }
  return withNewWeights(lowerTransposedNetwork(before), model.weights, made);
}
