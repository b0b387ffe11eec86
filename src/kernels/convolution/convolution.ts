/**
 * A convolution on the kernel side: filters packed once (`PackedConvolution`), then one small descriptor per input size
 * (`ConvolutionCall`), so that a network run at several tile sizes holds its weights once.
 */
import { check, WasmogradError } from "../../errors.ts";
import { COMPLEX_F4X4_SCALE } from "../../quantization/accumulator.ts";
import { CF4X4_PRODUCTS, packCf4x4 } from "../../winograd/cf4x4-filter.ts";
import type { KernelExports } from "../exports.ts";
import type { KernelInstance } from "../load.ts";
import type { ConvGeometry } from "./geometry.ts";
import { packDirectF32, packDirectS8, roundUp } from "./pack.ts";
import { CONV_PARAMS_BYTES, type ConvParam, MAGIC_BITS, writeConvParams, writeRowRange } from "./params.ts";
import { type WinogradBlocks, winogradBlocks } from "./winograd-blocks.ts";

/** Tiles transformed together: enough to amortise the filter, few enough that products stay in L1. */
const TILES = 16;

export type ConvAlgorithm = "direct" | "winograd";
export type AlgorithmOption = "auto" | ConvAlgorithm;

interface ConvSpec {
  readonly ic: number;
  readonly oc: number;
  readonly kh: number;
  readonly kw: number;
  readonly stride: number;
}

/** The residual that a convolution adds after its activation. */
export interface ResidualSpec {
  /** One channel, added to every output channel, instead of oc channels. */
  readonly broadcast: boolean;
  /** int8 only: zero point of the residual, and residualScale / outputScale. */
  readonly zeroPoint?: number;
  readonly multiplier?: number;
}

export interface ConvSpecS8 extends ConvSpec {
  readonly dtype: "s8";
  readonly weights: Int8Array; // OHWI
  readonly bias: Int32Array; // [oc], without any zero-point term
  readonly multipliers: Float32Array; // [oc]
  readonly negativeMultipliers?: Float32Array; // [oc], of negative accumulators
  readonly inputZeroPoint: number;
  readonly outputZeroPoint: number;
  readonly qmin: number;
  readonly qmax: number;
  readonly residual?: ResidualSpec;
  readonly algorithm: ConvAlgorithm;
}

export interface ConvSpecF32 extends ConvSpec {
  readonly dtype: "f32";
  readonly weights: Float32Array; // OHWI
  readonly bias: Float32Array; // [oc]
  readonly slopes?: Float32Array; // [oc], PReLU
  readonly minimum: number;
  readonly maximum: number;
  readonly residual?: ResidualSpec;
}

type KernelName = Extract<keyof KernelExports, `${string}conv2d${string}`>;

/** @throws WasmogradError ERR_ARGUMENT unless the value is an algorithm or "auto" */
export function checkAlgorithm(algorithm: unknown): asserts algorithm is AlgorithmOption {
  check(
    algorithm === "auto" || algorithm === "direct" || algorithm === "winograd",
    "ERR_ARGUMENT",
    () => `algorithm: expected "auto", "direct" or "winograd", got ${String(algorithm)}`,
  );
}

/** Whether the exact Winograd kernel applies to this kernel size and stride. */
export function winogradApplies(spec: { kh: number; kw: number; stride: number }): boolean {
  return spec.kh === 3 && spec.kw === 3 && spec.stride === 1;
}

/** Below this many channels on either side, transforming costs as much as it saves (measured: npm run bench). */
const WINOGRAD_CHANNELS = 8;

/**
 * The algorithm of an int8 convolution. "auto" takes the exact Winograd kernel where it applies and pays; "winograd" takes it
 * wherever it applies. Both give the same bits as "direct".
 */
export function chooseAlgorithm(
  option: AlgorithmOption,
  layer: {
    readonly kh: number;
    readonly kw: number;
    readonly stride: number;
    readonly ic: number;
    readonly oc: number;
  },
): ConvAlgorithm {
  if (option === "direct" || !winogradApplies(layer)) return "direct";
  return option === "winograd" || Math.min(layer.ic, layer.oc) >= WINOGRAD_CHANNELS ? "winograd" : "direct";
}

/** Filters, bias and multipliers of one convolution in WebAssembly memory, in the layout of the kernel that will run them. */
export class PackedConvolution {
  readonly spec: ConvSpecS8 | ConvSpecF32;
  readonly kernel: KernelName;
  readonly #kernels: KernelInstance;
  readonly #block: number;
  /** Descriptor fields that do not depend on the input size. */
  readonly constants: Readonly<Partial<Record<ConvParam, number>>>;
  /** How the Winograd kernel sums over the input channels. */
  readonly blocks: WinogradBlocks;

