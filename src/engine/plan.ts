import { ConvolutionCall } from "../kernels/convolution/call.ts";
import { type ConvGeometry, convGeometry } from "../kernels/convolution/geometry.ts";
import type { KernelInstance } from "../kernels/load.ts";
import type { Layer, Shape } from "../network/description.ts";
import { tensorsRead } from "../network/graph.ts";
import { inferShapes } from "../network/shapes.ts";
import { type ArenaLayout, type Lifetime, layOut } from "./arena.ts";
import { stripLayers } from "./layer-rows.ts";
import type { Program, Step } from "./program.ts";
import { elementwise, isAlias } from "./steps.ts";
import { type RowRange, type StripSchedule, scheduleStrips } from "./strips.ts";

/** Arena key of the working memory that all convolutions share, beside the numbers of the buffers. */
const SCRATCH = "scratch";

/** Bytes of all line buffers that strips are made as high as, so that feature maps stay in a core's own cache. */
const STRIP_BYTES = 1024 * 1024;
/** Rows of the input a strip: multiples of what Winograd tiles and depth-to-space like, the most first. */
const STRIP_ROWS = [64, 48, 32, 24, 16, 12, 8] as const;
const FEWEST_ROWS = 4;
/** Strips after which the line buffers are as high as they get, or nearly. */
const SAMPLE = 8;

/** Fills, or takes, rows [begin, end) of a tensor that lie at `pointer`, without gaps between them. */
export type RowsAt = (begin: number, end: number, pointer: number) => void;

/** Rows of a tensor in the arena, from `first` on. */
interface LineBuffer {
  readonly pointer: number;
  readonly rowBytes: number;
  first: number;
}

export interface PlanOptions {
  /** Input rows a strip; by default as many as the caches hold. At least the height: layer by layer. */
  readonly stripRows?: number | undefined;
  /** What is run in place of a layer's step: to measure each. Layers that have nothing to do have no step. */
  readonly around?: ((layer: Layer, step: Step) => Step) | undefined;
}

/**
 * A program made ready for one input size: one arena block with every line buffer at a fixed offset, convolution descriptors filled in, a
 * list of steps and the rows that they compute in each strip. Running it allocates nothing and crosses into WebAssembly once a layer and
 * strip.
 */
export class Plan {
  readonly inputShape: Shape;
  readonly outputShape: Shape;
  /** Where in kernel memory the line buffers and working memory lie. */
  readonly arenaPointer: number;
  readonly arenaBytes: number;
  readonly #kernels: KernelInstance;
  readonly #calls = new Map<string, ConvolutionCall>();
  readonly #schedule: StripSchedule;
  readonly #layers: readonly { readonly layer: Layer; readonly step: Step | undefined }[];
  readonly #buffers: readonly LineBuffer[];
  /** The buffer of each tensor. */
  readonly #homes: ReadonlyMap<string, LineBuffer>;
  readonly #output: string;
  readonly #inputLayer: number;
  readonly #outputLayer: number;
  /** How far the rolling buffers are. */
  #next = 0;

