import { ConvolutionCall } from "../kernels/convolution/call.ts";
import type { KernelInstance } from "../kernels/load.ts";
import type { Layer, Shape } from "../network/description.ts";
import { inferShapes } from "../network/shapes.ts";
import { tileOf } from "./layer-rows.ts";
import type { Program, Step } from "./program.ts";
import { convolutionGeometries, SCRATCH, scheduleNetwork } from "./schedule.ts";
import { elementwise } from "./steps.ts";
import type { RowRange, StripSchedule } from "./strips.ts";

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
    const geometries = convolutionGeometries(network, shapes);
    let shared: number;
    try {
      for (const [name, geometry] of geometries) {
        this.#calls.set(name, new ConvolutionCall(kernels, program.convolutions.get(name)!, geometry));
      }
      const { layerSteps, bytesOf } = program;
      const scratchBytes = Math.max(
        0,
        ...[...this.#calls.values()].map((call) => call.scratchBytes),
        ...network.layers.map((layer) => layerSteps?.scratchBytes(program, layer, shapes) ?? 0),
      );
      const scheduled = { network, bytesOf, shapes, geometries, tileOf: tileOf(program), scratchBytes };
      const { strips, layout, buffers, rowBytes } = scheduleNetwork(scheduled, options.stripRows);
      this.#schedule = strips;
      this.arenaBytes = layout.bytes;
      this.arenaPointer = kernels.memory.allocate(layout.bytes);
      const address = (name: string): number => this.arenaPointer + layout.offsets.get(name)!;
      this.#buffers = rowBytes.map((bytes, i) => ({ rowBytes: bytes, pointer: address(String(i)), first: 0 }));
      this.#homes = new Map(
        buffers.flatMap((tensors, i) => tensors.map((tensor) => [tensor, this.#buffers[i]!] as const)),
      );
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
   * the output tensor, NHWC: int8, or f32 where the program's precision is or the ends stay real.
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