  constructor(kernels: KernelInstance, spec: ConvSpecS8 | ConvSpecF32) {
    this.spec = spec;
    this.#kernels = kernels;
    const { ic, oc, kh, kw } = spec;
    const narrow = oc <= 4;
    const winograd = spec.dtype === "s8" && spec.algorithm === "winograd";
    this.blocks = { channels: ic, blocked: false };
    let filters: (Int16Array<ArrayBuffer> | Float32Array<ArrayBuffer>)[];
    let scale = 1;
    if (spec.dtype === "f32") {
      this.kernel = narrow ? "f32_conv2d_6x4" : "f32_conv2d_4x8";
      filters = [packDirectF32(spec.weights, oc, kh, kw * ic, narrow ? 4 : 8)];
    } else if (winograd) {
      if (!winogradApplies(spec)) {
        throw new WasmogradError(
          "ERR_UNSUPPORTED",
          `algorithm: "winograd" needs a 3x3 kernel with stride 1, got ${kh}x${kw} with stride ${spec.stride}`,
        );
      }
      this.kernel = "qs8_conv2d_cf4x4_3x3";
      this.blocks = winogradBlocks(spec.weights, oc, ic, spec.inputZeroPoint, spec.bias);
      if (!this.blocks.blocked) scale = COMPLEX_F4X4_SCALE;
      filters = packCf4x4(spec.weights, oc, ic, this.blocks.channels);
    } else {
      this.kernel = narrow ? "qs8_conv2d_6x4" : "qs8_conv2d_4x8";
      filters = [packDirectS8(spec.weights, oc, kh, kw * ic, narrow ? 4 : 8)];
    }

    const filterBytes = filters.reduce((sum, f) => sum + f.byteLength, 0);
    const vectorBytes = roundUp(oc, 8) * 4;
    this.#block = kernels.memory.allocate(filterBytes + 3 * vectorBytes);
    const bias = this.#block + filterBytes;
    const multiplier = bias + vectorBytes;
    const negative = multiplier + vectorBytes;
    let at = this.#block;
    for (const f of filters) {
      kernels.memory.u8.set(new Uint8Array(f.buffer), at);
      at += f.byteLength;
    }
    kernels.memory.u8.fill(0, bias, negative + vectorBytes);
    const { i32, f32 } = kernels.memory;
    let hasNegative: boolean;
    let own: Partial<Record<ConvParam, number>>;
    if (spec.dtype === "f32") {
      f32.set(spec.bias, bias >> 2);
      hasNegative = spec.slopes !== undefined;
      if (spec.slopes) f32.set(spec.slopes, negative >> 2);
      own = {
        minimum: spec.minimum,
        maximum: spec.maximum,
        residualBroadcast: spec.residual?.broadcast ? 1 : 0,
      };
    } else {
      const length = kh * kw * ic;
      for (let o = 0; o < oc; o++) {
        let sum = 0;
        for (let k = 0; k < length; k++) sum += spec.weights[o * length + k]!;
        i32[(bias >> 2) + o] = Math.imul(spec.bias[o]! - Math.imul(spec.inputZeroPoint, sum), scale);
        // A power of two: dividing the multiplier and multiplying the accumulator cancel exactly.
        f32[(multiplier >> 2) + o] = spec.multipliers[o]! / scale;
        if (spec.negativeMultipliers) f32[(negative >> 2) + o] = spec.negativeMultipliers[o]! / scale;
      }
      hasNegative = spec.negativeMultipliers !== undefined;
      own = {
        inputZeroPoint: spec.inputZeroPoint,
        qmax: spec.qmax,
        magicZero: MAGIC_BITS - spec.outputZeroPoint,
        magicMin: MAGIC_BITS - spec.outputZeroPoint + spec.qmin,
        residualZeroPoint: spec.residual?.zeroPoint ?? 0,
        residualMultiplier: spec.residual?.multiplier ?? 0,
        residualBroadcast: spec.residual?.broadcast ? 1 : 0,
        blockChannels: this.blocks.channels,
        blockFilterBytes: filters[0]!.byteLength,
      };
    }
    this.constants = {
      ...own,
      filter: this.#block,
      bias,
      multiplier,
      negative: hasNegative ? negative : 0,
      ic,
      oc,
      kh,
      kw,
      stride: spec.stride,
    };
  }

  dispose(): void {
    this.#kernels.memory.free(this.#block);
  }
}

/** Where the kernel's working memory lies inside its scratch block, and how large that is. */
interface ScratchLayout {
  readonly bytes: number;
  readonly fields: (scratch: number) => Partial<Record<ConvParam, number>>;
}

