/**
 * What the second binary exports (assembly/layers/): layers of classification networks. Pointers are byte offsets into the linear memory,
 * need no alignment, and row strides are bytes; tensors are NHWC without gaps, `pixels` = rows * width. Kernels may read up to 64 bytes
 * past the end of a buffer and never write past one; the contract of each stands at the head of its file.
 */
export interface LayerKernelExports {
  /** x * (min(max(x + 3, 0), 6) / 6); `to` may be `from`. hard-swish.ts */
  f32_hard_swish(from: number, to: number, count: number): void;
  /** x * Phi(x), the exact form, to 2e-7 * max(1, |x|); `to` may be `from`. gelu.ts */
  f32_gelu(from: number, to: number, count: number): void;
  /** x * scale[c] + offset[c], f32 arrays of `channels`; offset 0: none. `to` may be `from`. channel-affine.ts */
  f32_channel_affine(from: number, to: number, pixels: number, channels: number, scale: number, offset: number): void;
  /** (x - mean) / sqrt(variance + epsilon) * scale[c] + offset[c] over each pixel's channels; `to` may be `from`. layer-norm.ts */
  f32_layer_norm(
    from: number,
    to: number,
    pixels: number,
    channels: number,
    scale: number,
    offset: number,
    epsilon: number,
  ): void;
  /**
   * The same of int8, up to 65,793 channels: epsilon = channels^2 * (the layer's) / scaleIn^2, factors = scale / scaleOut, offsets =
   * offset / scaleOut, both f32 [channels], magicMin = magicZero + qmin. layer-norm-s8.ts
   */
  qs8_layer_norm(
    from: number,
    to: number,
    pixels: number,
    channels: number,
    factors: number,
    offsets: number,
    epsilon: number,
    magicZero: number,
    magicMin: number,
    qmax: number,
  ): void;
  /** Mean of each channel over the pixels, [channels]. global-average.ts */
  f32_global_average(from: number, to: number, pixels: number, channels: number): void;
  /** The same of int8: multiplier = scaleIn / (scaleOut * pixels), magicMin = magicZero + qmin. global-average.ts */
  qs8_global_average(
    from: number,
    to: number,
    pixels: number,
    channels: number,
    zeroIn: number,
    multiplier: number,
    magicZero: number,
    magicMin: number,
    qmax: number,
  ): void;
  /** Maxima over windows that are cut at the borders. `from` and `to`: where row 0 lies or would lie. max-pool.ts */
  f32_max_pool: MaxPool;
  s8_max_pool: MaxPool;
  /**
   * Every stride-th pixel between `before` channels of `zero` (bits of an element) ahead and the rest behind; rows and columns are the
   * output's. Elements of 32 bits or 8. subsample.ts
   */
  x32_subsample: Subsample;
  x8_subsample: Subsample;
  /** table[x + 128]: 256 int8, or with perChannel = 1 as many for each channel. `to` may be `from`. table.ts */
  s8_table(from: number, to: number, pixels: number, channels: number, tables: number, perChannel: number): void;
}

type MaxPool = (
  from: number,
  to: number,
  ih: number,
  iw: number,
  channels: number,
  kh: number,
  kw: number,
  stride: number,
  padTop: number,
  padLeft: number,
  rowBegin: number,
  rowEnd: number,
  ow: number,
  fromRowStride: number,
  toRowStride: number,
) => void;

type Subsample = (
  from: number,
  to: number,
  rows: number,
  columns: number,
  stride: number,
  inChannels: number,
  outChannels: number,
  before: number,
  fromRowStride: number,
  toRowStride: number,
  zero: number,
) => void;
