/**
 * Maximum over kh x kw windows, f32 (f32_max_pool) and int8 (s8_max_pool, whose scale and zero point are the input's).
 *
 *   y[oy, ox, c] = max of x[oy*stride + u - padTop, ox*stride + v - padLeft, c] over u < kh, v < kw inside the input
 *
 * Padding never wins, as windows are cut at the borders; one that lies outside altogether gives the least value, -infinity or -128.
 * A NaN in the window wins; which of 0 and -0 wins is left open.
 *
 * Layout   NHWC, ih x iw x channels; row strides in bytes. `from` and `to` are where row 0 lies or would lie: output rows
 *          [rowBegin, rowEnd) are written and the rows that they need are read, no others, and addresses wrap modulo 2^32.
 * Tile     a window at a time, 4 (f32) or 16 (int8) channels.
 * Aliasing none.
 * Tails    loads reach at most 12 (f32) or 15 (int8) bytes past the input, stores never.
 * Test     test/kernels/layers/pooling.test.ts
 */
import { store_f32 } from "../common/store-f32";
import { store_s8 } from "../common/store-s8";

/**
 * One window for a vector of channels: `rows` x `columns` pixels from `at` on, all inside the input. f32: where there was a NaN is noted
 * apart, as f32x4.max is a chain of instructions on x86, and f32x4.pmax is one (3x3 windows: 8.9 against 2.5 ns a result, Node 20, Zen 4).
 */
@inline
function largest<T>(at: usize, rows: i32, columns: i32, rowStride: usize, step: usize): v128 {
  let result = sizeof<T>() == 4 ? f32x4.splat(-Infinity) : i8x16.splat(-128);
  let nan = i32x4.splat(0);
  for (let u = 0; u < rows; u++, at += rowStride) {
    let p = at;
    for (let v = 0; v < columns; v++, p += step) {
      const x = v128.load(p);
      if (sizeof<T>() == 4) {
        result = f32x4.pmax(result, x);
        nan = v128.or(nan, f32x4.ne(x, x));
      } else {
        result = i8x16.max_s(result, x);
      }
    }
  }
  return sizeof<T>() == 4 ? v128.or(result, nan) : result;
}


@inline
function max_pool<T>(
  from: usize,
  to: usize,
  ih: i32,
  iw: i32,
  channels: i32,
  kh: i32,
  kw: i32,
  stride: i32,
  padTop: i32,
  padLeft: i32,
  rowBegin: i32,
  rowEnd: i32,
  ow: i32,
  fromRowStride: i32,
  toRowStride: i32,
): void {
  assert(kh > 0 && kw > 0 && stride > 0, "window: expected positive sizes and stride");
  const lanes = 16 / <i32>sizeof<T>();
  const step = <usize>channels * sizeof<T>();
  for (let oy = rowBegin; oy < rowEnd; oy++) {
    const y = oy * stride - padTop;
    const top = max(y, 0);
    const rows = min(y + kh, ih) - top;
    const row = from + <usize>(top * fromRowStride);
    let out = to + <usize>(oy * toRowStride);
    for (let ox = 0; ox < ow; ox++, out += step) {
      const x = ox * stride - padLeft;
      const left = max(x, 0);
      const columns = min(x + kw, iw) - left;
      const window = row + <usize>left * step;
      for (let c = 0; c < channels; c += lanes) {
        const at = <usize>c * sizeof<T>();
        const result = largest<T>(window + at, rows, columns, <usize>fromRowStride, step);
        if (sizeof<T>() == 4) store_f32(out + at, result, channels - c);
        else store_s8(out + at, result, channels - c);
      }
    }
  }
}

export function f32_max_pool(
  from: usize,
  to: usize,
  ih: i32,
  iw: i32,
  channels: i32,
  kh: i32,
  kw: i32,
  stride: i32,
  padTop: i32,
  padLeft: i32,
  rowBegin: i32,
  rowEnd: i32,
  ow: i32,
  fromRowStride: i32,
  toRowStride: i32,
): void {
  max_pool<f32>(
    from,
    to,
    ih,
    iw,
    channels,
    kh,
    kw,
    stride,
    padTop,
    padLeft,
    rowBegin,
    rowEnd,
    ow,
    fromRowStride,
    toRowStride,
  );
}

export function s8_max_pool(
  from: usize,
  to: usize,
  ih: i32,
  iw: i32,
  channels: i32,
  kh: i32,
  kw: i32,
  stride: i32,
  padTop: i32,
  padLeft: i32,
  rowBegin: i32,
  rowEnd: i32,
  ow: i32,
  fromRowStride: i32,
  toRowStride: i32,
): void {
  max_pool<i8>(
    from,
    to,
    ih,
    iw,
    channels,
    kh,
    kw,
    stride,
    padTop,
    padLeft,
    rowBegin,
    rowEnd,
    ow,
    fromRowStride,
    toRowStride,
  );
}
