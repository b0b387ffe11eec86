import { WasmogradError } from "../errors.ts";
import { ConvolutionCall } from "../kernels/convolution/call.ts";
import { convGeometry } from "../kernels/convolution/geometry.ts";
import { MAGIC_BITS } from "../kernels/convolution/params.ts";
import type { KernelInstance } from "../kernels/load.ts";
import type { AddLayer, Layer, Shape } from "../network/description.ts";
import { tensorsRead } from "../network/graph.ts";
import { inferShapes, valuesIn } from "../network/shapes.ts";
import { type ArenaLayout, type Lifetime, layOut } from "./arena.ts";
import { type Program, ProgramS8 } from "./program.ts";

/** Arena key of the working memory that all convolutions share; a NUL keeps it apart from layer names. */
const SCRATCH = "\0scratch";

/**
 * A program made ready for one input size: one arena block with every tensor at a fixed offset, convolution descriptors filled in, and a
 * list of steps. `run` crosses into WebAssembly once a layer and allocates nothing.
 */
export class Plan {
  readonly inputShape: Shape;
  readonly outputShape: Shape;
  /** Addresses of the input and output tensors, int8 or f32 by the program's precision. */
  readonly input: number;
  readonly output: number;
  readonly arenaBytes: number;
  readonly #kernels: KernelInstance;
  readonly #calls: ConvolutionCall[] = [];
  readonly #steps: (() => void)[] = [];
  readonly #arena: number;

