/**
 * What of a network does not depend on the input size: its layers in order, packed convolutions, small constant vectors.
 */
import { WasmogradError } from "../errors.ts";
import { type AlgorithmOption, type Choice, chooseF32, chooseS8 } from "../kernels/convolution/choice.ts";
import { epilogueF32 } from "../kernels/convolution/epilogue-f32.ts";
import { PackedConvolution } from "../kernels/convolution/packed.ts";
import type { ConvSpecF32, ConvSpecS8, LayerShape, ResidualSpec } from "../kernels/convolution/spec.ts";
import type { KernelInstance } from "../kernels/load.ts";
import type { Conv2dLayer, Layer, Model, Network, Shape } from "../network/description.ts";
import { inferChannels } from "../network/shapes.ts";
import type { QuantisedModel } from "../quantization/quantise.ts";
import { QMAX, QMIN, type QuantizationParams } from "../quantization/requantize.ts";
import type { FilterScaling } from "../winograd/filter-scaling.ts";

/** How the algorithms of a network are chosen. */
export interface AlgorithmChoice {
  readonly algorithm: AlgorithmOption;
  /** Layers that have an option of their own, by name. */
  readonly layers?: Readonly<Record<string, AlgorithmOption>> | undefined;
  /** Filters of Winograd layers in fewer bits. */
  readonly filterScaling?: FilterScaling | undefined;
}

const algorithmOf = ({ algorithm, layers }: AlgorithmChoice, { name }: Conv2dLayer): AlgorithmOption =>
  (layers && Object.hasOwn(layers, name) ? layers[name] : undefined) ?? algorithm;

function layerShape(
  { input, channels: oc, kernel: [kh, kw], stride, depthwise }: Conv2dLayer,
  channels: ReadonlyMap<string, number>,
): LayerShape {
  return { ic: channels.get(input)!, oc, kh, kw, stride, ...(depthwise && { depthwise }) };
}

/** Channels, kernel and stride of every convolution, by name. */
export function convolutionShapes(network: Network): ReadonlyMap<string, LayerShape> {
  const channels = inferChannels(network);
  return new Map(
    network.layers.flatMap((layer) =>
      layer.op === "conv2d" ? [[layer.name, layerShape(layer, channels)] as const] : [],
    ),
  );
}

/** Computes rows [begin, end) of a layer's output. */
export type Step = (begin: number, end: number) => void;

/** The address of a row of a tensor, which may differ from strip to strip. */
export type RowAddress = (tensor: string, row: number) => number;

/** What steps keep in kernel memory. */
export type ConstantValues = Float32Array | Int32Array | Int8Array;

/** The layers of classification networks, which a page loads only with such a network. */
export interface LayerSteps {
  /** What steps need in kernel memory, by the names that they look it up by; int8 steps find their tables by layer. */
  constants(model: Model | QuantisedModel): Iterable<readonly [name: string, values: ConstantValues]>;
  /** Bytes of working memory of a layer's step. @throws WasmogradError ERR_UNSUPPORTED on sizes that no kernel takes */
  scratchBytes(program: Program, layer: Layer, shapes: ReadonlyMap<string, Shape>): number;
  /** @param scratch where that memory lies; all steps of a plan share it */
  step(program: Program, layer: Layer, shapes: ReadonlyMap<string, Shape>, at: RowAddress, scratch: number): Step;
}

export abstract class Program {
  readonly network: Network;
  abstract readonly precision: "f32" | "int8";
  readonly input: string;
  readonly inputChannels: number;
  readonly convolutions = new Map<string, PackedConvolution>();
  /** How the layers that super resolution does not have are run, where there are any (layer-steps.ts). */
  readonly layerSteps: LayerSteps | undefined;
  /** Why each convolution runs as it does. */
  readonly choices = new Map<string, Choice>();
  protected readonly kernels: KernelInstance;
  /** Channels of every tensor, which do not depend on the input size. */
  protected readonly channels: ReadonlyMap<string, number>;
  readonly #vectors = new Map<string, number>();