function directScratch(packed: PackedConvolution, g: ConvGeometry): ScratchLayout {
  const elementBytes = packed.spec.dtype === "f32" ? 4 : 2;
  const pixels = packed.spec.oc <= 4 ? 6 : 4;
  // The last group of pixels reads columns beyond the padded row; those products are not stored.
  const columns = (roundUp(g.ow, pixels) - 1) * g.stride + g.kw;
  const elements = Math.max(columns, g.padLeft + g.iw) * g.ic + 16;
  // A row stride that is an odd multiple of 64 keeps the kh rows out of each other's cache sets.
  const rowStride = (Math.ceil((elements * elementBytes + 64) / 64) | 1) * 64;
  return { bytes: g.kh * rowStride, fields: (scratch) => ({ scratch, scratchRowStride: rowStride }) };
}

function winogradScratch(packed: PackedConvolution, g: ConvGeometry): ScratchLayout {
  const channels = roundUp(packed.blocks.channels, 8);
  const count = Math.ceil(g.ow / 4) * Math.ceil(g.oh / 4);
  const tiles = Math.min(TILES, roundUp(count, 4));
  // Strides off the powers of two, so that the 46 planes do not fall into the same cache sets.
  const planeTilesStride = tiles * channels * 2 + 64;
  const productsStride = tiles * 32 + 32;
  const planeTilesBytes = CF4X4_PRODUCTS * planeTilesStride;
  const productsBytes = roundUp(CF4X4_PRODUCTS * productsStride, 64);
  const patchBytes = roundUp(36 * g.ic + 16, 64);
  const sumsBytes = packed.blocks.blocked ? tiles * 16 * roundUp(g.oc, 8) * 4 : 0;
  const workspaceBytes = 36 * 16;
  return {
    bytes: planeTilesBytes + productsBytes + workspaceBytes + patchBytes + sumsBytes,
    fields: (scratch) => {
      const products = scratch + planeTilesBytes;
      const workspace = products + productsBytes;
      const patch = workspace + workspaceBytes;
      const sums = sumsBytes === 0 ? 0 : patch + patchBytes;
      return { tiles, planeTiles: scratch, planeTilesStride, products, productsStride, workspace, patch, sums };
    },
  };
}

/** A packed convolution made ready for one input size. `run` neither allocates nor validates. */
export class ConvolutionCall {
  readonly geometry: ConvGeometry;
  /** Bytes of working memory that `bind` expects. */
  readonly scratchBytes: number;
  readonly #kernels: KernelInstance;
  readonly #packed: PackedConvolution;
  readonly #scratch: ScratchLayout;
  readonly #params: number;

  constructor(kernels: KernelInstance, packed: PackedConvolution, geometry: ConvGeometry) {
    this.geometry = geometry;
    this.#kernels = kernels;
    this.#packed = packed;
    const winograd = packed.kernel === "qs8_conv2d_cf4x4_3x3";
    this.#scratch = winograd ? winogradScratch(packed, geometry) : directScratch(packed, geometry);
    this.scratchBytes = this.#scratch.bytes;
    this.#params = kernels.memory.allocate(CONV_PARAMS_BYTES);
    kernels.memory.u8.fill(0, this.#params, this.#params + CONV_PARAMS_BYTES);
  }

  /** Fixes every pointer: `input`, `output` and `residual` (0 for none) are NHWC tensors without gaps between rows. */
  bind(input: number, output: number, residual: number, scratch: number): void {
    const g = this.geometry;
    const bytes = this.#packed.spec.dtype === "f32" ? 4 : 1;
    const residualChannels = this.#packed.spec.residual?.broadcast ? 1 : g.oc;
    writeConvParams(this.#kernels.memory, this.#params, {
      ...this.#packed.constants,
      ...this.#scratch.fields(scratch),
      input,
      output,
      residual,
      inputRowStride: g.iw * g.ic * bytes,
      outputRowStride: g.ow * g.oc * bytes,
      residualRowStride: g.ow * residualChannels * bytes,
      ih: g.ih,
      iw: g.iw,
      ow: g.ow,
      padTop: g.padTop,
      padLeft: g.padLeft,
    });
  }

  /** Computes output rows [rowBegin, rowEnd), all by default. */
  run(rowBegin = 0, rowEnd = this.geometry.oh): void {
    writeRowRange(this.#kernels.memory, this.#params, rowBegin, rowEnd);
    this.#kernels.exports[this.#packed.kernel](this.#params);
  }

  dispose(): void {
    this.#kernels.memory.free(this.#params);
  }
}
