import { check } from "../errors.ts";
import type { Network, Weight, Weights } from "../network/description.ts";
import { checkWeights } from "../network/weights.ts";
import { parseSafetensors, type SafeTensor, serialiseSafetensors } from "./safetensors.ts";

/** Order of a filter's axes in a file: PyTorch's [out, in, height, width], or ours, [out, height, width, in]. */
export type FilterLayout = "OIHW" | "OHWI";

/** [o, i, h, w] -> [o, h, w, i]; the values are copied. */
function toOhwi({ shape, data }: Weight): Weight {
  const [out, inputs, height, width] = shape as [number, number, number, number];
  const taps = height * width;
  const moved = new Float32Array(data.length);
  for (let o = 0; o < out; o++) {
    for (let i = 0; i < inputs; i++) {
      for (let t = 0; t < taps; t++) moved[(o * taps + t) * inputs + i] = data[(o * inputs + i) * taps + t]!;
    }
  }
  return { shape: [out, height, width, inputs], data: moved };
}

function asWeight(name: string, tensor: SafeTensor, layout: FilterLayout): Weight {
  const { dtype, shape, data } = tensor;
  const message = () => `weights: ${JSON.stringify(name)}: expected dtype F32, F16 or BF16, got ${dtype}`;
  check(data instanceof Float32Array, "ERR_WEIGHTS", message);
  // A fully connected layer, [out, in], is a 1x1 convolution here; its values lie in the same order.
  if (shape.length === 2) return { shape: [shape[0]!, 1, 1, shape[1]!], data };
  return layout === "OIHW" && shape.length === 4 ? toOhwi({ shape, data }) : { shape, data };
}

/**
 * The weights of `network` from a safetensors file. Filters (all tensors of four axes) are brought into OHWI; the file says in its
 * metadata under `layout` how it holds them, and PyTorch's OIHW is presumed where it says nothing. The two axes of fully connected layers, [out, in], become [out, 1, 1, in].
 * @throws WasmogradError ERR_FORMAT as `parseSafetensors` or on an unknown layout, ERR_WEIGHTS as `checkWeights`
 */
export function loadWeights(bytes: Uint8Array, network: Network): Weights {
  const { tensors, metadata } = parseSafetensors(bytes);
  const layout = metadata.get("layout") ?? "OIHW";
  const known = layout === "OIHW" || layout === "OHWI";
  check(
    known,
    "ERR_FORMAT",
    () => `safetensors: metadata layout: expected OIHW or OHWI, got ${JSON.stringify(layout)}`,
  );
  const weights = new Map(
    [...tensors].map(([name, tensor]): [string, Weight] => [name, asWeight(name, tensor, layout)]),
  );
  checkWeights(network, weights);
  return weights;
}

/** The weights as a safetensors file in OHWI, which `loadWeights` reads back exactly; `metadata` is added to the file's own. */
export function saveWeights(
  weights: Weights,
  metadata: ReadonlyMap<string, string> = new Map(),
): Uint8Array<ArrayBuffer> {
  return serialiseSafetensors(weights, new Map([...metadata, ["layout", "OHWI"]]));
}
