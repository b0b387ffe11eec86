/**
 * How a network runs on one input size, whatever holds its weights: which tensors share a buffer, which rows each layer computes in each
 * strip, where the buffers lie in one arena. Read by the plan that runs it and by the timing model.
 */
import { type ConvGeometry, convGeometry } from "../kernels/convolution/geometry.ts";
import type { Layer, Network, Shape } from "../network/description.ts";
import { inputLayer, tensorsRead } from "../network/graph.ts";
import { type ArenaLayout, type Lifetime, layOut } from "./arena.ts";
import { stripLayers, type TileOf } from "./layer-rows.ts";
import { isAlias } from "./steps.ts";
import { type StripSchedule, scheduleStrips } from "./strips.ts";

/** Arena key of the working memory that all convolutions share, beside the numbers of the buffers. */
export const SCRATCH = "scratch";

/** Bytes of all line buffers that strips are made as high as, so that feature maps stay in a core's own cache. */
const STRIP_BYTES = 1024 * 1024;
/** Rows of the input a strip: multiples of what Winograd tiles and depth-to-space like, the most first. */
const STRIP_ROWS = [64, 48, 32, 24, 16, 12, 8] as const;
const FEWEST_ROWS = 4;
/** Strips after which the line buffers are as high as they get, or nearly. */
const SAMPLE = 8;

/** What a schedule needs to know of a network that is ready to run. */
export interface Scheduled {
  readonly network: Network;
  /** Bytes of an element of each tensor. */
  readonly bytesOf: (tensor: string) => number;
  readonly shapes: ReadonlyMap<string, Shape>;
  readonly geometries: ReadonlyMap<string, ConvGeometry>;
  readonly tileOf: TileOf;
  /** Of the working memory that all steps share. */
  readonly scratchBytes: number;
}

export interface NetworkSchedule {
  readonly strips: StripSchedule;
  readonly layout: ArenaLayout;
  /** Tensors of each buffer; their keys in the layout are the numbers of the buffers. */
  readonly buffers: readonly (readonly string[])[];
  /** Of each buffer. */
  readonly rowBytes: readonly number[];
}

/** Of every convolution, by name. @throws WasmogradError ERR_SHAPE */
export function convolutionGeometries(
  network: Network,
  shapes: ReadonlyMap<string, Shape>,
): ReadonlyMap<string, ConvGeometry> {
  const geometries = new Map<string, ConvGeometry>();
  for (const layer of network.layers) {
    if (layer.op !== "conv2d") continue;
    const { channels, kernel, stride, padding } = layer;
    geometries.set(layer.name, convGeometry(shapes.get(layer.input)!, channels, kernel, stride, padding));
  }
  return geometries;
}

/** @param stripRows input rows a strip; by default as many as the caches hold */
export function scheduleNetwork(scheduled: Scheduled, stripRows?: number): NetworkSchedule {
  const { network, bytesOf, shapes, scratchBytes } = scheduled;
  const output = network.layers.findIndex(({ name }) => name === network.output);
  const [height] = shapes.get(inputLayer(network).name)!;
  const [outputHeight] = shapes.get(network.output)!;
  const buffers = placeTensors(network, bytesOf);
  const rowValues = buffers.map(({ tensors: [tensor] }) => {
    const [, columns, channels] = shapes.get(tensor!)!;
    return columns * channels;
  });
  const rowBytes = buffers.map(({ tensors: [tensor] }, i) => rowValues[i]! * bytesOf(tensor!));
  // Ends that stay real where the rest is int8 pass through the caches once: what has to stay there is the rest.
  const narrowest = Math.min(...network.layers.map(({ name }) => bytesOf(name)));
  const bufferOf = new Map(buffers.flatMap(({ tensors }, i) => tensors.map((tensor) => [tensor, i] as const)));
  const homes = network.layers.map(({ name }) => bufferOf.get(name)!);
  const layers = stripLayers(scheduled, homes);
  const schedule = (rows: number, limit?: number): StripSchedule => {
    const step = Math.max(1, Math.round((rows * outputHeight) / height));
    return scheduleStrips(layers, output, step, limit);
  };
  const last = network.layers.length;
  const arena = ({ strips, capacities }: StripSchedule): ArenaLayout => {
    const lifetimes: Lifetime[] = buffers.map((buffer, i) => {
      const bytes = capacities[i]! * rowBytes[i]!;
      // Layer by layer, buffers share bytes whose tensors are not needed at the same time; in strips all are.
      const life = strips.length > 1 ? { first: 0, last } : buffer;
      return { name: String(i), bytes, first: life.first, last: life.last };
    });
    return layOut([...lifetimes, { name: SCRATCH, bytes: scratchBytes, first: 0, last }]);
  };
  let chosen = schedule(stripRows ?? rowsThatFit(schedule, rowValues, STRIP_BYTES / narrowest, height));
  let layout = arena(chosen);
  if (stripRows === undefined && chosen.strips.length > 1) {
    // Under a large kernel at a large stride a strip needs nearly all rows of nearly all tensors, and they could not share.
    const whole = schedule(height);
    const together = arena(whole);
    if (together.bytes <= layout.bytes) [chosen, layout] = [whole, together];
  }
  return { strips: chosen, layout, buffers: buffers.map(({ tensors }) => tensors), rowBytes };
}

/** As many rows a strip as fit the caches, which take `most` values; the whole height if that does. */
function rowsThatFit(
  schedule: (rows: number, limit: number) => StripSchedule,
  rowValues: readonly number[],
  most: number,
  height: number,
): number {
  const values = (rows: number): number => {
    const { capacities } = schedule(rows, SAMPLE);
    return capacities.reduce((sum, count, buffer) => sum + count * rowValues[buffer]!, 0);
  };
  const candidates = [height, ...STRIP_ROWS].filter((rows) => rows <= height);
  return candidates.find((rows) => values(rows) <= most) ?? FEWEST_ROWS;
}

/** Layers that may overwrite their input when nobody needs it afterwards. */
const IN_PLACE: ReadonlySet<Layer["op"]> = new Set(["activation", "clip", "offset", "channel-affine", "layer-norm"]);

/** When each tensor is read last, by the number of the layer; the output never is. */
function lastReads({ layers, output }: Network): Map<string, number> {
  const last = new Map<string, number>();
  for (const [step, layer] of layers.entries()) {
    last.set(layer.name, step);
    for (const tensor of tensorsRead(layer)) last.set(tensor, step);
  }
  return last.set(output, layers.length);
}

/** Tensors that share a buffer, from the layer that writes the first of them to the layer that reads the last. */
interface Placement {
  readonly tensors: string[];
  readonly first: number;
  last: number;
}

function placeTensors(network: Network, bytesOf: (tensor: string) => number): readonly Placement[] {
  const lastRead = lastReads(network);
  const placements: Placement[] = [];
  const homes = new Map<string, Placement>();
  for (const [step, layer] of network.layers.entries()) {
    const [source] = tensorsRead(layer);
    const home = source === undefined ? undefined : homes.get(source)!;
    const alike = source !== undefined && bytesOf(source) === bytesOf(layer.name);
    const inPlace = alike && IN_PLACE.has(layer.op) && home?.last === step;
    let placement = home;
    if (!placement || !(inPlace || isAlias(layer, bytesOf))) {
      placement = { tensors: [], first: step, last: step };
      placements.push(placement);
    }
    placement.tensors.push(layer.name);
    placement.last = Math.max(placement.last, lastRead.get(layer.name)!);
    homes.set(layer.name, placement);
  }
  return placements;
}
