/** Work of every layer of a program, strips summed, and the traffic that it has with the memories. */
import type { Layer } from "../../network/description.ts";
import { tensorsRead } from "../../network/graph.ts";
import { directCounts } from "./convolution-work.ts";
import type { CpuProgram } from "./lower.ts";
import type { MapCounts } from "./map-counts.ts";
import { mapCounts } from "./map-work.ts";
import { winogradCounts } from "./winograd-work.ts";
import { type Stream, sumOfWorks, type Work } from "./work.ts";

export interface LayerWork {
  readonly layer: Layer;
  /** Works of different kernels, one after the other; empty where the engine has nothing to do. */
  readonly works: readonly Work[];
}

/** How many bytes pass by between two uses of what a layer touches, in one strip. */
interface Distances {
  /** Between the writing of a tensor and its reading by a layer. */
  readonly between: (from: number, to: number) => number;
  /** Between two strips, or two runs where there is one strip. */
  readonly round: number;
  /** Between two uses of the bytes that a tensor is written to; 0 where it is written over the layer's input. */
  readonly write: (layer: number) => number;
}

type Rows = readonly (readonly [begin: number, end: number])[];

function distancesOf({ network, shapes, convolutions, precision, schedule }: CpuProgram, rows: Rows): Distances {
  const bytes = precision === "f32" ? 4 : 1;
  let sum = 0;
  let maps = 0;
  const own: number[] = [];
  const inPlace = new Set(schedule.buffers.flatMap(([, ...others]) => others));
  const before = network.layers.map((layer, i) => {
    const [, width, channels] = shapes.get(layer.name)!;
    const [begin, end] = rows[i]!;
    const map = inPlace.has(layer.name) ? 0 : (end - begin) * width * channels * bytes;
    own.push(map);
    maps += map;
    sum += map + (end > begin ? (convolutions.get(layer.name)?.filterBytes ?? 0) : 0);
    return sum;
  });
  return {
    between: (from, to) => before[to]! - before[from]! + own[from]!,
    round: sum,
    write: (layer) => (own[layer] === 0 ? 0 : sum * Math.min(1, schedule.layout.bytes / Math.max(1, maps))),
  };
}

/** Rows of an input under rows of the output, about. */
const rowsRead = (rows: number, output: number, input: number): number => Math.min(input, (rows * input) / output);

/** Works of one layer in one strip. */
function stripWorks(
  program: CpuProgram,
  index: number,
  [begin, end]: readonly [number, number],
  distances: Distances,
  positions: ReadonlyMap<string, number>,
): Work[] {
  const { network, shapes, convolutions, precision } = program;
  const layer = network.layers[index]!;
  const shape = shapes.get(layer.name)!;
  const bytes = precision === "f32" ? 4 : 1;
  const rows = end - begin;
  const convolution = convolutions.get(layer.name);
  const streams: Stream[] = tensorsRead(layer).map((tensor) => {
    const [h, w, c] = shapes.get(tensor)!;
    const read = rowsRead(rows, shape[0], h) / (layer.op === "subsample" ? layer.stride ** 2 : 1);
    return { bytes: read * w * c * bytes, distance: distances.between(positions.get(tensor)!, index) };
  });
  streams.push({ bytes: rows * shape[1] * shape[2] * bytes, distance: distances.write(index), write: true });
  if (convolution) {
    const { geometry: g, kernel, filterBytes, spec } = convolution;
    const counts = directCounts(convolution, rows) ?? winogradCounts(convolution, [begin, end]);
    const usefulMacs = rows * g.ow * g.oc * g.kh * g.kw * (spec.depthwise ? 1 : g.ic);
    const once = { bytes: filterBytes, distance: distances.round };
    const { macs, parts, tails, inner } = counts;
    return [{ kernel, macs, usefulMacs, parts, tails, rows, calls: 1, streams: [...streams, once, ...inner] }];
  }
  return mapCounts(layer, rows, { precision, shapes }).map((counts: MapCounts, i) => {
    const { kernel, parts, tails, macs = 0, usefulMacs = macs, calls = 1 } = counts;
    return { kernel, parts, tails, rows, macs, usefulMacs, calls, streams: i === 0 ? streams : [] };
  });
}

/** In the order in which the engine runs them. */
export function layerWorks(program: CpuProgram): LayerWork[] {
  const { network, schedule } = program;
  const positions = new Map(network.layers.map(({ name }, i) => [name, i]));
  const found = network.layers.map((): Work[][] => []);
  for (const { rows } of schedule.strips.strips) {
    const distances = distancesOf(program, rows);
    for (const [i, layer] of network.layers.entries()) {
      const [begin, end] = rows[i]!;
      if (begin === end || layer.op === "input") continue;
      for (const [k, work] of stripWorks(program, i, [begin, end], distances, positions).entries()) {
        found[i]![k] ??= [];
        found[i]![k]!.push(work);
      }
    }
  }
  return network.layers.map((layer, i) => ({ layer, works: found[i]!.map(sumOfWorks) }));
}
