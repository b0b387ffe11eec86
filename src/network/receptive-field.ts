import { convAxis, transposedAxis } from "../conv-axis.ts";
import { WasmogradError } from "../errors.ts";
import type { Layer, Network } from "./description.ts";
import { tensorsRead } from "./graph.ts";
import { show } from "./layer-fields.ts";
import { isTokenLayer } from "./token-layers.ts";
import { validate } from "./validate.ts";

/** Pixels beyond an aligned region, per side, in the pixels of the tensor that they are asked of. */
export interface Margin {
  /** At least 0. */
  readonly top: number;
  /** At least 0. */
  readonly bottom: number;
  /** At least 0. */
  readonly left: number;
  /** At least 0. */
  readonly right: number;
}

/** Pixels of the input around a tile that its result depends on. */
export interface Halo extends Margin {
  /** Output pixels per input pixel along each axis: the product of the depth-to-space blocks and transposed strides on the way. */
  readonly scale: number;
}

const NONE: Margin = { top: 0, bottom: 0, left: 0, right: 0 };

function zip(a: Margin, b: Margin, combine: (x: number, y: number) => number): Margin {
  const { top, bottom, left, right } = a;
  return {
    top: combine(top, b.top),
    bottom: combine(bottom, b.bottom),
    left: combine(left, b.left),
    right: combine(right, b.right),
  };
}

function untileable({ name, op }: Layer): WasmogradError {
  return new WasmogradError("ERR_UNSUPPORTED", `layer ${show(name)}: ${op} cannot run in tiles`);
}

/** What a layer asks of its inputs when `margin` is asked of its output. */
function asked(layer: Layer, margin: Margin): Margin {
  if (isTokenLayer(layer)) throw untileable(layer);
  switch (layer.op) {
    case "conv2d-transpose": {
      const [rows, columns] = layer.kernel.map((k) => transposedAxis(k, layer.stride).reach) as [number, number];
      const reach = { top: rows, bottom: rows, left: columns, right: columns };
      return zip(margin, reach, (x, y) => Math.ceil(x / layer.stride) + y);
    }
    case "max-pool":
    case "global-average-pool":
    case "subsample":
      throw untileable(layer);
    case "conv2d":
    case "linear-block": {
      const { stride, padding } = layer.op === "conv2d" ? layer : { stride: 1, padding: "same" as const };
      const refused = stride !== 1 ? `stride ${stride}` : padding !== "same" ? `${padding} padding` : undefined;
      if (refused) {
        const message = `layer ${show(layer.name)}: expected stride 1 and same padding to run in tiles, got ${refused}`;
        throw new WasmogradError("ERR_UNSUPPORTED", message);
      }
      // An input as large as the kernel is padded in full; how the padding is split between the sides is the kernel's reach.
      const [rows, columns] = layer.kernel.map((k) => convAxis(k, k, 1, "same")) as [Reach, Reach];
      const reach = { top: rows.padBefore, bottom: rows.padAfter, left: columns.padBefore, right: columns.padAfter };
      return zip(margin, reach, (x, y) => x + y);
    }
    case "depth-to-space":
      return zip(margin, margin, (x) => Math.ceil(x / layer.block));
    default:
      return margin;
  }
}

type Reach = ReturnType<typeof convAxis>;

/**
 * Margin that every tensor needs so that an aligned region of the output comes out exactly: the region [a, b) of the input stands for
 * [a * scale, b * scale) of the output. Going backwards, a convolution adds its kernel's reach on each side, depth-to-space divides
 * by its block and rounds up, and a tensor with several readers serves the largest demand.
 *
 * A tile cut with this margin (and cut off at the border of the picture, where zero padding is right) gives the same values as the
 * whole picture, as whatever is wrong at the cut travels inwards by the same reach.
 *
 * @throws WasmogradError ERR_UNSUPPORTED naming the layer: stride 2 and valid padding shift or thin the grid, so that tiles do
 *   not line up by a margin alone
 */
export function margins(network: Network): Map<string, Margin> {
  const sorted = validate(network);
  const needed = new Map<string, Margin>([[sorted.output, NONE]]);
  const demand = (tensor: string, margin: Margin) => {
    needed.set(tensor, zip(needed.get(tensor) ?? NONE, margin, Math.max));
  };
  for (const layer of sorted.layers.toReversed()) {
    const margin = needed.get(layer.name)!;
    if (layer.op === "add") for (const tensor of layer.inputs) demand(tensor, margin);
    else {
      const inputMargin = layer.op === "input" ? margin : asked(layer, margin);
      if ("input" in layer) demand(layer.input, inputMargin);
    }
    // A fused residual is read at the output's own positions.
    if (layer.op === "conv2d" && layer.residual) demand(layer.residual.tensor, margin);
  }
  return needed;
}

/** Output pixels per input pixel; every path from the input to a tensor has the same, or shapes would not fit. */
function scaleOf(network: Network): number {
  const scales = new Map<string, number>();
  for (const layer of network.layers) {
    const [source] = tensorsRead(layer);
    const before = source === undefined ? 1 : scales.get(source)!;
    scales.set(
      layer.name,
      layer.op === "depth-to-space"
        ? before * layer.block
        : layer.op === "conv2d-transpose"
          ? before * layer.stride
          : before,
    );
  }
  return scales.get(network.output)!;
}

/**
 * The margin of the network's input, in input pixels: SESR with m blocks asks m + 4 on each side, whatever its scale.
 * @throws WasmogradError ERR_UNSUPPORTED naming the layer whose tiles do not line up by a margin alone, such as of stride 2; as `validate`
 */
export function halo(network: Network): Halo {
  const sorted = validate(network);
  const input = sorted.layers.find(({ op }) => op === "input")!;
  return { ...margins(sorted).get(input.name)!, scale: scaleOf(sorted) };
}
