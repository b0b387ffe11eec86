/**
 * The descriptor of one convolution, written by TypeScript (src/kernels/convolution/params.ts holds the same offsets; a test compares them)
 * and read by every convolution kernel. All fields are 4 bytes. Pointers and strides are bytes; the rest are elements. `input`, `output` and
 * `residual` are where row 0 lies or would lie: of a tensor that is held in part, rows that are not there are not touched, and the sums of
 * pointers and strides wrap modulo 2^32.
 */
@unmanaged
export class ConvParams {
  input: usize; //          IFM, NHWC, ih x iw x ic
  output: usize; //         OFM, NHWC, oh x ow x oc
  filter: usize; //         packed filter; the layout is the kernel's own
  bias: usize; //           i32 (f32 in f32 kernels) per output channel, padded to a multiple of 8
  multiplier: usize; //     f32 per output channel, padded to a multiple of 8 (int8: requantisation; f32: unused)
  negative: usize; //       f32 per output channel: multiplier (f32: slope) of negative values, or 0 for none
  residual: usize; //       tensor added after the activation, same type as the output but for byteResidualRowStride
  scratch: usize; //        working memory of the kernel; the TypeScript side knows its size
  inputRowStride: i32;
  outputRowStride: i32;
  residualRowStride: i32; // 0: there is no residual
  ih: i32;
  iw: i32;
  ic: i32;
  ow: i32;
  oc: i32;
  kh: i32;
  kw: i32;
  stride: i32;
  padTop: i32;
  padLeft: i32;
  rowBegin: i32; //         output rows [rowBegin, rowEnd) are computed
  rowEnd: i32;
  inputZeroPoint: i32;
  qmax: i32; //             int8: upper clamp after the zero point is added
  residualZeroPoint: i32;
  residualMultipliers: usize; // f32 per output channel, padded to a multiple of 8; f32 residuals: 0 for none
  residualBroadcast: i32; // 1: the residual has one channel, added to every output channel; 0: oc channels
  negativeBelow: i32; //    int8: 1 if no multiplier of negative values exceeds that of positive ones, or there are none; 0 if realOutput
  realOutput: i32; //       int8: 1: sums are scaled and go on as in f32 kernels, `negative` 0; 0: requantisation
  negativeSums: usize; //   realOutput: f32 per output channel, multiplier of negative sums; the same as `multiplier` for none
  byteResidualRowStride: i32; // realOutput: of a residual of int8, and residualRowStride is 0; 0: there is none
  magicZero: i32; //        int8: MAGIC_BITS - outputZeroPoint, see requantize.ts
  magicMin: i32; //         int8: MAGIC_BITS - outputZeroPoint + qmin
  minimum: f32; //          f32 kernels and real outputs: clamp of the result
  maximum: f32;
  scratchRowStride: i32; // bytes between rows of the line buffer, panels (1x1) or strips (depthwise)
  tileColumns: i32; //      depthwise kernels: output columns per strip, a multiple of 4
  // Winograd kernels; pointers into the kernel's scratch but for `scales`
  resultShift: i32; //      results are 2^resultShift times the convolution
  blockChannels: i32; //    input channels per block: a multiple of 8, or all of ic
  blockFilterBytes: i32; // bytes of packed filter per block
  narrowFilter: i32; //     1: the packed filter is int8, 0: int16 or f32
  scales: usize; //         int32 [oc/8][planes][8], powers of two that scaled filters are multiplied by; 0 for exact ones
  planeTiles: usize; //     transformed input [planes][tiles][channels rounded up to a vector] int16 or f32
  planeTilesStride: i32; // bytes between its planes
  products: usize; //       [planes][tiles][8] int32 or f32, planes STRIDE bytes apart
  workspace: usize; //      vectors of both transforms, as the algorithm needs
  patch: usize; //          n x n x ic input values, for tiles that touch a border
  sums: usize; //           [tiles][m x m][oc rounded up to 8] int32, where sums are taken in blocks; else 0
}

/** A 4-byte field of the descriptor in every lane: one instruction, where a load and a splat are three. */
@inline
export function splat_magic_min(p: ConvParams): v128 {
  return v128.load32_splat(changetype<usize>(p), offsetof<ConvParams>("magicMin"));
}


@inline
export function splat_magic_zero(p: ConvParams): v128 {
  return v128.load32_splat(changetype<usize>(p), offsetof<ConvParams>("magicZero"));
}


@inline
export function splat_qmax(p: ConvParams): v128 {
  return v128.load8_splat(changetype<usize>(p), offsetof<ConvParams>("qmax"));
}


@inline
export function splat_minimum(p: ConvParams): v128 {
  return v128.load32_splat(changetype<usize>(p), offsetof<ConvParams>("minimum"));
}


@inline
export function splat_maximum(p: ConvParams): v128 {
  return v128.load32_splat(changetype<usize>(p), offsetof<ConvParams>("maximum"));
}

/** What every convolution kernel presumes; checked in the debug build only, where a failure aborts with its message. */
@inline
export function assert_geometry(p: ConvParams): void {
  assert(p.ih > 0 && p.iw > 0 && p.ic > 0 && p.ow > 0 && p.oc > 0, "shape: expected positive sizes");
  assert(p.kh > 0 && p.kw > 0 && p.stride > 0, "kernel: expected positive sizes and stride");
  assert(p.rowBegin >= 0 && p.rowBegin <= p.rowEnd, "rows: expected 0 <= rowBegin <= rowEnd");
  assert(p.input != p.output, "output: may not be the input");
}