  protected constructor(kernels: KernelInstance, network: Network, layerSteps: LayerSteps | undefined) {
    this.kernels = kernels;
    this.network = network;
    this.layerSteps = layerSteps;
    const input = network.layers.find((layer) => layer.op === "input");
    if (!input) throw new WasmogradError("ERR_NETWORK", "network: expected an input layer");
    this.input = input.name;
    this.inputChannels = input.channels;
    this.channels = inferChannels(network);
  }

  /** Loads filters, and vectors by name; on failure nothing stays allocated. */
  protected load(
    build: (layer: Conv2dLayer) => ConvSpecS8 | ConvSpecF32,
    vectors: Iterable<readonly [layer: string, values: ConstantValues]>,
  ): void {
    try {
      for (const layer of this.network.layers) {
        if (layer.op === "conv2d") this.convolutions.set(layer.name, this.#packed(layer, build(layer)));
      }
      for (const [name, values] of vectors) this.#addVector(name, values);
    } catch (error) {
      this.dispose();
      throw error;
    }
  }

  #packed({ name }: Conv2dLayer, spec: ConvSpecS8 | ConvSpecF32): PackedConvolution {
    try {
      return new PackedConvolution(this.kernels, spec);
    } catch (error) {
      if (!(error instanceof WasmogradError)) throw error;
      throw new WasmogradError(error.code, `layer "${name}": ${error.message}`, { cause: error });
    }
  }

  protected choose<C extends Choice>(layer: Conv2dLayer, choice: C): C["algorithm"] {
    this.choices.set(layer.name, choice);
    return choice.algorithm;
  }

  protected geometryOf(layer: Conv2dLayer): LayerShape {
    // The 1x1 kernels know no border, and nobody needs one there.
    const padded = typeof layer.padding === "number" && layer.padding > 0;
    if (padded && layer.kernel.every((size) => size === 1)) throw unsupported(layer, "a padded 1x1");
    return layerShape(layer, this.channels);
  }

  protected broadcasts(layer: Conv2dLayer): boolean {
    return layer.residual !== undefined && layer.channels > 1 && this.channels.get(layer.residual.tensor) === 1;
  }

  /** Uploads constants once, padded with zeros to whole vectors. */
  #addVector(name: string, { buffer, byteOffset, byteLength }: ConstantValues): void {
    const { memory } = this.kernels;
    const bytes = Math.ceil(byteLength / 16) * 16;
    const pointer = memory.allocate(bytes);
    this.#vectors.set(name, pointer);
    memory.u8.fill(0, pointer, pointer + bytes);
    memory.u8.set(new Uint8Array(buffer, byteOffset, byteLength), pointer);
  }
  vector(name: string): number {
    return this.#vectors.get(name)!;
  }

  abstract tensorParams(name: string): QuantizationParams | undefined;

  /** Bytes of an element of a tensor. */
  abstract readonly bytesOf: (tensor: string) => 1 | 4;

  dispose(): void {
    for (const c of this.convolutions.values()) c.dispose();
    for (const pointer of this.#vectors.values()) this.kernels.memory.free(pointer);
    this.convolutions.clear();
    this.#vectors.clear();
  }
}

/** The f32 program of a collapsed and fused model. */
export class ProgramF32 extends Program {
  readonly precision = "f32";
  readonly bytesOf = () => 4 as const;

