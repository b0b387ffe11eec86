/** Filters packed once, whatever the input sizes, so that a network run at several tile sizes holds its weights once. */
import { check } from "../../errors.ts";
import type { KernelExports } from "../exports.ts";
import type { KernelInstance } from "../load.ts";
import { type WinogradKernel, winogradApplies, winogradKernel } from "../winograd/algorithms.ts";
import { largestSum, type WinogradBlocks, winogradBlocks } from "../winograd/blocks.ts";
import { type PackedFilters, packWinogradF32, packWinogradS8, written } from "../winograd/filter.ts";
import { packRows, ROW_TABLE, rowsApply, rowsFit } from "../winograd/rows.ts";
import { packScaled } from "../winograd/scaled.ts";
import { packDepthwiseF32, packDepthwiseS8, packDirectF32, packDirectS8, roundUp } from "./pack.ts";
import { type ConvParam, MAGIC_BITS } from "./params.ts";
import type { ConvSpecF32, ConvSpecS8, LayerShape } from "./spec.ts";

type KernelName = Extract<keyof KernelExports, `${string}conv2d${string}`>;
type Fields = Readonly<Partial<Record<ConvParam, number>>>;

/** Filters in a kernel's layout, and what of the descriptor belongs to them. */
interface Packed {
  readonly kernel: KernelName;
  /** undefined: direct. */
  readonly winograd: WinogradKernel | undefined;
  readonly blocks: WinogradBlocks;
  readonly filters: PackedFilters;
  /** int32 or f32, [oc]. */
  readonly bias: Int32Array | Float32Array;
  /** int8: what the multipliers are divided by, a power of two. */
  readonly scale: number;
  readonly scales?: Int32Array;
  readonly fields: Fields;
}

/** The kernel of a Winograd algorithm, which must apply to the layer. @throws WasmogradError ERR_UNSUPPORTED */
function winogradOf(spec: ConvSpecS8 | ConvSpecF32): WinogradKernel | undefined {
  const { dtype, algorithm, kh, kw, stride, depthwise } = spec;
  if (algorithm === "direct" || algorithm === ROW_TABLE.algorithm) return undefined;
  const found = winogradKernel(dtype, algorithm);
  check(found !== undefined, "ERR_UNSUPPORTED", () => `algorithm: there is no ${dtype} kernel for ${algorithm}`);
  check(winogradApplies(found, spec), "ERR_UNSUPPORTED", () => {
    const got = `${depthwise ? "depthwise " : ""}${kh}x${kw} with stride ${stride}`;
    return `algorithm: ${algorithm} needs a ${found.r}x${found.r} kernel with stride 1, got ${got}`;
  });
  return found;
}

/** Output channels of a tile of the direct kernels: few channels would leave lanes of a wide one empty. */
const directLanes = (oc: number): 4 | 8 => (oc <= 4 ? 4 : 8);

type DirectKernel = "conv2d_6x4" | "conv2d_8x4" | "conv2d_1x1_4x8" | "conv2d_4x8";

/** The direct kernel of a layer, without the prefix of its data type; depthwise layers have one of their own. */
export function directKernel({ dtype, ic, oc, kh, kw, stride }: LayerShape & { dtype: "s8" | "f32" }): DirectKernel {
  const pointwise = kh === 1 && kw === 1;
  if (directLanes(oc) === 8) return pointwise ? "conv2d_1x1_4x8" : "conv2d_4x8";
  // The lanes of 8x4 are neighbouring pixels, transposed once and read by every tap; it pairs int8 channels, where 6x4 pairs the
  // values of a kernel row and so wastes less on one channel or three.
  const paired = dtype === "f32" || ic % 2 === 0 || ic > 4;
  return stride === 1 && !pointwise && paired ? "conv2d_8x4" : "conv2d_6x4";
}

function packF32(spec: ConvSpecF32): Packed {
  const { weights, oc, ic, kh, kw, bias } = spec;
  const winograd = winogradOf(spec);
  const blocks = { channels: ic, blocked: false };
  if (winograd) {
    const filters = written(packWinogradF32(winograd, spec));
    const fields = { blockChannels: ic };
    return { kernel: winograd.kernel, winograd, blocks, filters, bias, scale: 1, fields };
  }
  if (spec.depthwise) {
    const filters = written(packDepthwiseF32(weights, oc, kh * kw));
    return { kernel: "f32_dwconv2d_2x4x4", winograd, blocks, filters, bias, scale: 1, fields: {} };
  }
  const filters = written(packDirectF32(weights, oc, kh, kw * ic, directLanes(oc)));
  return { kernel: `f32_${directKernel(spec)}`, winograd, blocks, filters, bias, scale: 1, fields: {} };
}

