/**
 * Every stride-th pixel with channels of zeros around its own: the parameter-free shortcut (option A) of "Deep Residual Learning for Image
 * Recognition", arXiv 1512.03385, sections 3.3 and 4.2. Elements of 32 bits (x32_subsample) or 8 (x8_subsample).
 *
 *   y[oy, ox, before + c] = x[oy*stride, ox*stride, c], c < inChannels;  the other outChannels are `zero`, as bits
 *
 * Layout   NHWC; to rows x columns x outChannels; row strides in bytes.
 * Aliasing none. Alignment none required.
 * Tails    nothing is read or written outside.
 * Test     test/kernels/layers/pooling.test.ts
 */
import { copy } from "../image/runs";

/** Fills `bytes` bytes, a multiple of the element, with a pattern of four bytes. */
@inline
function fill(to: usize, bytes: usize, pattern: v128): void {
  for (; bytes >= 16; bytes -= 16, to += 16) v128.store(to, pattern);
  for (; bytes >= 4; bytes -= 4, to += 4) v128.store32_lane(to, pattern, 0);
  for (; bytes; bytes--, to++) v128.store8_lane(to, pattern, 0);
}


@inline
function subsample<T>(
  from: usize,
  to: usize,
  rows: i32,
  columns: i32,
  stride: i32,
  inChannels: i32,
  outChannels: i32,
  before: i32,
  fromRowStride: i32,
  toRowStride: i32,
  zero: v128,
): void {
  assert(before >= 0 && before + inChannels <= outChannels, "channels: expected before + inChannels <= outChannels");
  const own = <usize>inChannels * sizeof<T>(),
    first = <usize>before * sizeof<T>(),
    last = <usize>(outChannels - inChannels - before) * sizeof<T>();
  const step = own * <usize>stride;
  for (let y = 0; y < rows; y++, from += <usize>(stride * fromRowStride), to += <usize>toRowStride) {
    let p = from,
      out = to;
    for (let x = 0; x < columns; x++, p += step) {
      fill(out, first, zero);
      out += first;
      copy(p, out, own);
      out += own;
      fill(out, last, zero);
      out += last;
    }
  }
}

export function x32_subsample(
  from: usize,
  to: usize,
  rows: i32,
  columns: i32,
  stride: i32,
  inChannels: i32,
  outChannels: i32,
  before: i32,
  fromRowStride: i32,
  toRowStride: i32,
  zero: i32,
): void {
  subsample<i32>(
    from,
    to,
    rows,
    columns,
    stride,
    inChannels,
    outChannels,
    before,
    fromRowStride,
    toRowStride,
    i32x4.splat(zero),
  );
}

export function x8_subsample(
  from: usize,
  to: usize,
  rows: i32,
  columns: i32,
  stride: i32,
  inChannels: i32,
  outChannels: i32,
  before: i32,
  fromRowStride: i32,
  toRowStride: i32,
  zero: i32,
): void {
  subsample<i8>(
    from,
    to,
    rows,
    columns,
    stride,
    inChannels,
    outChannels,
    before,
    fromRowStride,
    toRowStride,
    i8x16.splat(<i8>zero),
  );
}
