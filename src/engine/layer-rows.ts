/** Which rows of its inputs each layer of a program reads: what the strips of strips.ts are cut by. */
import { convAxis } from "../conv-axis.ts";
import type { ConvGeometry } from "../kernels/convolution/geometry.ts";
import type { Conv2dLayer, Layer, Network, Shape } from "../network/description.ts";
import { tensorsRead } from "../network/graph.ts";
import { isTokenLayer } from "../network/token-layers.ts";
import type { Program } from "./program.ts";
import type { RowRange, StripInput, StripLayer } from "./strips.ts";

type Window = Pick<ConvGeometry, "ih" | "kh" | "stride" | "padTop">;

const same = (rows: RowRange): RowRange => rows;

/** Rows [begin, end) of a layer in `block` rows a row. */
const cells =
  (block: number) =>
  ([begin, end]: RowRange): RowRange => [Math.floor(begin / block), Math.ceil(end / block)];

/** Rows of its input that a layer other than a convolution reads. */
function rowsOf(layer: Layer, shapes: ReadonlyMap<string, Shape>): (rows: RowRange) => RowRange {
  switch (layer.op) {
    case "depth-to-space":
      return cells(layer.block);
    case "global-average-pool": {
      const all = [0, shapes.get(layer.input)![0]] as const;
      return () => all;
    }
    case "subsample":
      return ([begin, end]) => [begin * layer.stride, (end - 1) * layer.stride + 1];
    case "max-pool": {
      const ih = shapes.get(layer.input)![0];
      const [kh] = layer.kernel;
      const { padBefore: padTop } = convAxis(ih, kh, layer.stride, layer.padding);
      return (rows) => window({ ih, kh, stride: layer.stride, padTop }, rows);
    }
    default:
      return same;
  }
}

/** The rows under the kernel at output rows [begin, end), within the input. */
function window({ ih, kh, stride, padTop }: Window, [begin, end]: RowRange): RowRange {
  return [Math.max(0, begin * stride - padTop), Math.min(ih, (end - 1) * stride - padTop + kh)];
}

/** How a convolution's outputs are cut: rows of a tile, and whether tiles may lie anywhere without changing a bit. */
export type TileOf = (layer: Conv2dLayer) => { readonly rows: number; readonly movable: boolean };

/** Of the convolutions of a program. */
export function tileOf({ convolutions }: Program): TileOf {
  return ({ name }) => {
    const { winograd, spec } = convolutions.get(name)!;
    // f32 Winograd and scaled filters round by the place in the tile, and unspecified f32 could be NaN: their tiles stay where they are in
    // the whole.
    return { rows: winograd?.m ?? 1, movable: spec.dtype === "s8" && spec.filterScaling === undefined };
  };
}

/** What layers are cut into strips by. */
interface Cut {
  readonly network: Network;
  readonly shapes: ReadonlyMap<string, Shape>;
  readonly geometries: ReadonlyMap<string, ConvGeometry>;
  readonly tileOf: TileOf;
}

/** In the order of the network's layers. @param buffers the buffer of each layer's tensor */
export function stripLayers(cut: Cut, buffers: readonly number[]): StripLayer[] {
  const { network, shapes, geometries } = cut;
  const { layers } = network;
  const index = new Map(layers.map(({ name }, i) => [name, i]));
  return layers.map((layer, i) => {
    const common = { height: shapes.get(layer.name)![0], buffer: buffers[i]! };
    const geometry = geometries.get(layer.name);
    if (geometry && layer.op === "conv2d") return { ...common, ...convolution(cut, layer, geometry, index) };
    if (isTokenLayer(layer)) {
      const inputs = tensorsRead(layer).map((tensor) => {
        const all = [0, shapes.get(tensor)![0]] as const;
        return { layer: index.get(tensor)!, needs: () => all, touches: () => all };
      });
      return { ...common, multiple: common.height, inputs };
    }
    const block = layer.op === "depth-to-space" ? layer.block : 1;
    const needs = rowsOf(layer, shapes);
    const inputs = tensorsRead(layer).map((tensor) => ({ layer: index.get(tensor)!, needs, touches: needs }));
    // Depth-to-space writes whole cells.
    return { ...common, multiple: block, inputs };
  });
}

function convolution(
  { tileOf }: Cut,
  layer: Conv2dLayer,
  geometry: ConvGeometry,
  index: ReadonlyMap<string, number>,
): Pick<StripLayer, "multiple" | "inputs"> {
  const { rows: tile, movable } = tileOf(layer);
  const needs = (rows: RowRange): RowRange => window(geometry, rows);
  // Winograd tiles that hang over the end of the rows load what their whole height covers; what is there does not matter in int8.
  const touches = ([begin, end]: RowRange): RowRange =>
    window(geometry, [begin, begin + Math.ceil((end - begin) / tile) * tile]);
  const inputs: StripInput[] = [{ layer: index.get(layer.input)!, needs, touches }];
  if (layer.residual) inputs.push({ layer: index.get(layer.residual.tensor)!, needs: same, touches: same });
  return { multiple: movable ? 1 : tile, inputs };
}