  /** @throws WasmogradError ERR_SHAPE, ERR_OUT_OF_MEMORY, and then nothing stays allocated */
  constructor(kernels: KernelInstance, program: Program, height: number, width: number, options: PlanOptions = {}) {
    this.#kernels = kernels;
    const { network } = program;
    this.#output = network.output;
    this.#inputLayer = network.layers.findIndex(({ name }) => name === program.input);
    this.#outputLayer = network.layers.findIndex(({ name }) => name === network.output);
    const shapes = inferShapes(network, [height, width]);
    this.inputShape = shapes.get(program.input)!;
    this.outputShape = shapes.get(network.output)!;
    const geometries = convolutionGeometries(program, shapes);
    const buffers = placeTensors(program);
    const elementBytes = program.precision === "f32" ? 4 : 1;
    const rowBytes = buffers.map(({ tensors: [tensor] }) => {
      const [, columns, channels] = shapes.get(tensor!)!;
      return columns * channels * elementBytes;
    });
    const bufferOf = new Map(buffers.flatMap(({ tensors }, i) => tensors.map((tensor) => [tensor, i] as const)));
    const homes = network.layers.map(({ name }) => bufferOf.get(name)!);
    const layers = stripLayers(program, shapes, geometries, homes);
    const schedule = (rows: number, limit?: number): StripSchedule => {
      const step = Math.max(1, Math.round((rows * this.outputShape[0]) / height));
      return scheduleStrips(layers, this.#outputLayer, step, limit);
    };
    let shared: number;
    try {
      for (const [name, geometry] of geometries) {
        this.#calls.set(name, new ConvolutionCall(kernels, program.convolutions.get(name)!, geometry));
      }
      const last = network.layers.length;
      const { layerSteps } = program;
      const scratch = Math.max(
        0,
        ...[...this.#calls.values()].map((call) => call.scratchBytes),
        ...network.layers.map((layer) => layerSteps?.scratchBytes(program, layer, shapes) ?? 0),
      );
      const arena = ({ strips, capacities }: StripSchedule): ArenaLayout => {
        const lifetimes: Lifetime[] = buffers.map((buffer, i) => {
          const bytes = capacities[i]! * rowBytes[i]!;
          // Layer by layer, buffers share bytes whose tensors are not needed at the same time; in strips all are.
          const life = strips.length > 1 ? { first: 0, last } : buffer;
          return { name: String(i), bytes, first: life.first, last: life.last };
        });
        return layOut([...lifetimes, { name: SCRATCH, bytes: scratch, first: 0, last }]);
      };
      let chosen = schedule(options.stripRows ?? stripRows(schedule, rowBytes, height));
      let layout = arena(chosen);
      if (options.stripRows === undefined && chosen.strips.length > 1) {
        // Under a large kernel at a large stride a strip needs nearly all rows of nearly all tensors, and they could not share.
        const whole = schedule(height);
        const together = arena(whole);
        if (together.bytes <= layout.bytes) [chosen, layout] = [whole, together];
      }
      this.#schedule = chosen;
      this.arenaBytes = layout.bytes;
      this.arenaPointer = kernels.memory.allocate(layout.bytes);
      const address = (name: string): number => this.arenaPointer + layout.offsets.get(name)!;
      this.#buffers = rowBytes.map((bytes, i) => ({ rowBytes: bytes, pointer: address(String(i)), first: 0 }));
      this.#homes = new Map([...bufferOf].map(([tensor, i]) => [tensor, this.#buffers[i]!]));
      shared = address(SCRATCH);
      for (const call of this.#calls.values()) call.bind(0, 0, 0, shared);
    } catch (error) {
      for (const call of this.#calls.values()) call.dispose();
      throw error;
    }
    const at = (tensor: string, row: number): number => this.#at(tensor, row);
    const stepOf = (layer: Layer): Step | undefined => {
      const call = this.#calls.get(layer.name);
      if (!call || layer.op !== "conv2d") return elementwise(kernels, program, layer, shapes, at, shared);
      const { input, name, residual } = layer;
      return (begin, end) => {
        call.place(at(input, 0), at(name, 0), residual ? at(residual.tensor, 0) : 0);
        call.run(begin, end);
      };
    };
    const { around = (_, step) => step } = options;
    this.#layers = network.layers.map((layer) => {
      const step = stepOf(layer);
      return { layer, step: step && around(layer, step) };
    });
  }

  /** Where a row of a tensor lies, or would lie if it were there: addresses wrap modulo 2^32, as the kernels' arithmetic does. */
  #at(tensor: string, row: number): number {
    const { pointer, first, rowBytes } = this.#homes.get(tensor)!;
    return pointer + (row - first) * rowBytes;
  }

  /** Rows of the input that are read at once, and of the output that are written at once, at most. */
  get largestRead(): number {
    return this.#largest(this.#inputLayer);
  }
  get largestWrite(): number {
    return this.#largest(this.#outputLayer);
  }
  #largest(layer: number): number {
    return this.#schedule.strips.reduce((most, { rows }) => Math.max(most, rows[layer]![1] - rows[layer]![0]), 0);
  }

  get strips(): number {
    return this.#schedule.strips.length;
  }