  constructor(kernels: KernelInstance, program: Program, height: number, width: number) {
    this.#kernels = kernels;
    const { network } = program;
    const shapes = inferShapes(network, [height, width]);
    this.inputShape = shapes.get(program.input)!;
    this.outputShape = shapes.get(network.output)!;
    try {
      const calls = this.#describeConvolutions(program, shapes);
      const { layout, homes } = placeTensors(program, shapes, calls);
      this.arenaBytes = layout.bytes;
      this.#arena = kernels.memory.allocate(layout.bytes);
      const address = (tensor: string): number => this.#arena + layout.offsets.get(homes.get(tensor)!)!;
      this.input = address(program.input);
      this.output = address(network.output);
      const scratch = calls.size === 0 ? 0 : this.#arena + layout.offsets.get(SCRATCH)!;
      for (const layer of network.layers) {
        const call = calls.get(layer.name);
        if (call && layer.op === "conv2d") {
          const residual = layer.residual ? address(layer.residual.tensor) : 0;
          call.bind(address(layer.input), address(layer.name), residual, scratch);
          this.#steps.push(() => call.run());
        } else {
          const step = elementwise(kernels, program, layer, shapes, address);
          if (step) this.#steps.push(step);
        }
      }
    } catch (error) {
      for (const call of this.#calls) call.dispose();
      throw error;
    }
  }

  #describeConvolutions(program: Program, shapes: ReadonlyMap<string, Shape>): Map<string, ConvolutionCall> {
    const calls = new Map<string, ConvolutionCall>();
    for (const layer of program.network.layers) {
      if (layer.op !== "conv2d") continue;
      const geometry = convGeometry(
        shapes.get(layer.input)!,
        layer.channels,
        layer.kernel,
        layer.stride,
        layer.padding,
      );
      const call = new ConvolutionCall(this.#kernels, program.convolutions.get(layer.name)!, geometry);
      this.#calls.push(call);
      calls.set(layer.name, call);
    }
    return calls;
  }

  /** Runs every step on whatever lies at `input`; the result lies at `output` until the next run. */
  run(): void {
    for (const step of this.#steps) step();
  }

  dispose(): void {
    for (const call of this.#calls) call.dispose();
    this.#kernels.memory.free(this.#arena);
  }
}

/** Whether the layer's output has the bytes of its input, so that both are one buffer and there is nothing to run. */
function isAlias(program: Program, layer: Layer): boolean {
  return program.precision === "int8" && layer.op === "offset";
}

/** Layers that may overwrite their input when nobody needs it afterwards. */
const IN_PLACE: ReadonlySet<Layer["op"]> = new Set(["activation", "clip", "offset"]);

function placeTensors(
  program: Program,
  shapes: ReadonlyMap<string, Shape>,
  calls: ReadonlyMap<string, ConvolutionCall>,
): { layout: ArenaLayout; homes: ReadonlyMap<string, string> } {
  const { layers, output } = program.network;
  const lastUse = new Map<string, number>();
  layers.forEach((layer, step) => {
    lastUse.set(layer.name, step);
    for (const input of tensorsRead(layer)) lastUse.set(input, step);
  });
  lastUse.set(output, layers.length);
  const elementBytes = program.precision === "f32" ? 4 : 1;
  /** The buffer that holds each tensor, named after the first tensor in it. */
  const homes = new Map<string, string>();
  const lifetimes = new Map<string, { bytes: number; first: number; last: number }>();
  layers.forEach((layer, step) => {
    const [source] = tensorsRead(layer);
    const home = source === undefined ? undefined : homes.get(source)!;
    const life = home === undefined ? undefined : lifetimes.get(home)!;
    const inPlace = IN_PLACE.has(layer.op) && life?.last === step;
    if (life && (inPlace || isAlias(program, layer))) {
      homes.set(layer.name, home!);
      life.last = Math.max(life.last, lastUse.get(layer.name)!);
      return;
    }
    const bytes = valuesIn(shapes.get(layer.name)!) * elementBytes;
    homes.set(layer.name, layer.name);
    lifetimes.set(layer.name, { bytes, first: step, last: lastUse.get(layer.name)! });
  });
  const buffers: Lifetime[] = [...lifetimes].map(([name, life]) => ({ name, ...life }));
  const scratchBytes = Math.max(0, ...[...calls.values()].map((call) => call.scratchBytes));
  if (calls.size > 0) buffers.push({ name: SCRATCH, bytes: scratchBytes, first: 0, last: layers.length });
  return { layout: layOut(buffers), homes };
}

type Step = () => void;

/** The step of a layer that is not a convolution; undefined when there is nothing to do. */
function elementwise(
  kernels: KernelInstance,
  program: Program,
  layer: Layer,
  shapes: ReadonlyMap<string, Shape>,
  address: (tensor: string) => number,
): Step | undefined {
  const { exports } = kernels;
  if (layer.op === "input" || isAlias(program, layer)) return undefined;
  const to = address(layer.name);
  const [height, width, channels] = shapes.get(layer.name)!;
  const pixels = height * width;
  const count = pixels * channels;
  if (layer.op === "add") {
    const { wide, narrow, broadcast } = orderOperands(layer, shapes);
    const a = address(wide);
    const b = address(narrow);
    if (!(program instanceof ProgramS8)) return () => exports.f32_add(a, b, to, pixels, channels, broadcast);
    const add = program.model.adds.get(layer.name)!;
    const swapped = wide !== layer.inputs[0];
    const { zero, least } = magic(program, layer.name, add.qmin);
    const za = program.tensorParams(wide).zeroPoint;
    const zb = program.tensorParams(narrow).zeroPoint;
    const ma = swapped ? add.multiplierB : add.multiplierA;
    const mb = swapped ? add.multiplierA : add.multiplierB;
    return () => exports.qs8_add(a, b, to, pixels, channels, broadcast, za, ma, zb, mb, zero, least, add.qmax);
  }
  if (layer.op === "conv2d" || layer.op === "linear-block") {
    throw new WasmogradError("ERR_NETWORK", `layer "${layer.name}": a ${layer.op} must be collapsed and packed first`);
  }
  const from = address(layer.input);
  if (layer.op === "depth-to-space") {
    const [rows, cols, depth] = shapes.get(layer.input)!;
    const cell = depth / layer.block ** 2;
    const bytes = program.precision === "f32" ? 4 : 1;
    const kernel = program.precision === "f32" ? exports.x32_depth_to_space : exports.x8_depth_to_space;
    const { block } = layer;
    return () => kernel(rows, cols, block, cell, from, cols * depth * bytes, to, width * channels * bytes);
  }
  if (program instanceof ProgramS8) {
    if (layer.op === "clip") {
      const { qmin, qmax } = program.model.clips.get(layer.name)!;
      return () => exports.s8_clamp(from, to, count, qmin, qmax);
    }
    const activation = program.model.activations.get(layer.name)!;
    const { zero, least } = magic(program, layer.name, activation.qmin);
    const { zeroPoint } = program.tensorParams(layer.input);
    const { multiplier, qmax } = activation;
    const negative = program.vector(layer.name);
    return () => exports.qs8_prelu(from, to, pixels, channels, zeroPoint, multiplier, negative, zero, least, qmax);
  }
  if (layer.op === "clip") return () => exports.f32_affine(from, to, count, 1, 0, layer.min, layer.max);
  if (layer.op === "offset") {
    return () =>
      exports.f32_affine(from, to, count, 1, layer.value, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY);
  }
  const { activation } = layer;
  if (activation.kind === "prelu") {
    const slopes = program.vector(layer.name);
    return () => exports.f32_prelu(from, to, pixels, channels, slopes);
  }
  const most = activation.kind === "relu6" ? 6 : Number.POSITIVE_INFINITY;
  return () => exports.f32_affine(from, to, count, 1, 0, 0, most);
}

/** The operand with all channels first; `broadcast` is 1 when the other has one channel only. */
function orderOperands(
  layer: AddLayer,
  shapes: ReadonlyMap<string, Shape>,
): { wide: string; narrow: string; broadcast: number } {
  const [a, b] = layer.inputs;
  const ca = shapes.get(a)![2];
  const cb = shapes.get(b)![2];
  return ca >= cb ? { wide: a, narrow: b, broadcast: +(cb < ca) } : { wide: b, narrow: a, broadcast: 1 };
}

function magic(program: ProgramS8, tensor: string, qmin: number): { zero: number; least: number } {
  const zero = MAGIC_BITS - program.tensorParams(tensor).zeroPoint;
  return { zero, least: zero + qmin };
}
