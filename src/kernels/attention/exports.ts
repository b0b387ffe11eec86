/**
 * What the third binary exports (assembly/attention/): attention of vision transformers. Pointers are byte offsets into the linear memory,
 * strides bytes between tokens (or rows); neither needs an alignment, but for `scratch`, whose size scratch.ts has (16 bytes). Kernels may
 * read up to 64 bytes past the end of a buffer and never write past one; the contract of each stands at the head of its file.
 */
export interface AttentionKernelExports {
  /** e^(x - maximum) / sum, row by row; `to` may be `from`. softmax.ts */
  f32_softmax(from: number, to: number, rows: number, columns: number, rowStride: number): void;
  /** a + b * gamma[c], f32, gamma of `channels`; `to` may be either input. add-scaled.ts */
  f32_add_scaled(a: number, b: number, to: number, pixels: number, channels: number, gamma: number): void;
  /** x / max(norm, epsilon), the norm of each channel along the tokens; `to` may be `from`, with the same stride. l2.ts */
  f32_l2(
    from: number,
    to: number,
    tokens: number,
    channels: number,
    fromStride: number,
    toStride: number,
    epsilon: number,
  ): void;
  /**
   * softmax(scale * Q K^T) V for each head, head j's channels at j * headChannels of every token. q, k and v may be slices of one buffer or
   * the same; `to` none of them. attention.ts
   */
  f32_attention(
    q: number,
    k: number,
    v: number,
    to: number,
    queries: number,
    keys: number,
    heads: number,
    headChannels: number,
    qStride: number,
    kStride: number,
    vStride: number,
    toStride: number,
    scale: number,
    scratch: number,
  ): void;
  /**
   * The same of int8: scale = scaleQ * scaleK * what f32 takes, ratio = scaleV / scaleOut, magicZero = MAGIC_BITS - zeroPoint, magicMin =
   * magicZero + qmin. Up to 65,793 keys and 33,025 channels a head. attention.ts
   */
  qs8_attention(
    q: number,
    k: number,
    v: number,
    to: number,
    queries: number,
    keys: number,
    heads: number,
    headChannels: number,
    qStride: number,
    kStride: number,
    vStride: number,
    toStride: number,
    scale: number,
    zeroQ: number,
    zeroK: number,
    zeroV: number,
    ratio: number,
    magicZero: number,
    magicMin: number,
    qmax: number,
    scratch: number,
  ): void;
  /** Cross-covariance attention; `temperatures` f32 [heads], factors of the scores. xca.ts */
  f32_xca(
    q: number,
    k: number,
    v: number,
    to: number,
    tokens: number,
    heads: number,
    headChannels: number,
    qStride: number,
    kStride: number,
    vStride: number,
    toStride: number,
    temperatures: number,
    scratch: number,
  ): void;
  /** The same of int8: the scales of q and k do not matter. Tokens: `mostXcaTokens` (attention-limits.ts). xca.ts */
  qs8_xca(
    q: number,
    k: number,
    v: number,
    to: number,
    tokens: number,
    heads: number,
    headChannels: number,
    qStride: number,
    kStride: number,
    vStride: number,
    toStride: number,
    temperatures: number,
    zeroQ: number,
    zeroK: number,
    zeroV: number,
    ratio: number,
    magicZero: number,
    magicMin: number,
    qmax: number,
    scratch: number,
  ): void;
  /**
   * x[pivots] + W x[others], group by group of `own` outputs; `channels` and `filter` as pivots.ts packs them, `to` not `from`.
   * pivot-projection.ts
   */
  f32_pivot_projection(
    from: number,
    to: number,
    pixels: number,
    inputs: number,
    groups: number,
    own: number,
    channels: number,
    filter: number,
    scratch: number,
  ): void;
}