/** bias - zeroPoint * sum of weights, times `factor`, modulo 2^32: raw input values are multiplied. */
function foldedBias({ weights, bias, oc, inputZeroPoint }: ConvSpecS8, factor: number): Int32Array {
  const length = weights.length / oc;
  return bias.map((b, o) => {
    let sum = 0;
    for (let k = 0; k < length; k++) sum += weights[o * length + k]!;
    return Math.imul(b - Math.imul(inputZeroPoint, sum), factor);
  });
}

function packRowsS8(spec: ConvSpecS8): Packed {
  const { weights, oc, ic, filterScaling } = spec;
  const { kernel, algorithm, r, shift, biasFactor } = ROW_TABLE;
  const size = `${spec.kh}x${spec.kw} with stride ${spec.stride}`;
  check(
    rowsApply(spec),
    "ERR_UNSUPPORTED",
    () => `algorithm: ${algorithm} needs a ${r}x${r} kernel with stride 1, got ${size}`,
  );
  check(
    filterScaling === undefined,
    "ERR_UNSUPPORTED",
    () => `filterScaling: ${algorithm} cannot, its scale has an odd factor`,
  );
  const largest = largestSum(spec);
  check(rowsFit(largest), "ERR_UNSUPPORTED", () => {
    return `algorithm: ${algorithm} is exact to sums below 2^${31 - shift}, got ${largest}`;
  });
  const blocks = { channels: ic, blocked: false };
  const bias = foldedBias(spec, biasFactor);
  return {
    kernel,
    winograd: undefined,
    blocks,
    filters: packRows(weights, oc, ic),
    bias,
    scale: 2 ** shift,
    fields: {},
  };
}

function packS8(spec: ConvSpecS8): Packed {
  if (spec.algorithm === ROW_TABLE.algorithm) return packRowsS8(spec);
  const { weights, oc, ic, kh, kw, filterScaling } = spec;
  const winograd = winogradOf(spec);
  if (!winograd) {
    check(
      filterScaling === undefined,
      "ERR_UNSUPPORTED",
      () => "filterScaling: direct convolution has no such filters",
    );
    const blocks = { channels: ic, blocked: false };
    const common = { winograd, blocks, bias: foldedBias(spec, 1), scale: 1, fields: {} };
    if (spec.depthwise) {
      return {
        kernel: "qs8_dwconv2d_2x4x4",
        filters: written(packDepthwiseS8(weights, oc, kh, kw, spec.stride)),
        ...common,
      };
    }
    const kernel = directKernel(spec);
    const [rows, rowLength] = kernel === "conv2d_8x4" ? [kh * kw, ic] : [kh, kw * ic];
    return {
      kernel: `qs8_${kernel}`,
      filters: written(packDirectS8(weights, oc, rows, rowLength, directLanes(oc))),
      ...common,
    };
  }
  const { kernel, shift, biasFactor } = winograd;
  if (filterScaling) {
    const { filter, scales, bias } = packScaled(winograd, spec, filterScaling);
    const blocks = { channels: ic, blocked: false };
    const fields = { blockChannels: ic, narrowFilter: filter instanceof Int8Array ? 1 : 0 };
    return { kernel, winograd, blocks, filters: written(filter), bias, scale: 2 ** shift, scales, fields };
  }
  const blocks = winogradBlocks(winograd, spec);
  const filters = packWinogradS8(winograd, spec, blocks.channels);
  const fields = {
    resultShift: shift,
    blockChannels: blocks.channels,
    blockFilterBytes: filters.blockBytes,
  };
  // One block keeps its results scaled: dividing the multiplier by a power of two and multiplying the bias cancel exactly.
  const [bias, scale] = blocks.blocked ? [foldedBias(spec, 1), 1] : [foldedBias(spec, biasFactor), 2 ** shift];
  return { kernel, winograd, blocks, filters, bias, scale, fields };
}