  /**
   * Runs one strip; strips are run in order, from 0 on. `read` fills rows of the input tensor, if more are needed, and `write` takes rows of
   * the output tensor, int8 or f32 by the program's precision, NHWC.
   */
  runStrip(strip: number, read: RowsAt, write: RowsAt): void {
    if (strip === 0) for (const buffer of this.#buffers) buffer.first = 0;
    else if (strip !== this.#next) throw new Error(`strip: expected ${this.#next}, got ${strip}`);
    this.#next = strip + 1;
    const { rows, held } = this.#schedule.strips[strip]!;
    this.#roll(held);
    for (const [i, { layer, step }] of this.#layers.entries()) {
      const [begin, end] = rows[i]!;
      if (begin === end) continue;
      if (layer.op === "input") read(begin, end, this.#at(layer.name, begin));
      else step?.(begin, end);
    }
    const [begin, end] = rows[this.#outputLayer]!;
    write(begin, end, this.#at(this.#output, begin));
  }

  /** All strips. */
  run(read: RowsAt, write: RowsAt): void {
    for (let strip = 0; strip < this.strips; strip++) this.runStrip(strip, read, write);
  }

  /** Moves the rows that are still needed to the front of each buffer. */
  #roll(held: readonly RowRange[]): void {
    const { u8 } = this.#kernels.memory;
    for (const [i, buffer] of this.#buffers.entries()) {
      const [first, end] = held[i]!;
      const { pointer, rowBytes } = buffer;
      const [from, to] = [first - buffer.first, end - buffer.first];
      if (from > 0 && to > from) u8.copyWithin(pointer, pointer + from * rowBytes, pointer + to * rowBytes);
      buffer.first = first;
    }
  }

  dispose(): void {
    for (const call of this.#calls.values()) call.dispose();
    this.#kernels.memory.free(this.arenaPointer);
  }
}

function convolutionGeometries(program: Program, shapes: ReadonlyMap<string, Shape>): Map<string, ConvGeometry> {
  const geometries = new Map<string, ConvGeometry>();
  for (const layer of program.network.layers) {
    if (layer.op !== "conv2d") continue;
    const { channels, kernel, stride, padding } = layer;
    geometries.set(layer.name, convGeometry(shapes.get(layer.input)!, channels, kernel, stride, padding));
  }
  return geometries;
}

/** As many rows a strip as fit the caches; the whole height if that does. */
function stripRows(
  schedule: (rows: number, limit: number) => StripSchedule,
  rowBytes: readonly number[],
  height: number,
): number {
  const bytes = (rows: number): number => {
    const { capacities } = schedule(rows, SAMPLE);
    return capacities.reduce((sum, count, buffer) => sum + count * rowBytes[buffer]!, 0);
  };
  const candidates = [height, ...STRIP_ROWS].filter((rows) => rows <= height);
  return candidates.find((rows) => bytes(rows) <= STRIP_BYTES) ?? FEWEST_ROWS;
}

/** Layers that may overwrite their input when nobody needs it afterwards. */
const IN_PLACE: ReadonlySet<Layer["op"]> = new Set(["activation", "clip", "offset", "channel-affine", "layer-norm"]);

/** When each tensor is read last, by the number of the layer; the output never is. */
function lastReads({ network: { layers, output } }: Program): Map<string, number> {
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

function placeTensors(program: Program): readonly Placement[] {
  const lastRead = lastReads(program);
  const placements: Placement[] = [];
  const homes = new Map<string, Placement>();
  for (const [step, layer] of program.network.layers.entries()) {
    const [source] = tensorsRead(layer);
    const home = source === undefined ? undefined : homes.get(source)!;
    const inPlace = IN_PLACE.has(layer.op) && home?.last === step;
    let placement = home;
    if (!placement || !(inPlace || isAlias(program, layer))) {
      placement = { tensors: [], first: step, last: step };
      placements.push(placement);
    }
    placement.tensors.push(layer.name);
    placement.last = Math.max(placement.last, lastRead.get(layer.name)!);
    homes.set(layer.name, placement);
  }
  return placements;
}
