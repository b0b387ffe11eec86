import { check } from "../errors.ts";
import type { Network, Weight, Weights } from "../network/description.ts";
import { checkWeights, weightShapes } from "../network/weights.ts";
import { checkpointNames } from "./checkpoint-names.ts";
import { partsOf, splitRows } from "./joined-tensors.ts";
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

/** Without the axes of length one, which say nothing about the order of values. */
const longAxes = (shape: readonly number[]): string => String(shape.filter((n) => n !== 1));

/** Dense layers, tokens and vectors of PyTorch have fewer or more axes than ours, with the same values in the same order. */
function reshaped(weight: Weight, expected: readonly number[] | undefined): Weight {
  const { shape, data } = weight;
  const isFilter = shape.length === 4 && expected?.length === 4;
  if (!expected || isFilter || longAxes(shape) !== longAxes(expected)) return weight;
  return { shape: expected, data };
}

function realValues(name: string, { dtype, shape, data }: SafeTensor): Weight {
  const message = () => `weights: ${JSON.stringify(name)}: expected dtype F32, F16 or BF16, got ${dtype}`;
  check(data instanceof Float32Array, "ERR_WEIGHTS", message);
  return { shape, data };
}

function asOurs(tensor: Weight, layout: FilterLayout, expected?: readonly number[]): Weight {
  const weight = reshaped(tensor, expected);
  return layout === "OIHW" && tensor.shape.length === 4 && weight.shape.length === 4 ? toOhwi(weight) : weight;
}

/** What a safetensors file holds, under the names that the reader gives its tensors. */
interface ReadWeights {
  readonly weights: Weights;
  readonly layout: FilterLayout;
}

/**
 * The tensors of a safetensors file as weights. Filters (all tensors of four axes) are brought into OHWI; the file says in its metadata
 * under `layout` how it holds them, and PyTorch's OIHW is presumed where it says nothing. What is missing or extra is not looked at.
 * A tensor in which the network has several, as q, k and v of attention, is taken apart.
 * @param expected shapes by name
 * @param rename the name of each tensor of the file, as `expected` has it; those that are left out are not read
 * @throws WasmogradError ERR_FORMAT as `parseSafetensors` or on an unknown layout, ERR_WEIGHTS for other types than floats and for tensors
 *   that get the same name
 */
export function readWeights(
  bytes: Uint8Array,
  expected: ReadonlyMap<string, readonly number[]>,
  rename: (names: Iterable<string>) => ReadonlyMap<string, string>,
): ReadWeights {
  const { tensors, metadata } = parseSafetensors(bytes);
  const layout = metadata.get("layout") ?? "OIHW";
  const known = layout === "OIHW" || layout === "OHWI";
  check(
    known,
    "ERR_FORMAT",
    () => `safetensors: metadata layout: expected OIHW or OHWI, got ${JSON.stringify(layout)}`,
  );
  const ownNames = new Set(expected.keys());
  const weights = new Map<string, Weight>();
  const add = (own: string, weight: Weight): void => {
    check(!weights.has(own), "ERR_WEIGHTS", () => `weights: expected ${JSON.stringify(own)} once, got it twice`);
    weights.set(own, asOurs(weight, layout, expected.get(own)));
  };
  for (const [name, own] of rename(tensors.keys())) {
    const weight = realValues(name, tensors.get(name)!);
    const parts = partsOf(own, ownNames);
    const split = parts && splitRows(weight, parts.length);
    if (split) for (const [i, part] of parts.entries()) add(part, split[i]!);
    else add(own, weight);
  }
  return { weights, layout };
}

/**
 * The weights of `network` from a safetensors file, F16 and BF16 widened to f32, filters as its metadata `layout` says, OHWI or
 * OIHW; OIHW, which is PyTorch's, where it says nothing. Names may be ours or those of torchvision and timm (ResNet,
 * MobileNetV2, ConvNeXt and RAN-i, vision transformers and XCiT), with or without the prefix of a wrapper; dense layers may have two axes;
 * q, k and v of attention may lie in one tensor, in this order; counters that only training reads are left out.
 * @throws WasmogradError ERR_FORMAT as `parseSafetensors`, ERR_WEIGHTS as `checkWeights`: every missing, extra and misshapen tensor at
 *   once
 */
export function loadWeights(bytes: Uint8Array, network: Network): Weights {
  const expected = weightShapes(network);
  const { weights } = readWeights(bytes, expected, (names) => checkpointNames(names, new Set(expected.keys())));
  checkWeights(network, weights);
  return weights;
}

/**
 * The weights as a safetensors file in OHWI, which `loadWeights` reads back exactly; `metadata` is added to the file's own.
 * @throws WasmogradError ERR_ARGUMENT as `serialiseSafetensors`
 */
export function saveWeights(
  weights: Weights,
  metadata: ReadonlyMap<string, string> = new Map(),
): Uint8Array<ArrayBuffer> {
  return serialiseSafetensors(weights, new Map([...metadata, ["layout", "OHWI"]]));
}