/** Filters, bias and multipliers of one convolution in WebAssembly memory, in the layout of the kernel that will run them. */
export class PackedConvolution {
  readonly spec: ConvSpecS8 | ConvSpecF32;
  readonly kernel: KernelName;
  readonly winograd: WinogradKernel | undefined;
  /** How a Winograd kernel sums over the input channels. */
  readonly blocks: WinogradBlocks;
  /** Bytes of packed filters. */
  readonly filterBytes: number;
  /** Descriptor fields that do not depend on the input size. */
  readonly constants: Fields;
  readonly #kernels: KernelInstance;
  readonly #block: number;

  /** @throws WasmogradError ERR_UNSUPPORTED when the algorithm does not apply, ERR_OUT_OF_MEMORY */
  constructor(kernels: KernelInstance, spec: ConvSpecS8 | ConvSpecF32) {
    this.spec = spec;
    this.#kernels = kernels;
    const packed = spec.dtype === "f32" ? packF32(spec) : packS8(spec);
    this.kernel = packed.kernel;
    this.winograd = packed.winograd;
    this.blocks = packed.blocks;
    this.filterBytes = packed.filters.bytes;

    const { oc } = spec;
    const { memory } = kernels;
    const vectorBytes = roundUp(oc, 8) * 4;
    // What follows is read in whole vectors.
    const filterEnd = roundUp(this.filterBytes, 16);
    const scalesBytes = packed.scales?.byteLength ?? 0;
    const residualMultipliers = spec.residual?.multipliers;
    this.#block = memory.allocate(filterEnd + scalesBytes + 4 * vectorBytes);
    try {
      packed.filters.write(kernels, this.#block);
    } catch (error) {
      memory.free(this.#block);
      throw error;
    }
    const scales = this.#block + filterEnd;
    if (packed.scales) memory.i32.set(packed.scales, scales >> 2);
    const bias = scales + scalesBytes;
    const multiplier = bias + vectorBytes;
    const negative = multiplier + vectorBytes;
    const added = negative + vectorBytes;
    memory.u8.fill(0, bias, added + vectorBytes);
    const { i32, f32 } = memory;
    if (packed.bias instanceof Int32Array) i32.set(packed.bias, bias >> 2);
    else f32.set(packed.bias, bias >> 2);
    const slopes = spec.dtype === "f32" ? spec.slopes : spec.negativeMultipliers;
    if (slopes) {
      f32.set(
        slopes.map((x) => x / packed.scale),
        negative >> 2,
      );
    }
    if (residualMultipliers) f32.set(residualMultipliers, added >> 2);
    if (spec.dtype === "s8") {
      f32.set(
        spec.multipliers.map((m) => m / packed.scale),
        multiplier >> 2,
      );
    }
    const own = spec.dtype === "f32" ? fieldsF32(spec) : fieldsS8(spec);
    this.constants = {
      ...packed.fields,
      ...own,
      filter: this.#block,
      scales: packed.scales ? scales : 0,
      bias,
      multiplier,
      negative: slopes && !own.realOutput ? negative : 0,
      negativeSums: slopes ? negative : multiplier,
      ic: spec.ic,
      oc,
      kh: spec.kh,
      kw: spec.kw,
      stride: spec.stride,
      residualMultipliers: residualMultipliers ? added : 0,
      residualBroadcast: spec.residual?.broadcast ? 1 : 0,
    };
  }

  dispose(): void {
    this.#kernels.memory.free(this.#block);
  }
}

const fieldsF32 = ({ minimum, maximum }: ConvSpecF32): Fields => ({ minimum, maximum });

function fieldsS8(spec: ConvSpecS8): Fields {
  const { inputZeroPoint, outputZeroPoint, qmin, qmax, residual, multipliers, negativeMultipliers } = spec;
  const { minimum = 0, maximum = 0 } = spec;
  const real = "minimum" in spec;
  return {
    minimum,
    maximum,
    realOutput: real ? 1 : 0,
    negativeBelow: real || negativeMultipliers?.some((n, o) => n > multipliers[o]!) ? 0 : 1,
    inputZeroPoint,
    qmax,
    magicZero: MAGIC_BITS - outputZeroPoint,
    magicMin: MAGIC_BITS - outputZeroPoint + qmin,
    residualZeroPoint: residual?.zeroPoint ?? 0,
  };
}