  constructor(kernels: KernelInstance, model: Model, options: AlgorithmChoice, layerSteps?: LayerSteps) {
    super(kernels, model.network, layerSteps);
    const { network, weights } = model;
    const data = (name: string): Float32Array => weights.get(name)!.data;
    const slopes = network.layers.flatMap((layer) =>
      layer.op === "activation" && layer.activation.kind === "prelu"
        ? [[layer.name, data(layer.activation.slope)] as const]
        : [],
    );
    this.load(
      (layer) => {
        const { activation, residual } = layer;
        const before = residual?.position === "before-activation";
        if (activation?.kind === "prelu" && before)
          throw unsupported(layer, "a residual before PReLU in a convolution");
        if (activation?.kind === "relu6" && residual && !before)
          throw unsupported(layer, "a residual after ReLU6 in a convolution");
        const kind = activation?.kind === "prelu" ? { prelu: data(activation.slope) } : (activation?.kind ?? "none");
        if (kind === "hard-swish" || kind === "gelu" || kind === "mixed")
          throw unsupported(layer, `${kind} in a convolution`);
        const geometry = this.geometryOf(layer);
        return {
          dtype: "f32",
          ...geometry,
          algorithm: this.choose(layer, chooseF32(algorithmOf(options, layer), geometry)),
          weights: data(layer.weights),
          bias: layer.bias === undefined ? new Float32Array(layer.channels) : data(layer.bias),
          ...epilogueF32(kind, residual !== undefined && !before, layer.channels),
          ...(residual && {
            residual: {
              broadcast: this.broadcasts(layer),
              ...(residual.scale !== undefined && { multipliers: data(residual.scale) }),
            },
          }),
        };
      },
      [...slopes, ...(layerSteps?.constants(model) ?? [])],
    );
  }

  tensorParams(): undefined {
    return undefined;
  }
}

function unsupported(layer: Conv2dLayer, what: string): WasmogradError {
  return new WasmogradError("ERR_UNSUPPORTED", `layer "${layer.name}": there is no kernel for ${what}`);
}

/** The int8 program of a quantised model. */
export class ProgramS8 extends Program {
  readonly precision = "int8";
  readonly bytesOf = (tensor: string) => (this.model.real?.has(tensor) ? 4 : 1);
  readonly model: QuantisedModel;

  constructor(kernels: KernelInstance, model: QuantisedModel, options: AlgorithmChoice, layerSteps?: LayerSteps) {
    super(kernels, model.network, layerSteps);
    this.model = model;
    const multipliers = [...model.activations].map(([name, { multiplier, negativeMultipliers }]) => {
      const values = negativeMultipliers ?? new Float32Array(this.channels.get(name)!).fill(multiplier);
      return [name, values] as const;
    });
    this.load(
      (layer) => {
        const filter = model.filters.get(layer.name)!;
        const geometry = this.geometryOf(layer);
        let residual: ResidualSpec | undefined;
        if (layer.residual) {
          const { zeroPoint } = model.tensors.get(layer.residual.tensor)!;
          const { residualMultipliers: multipliers } = filter;
          residual = { broadcast: this.broadcasts(layer), zeroPoint, ...(multipliers && { multipliers }) };
        }
        const { weights, bias } = filter;
        const inputZeroPoint = model.tensors.get(layer.input)!.zeroPoint;
        const data = { weights, bias, inputZeroPoint, ic: geometry.ic, oc: geometry.oc };
        const { filterScaling } = options;
        const choice = chooseS8(algorithmOf(options, layer), geometry, { layer: data, filterScaling });
        const algorithm = this.choose(layer, choice);
        return {
          dtype: "s8",
          ...geometry,
          // Of a real output, all that the filter does not say instead.
          qmin: QMIN,
          qmax: QMAX,
          outputZeroPoint: model.tensors.get(layer.name)?.zeroPoint ?? 0,
          ...filter,
          inputZeroPoint,
          ...(residual && { residual }),
          algorithm,
          ...(filterScaling && algorithm !== "direct" && { filterScaling }),
        };
      },
      [...multipliers, ...model.tables, ...(layerSteps?.constants(model) ?? [])],
    );
  }

  tensorParams(name: string): QuantizationParams {
    return this.model.tensors.get(name)!;
  }
}
