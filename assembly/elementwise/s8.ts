/**
 * int8 elementwise operators, normative arithmetic in docs/quantization.md: t is f32, q = clamp(rne(t) + zeroPoint).
 *
 *   qs8_add     t = (a - za) * ma + (b - zb) * mb;  b may have one channel, broadcast over those of a
 *   qs8_prelu   t = (x - zx) * (x < zx ? negative[c] : multiplier)
 *   s8_clamp   q = min(qmax, max(qmin, x))
 *
 * Layout   NHWC without gaps. `magicZero` = MAGIC_BITS - zeroPoint, `magicMin` = magicZero + qmin (requantize.ts).
 * Aliasing the output may be one of the inputs.
 * Tails    four values at a time; loads reach at most 3 bytes (s8_clamp: 15) past an input, stores never.
 * Test     test/kernels/elementwise.test.ts
 */
import { load_residual_x4, round_to_q, select_multiplier } from "../common/requantize";

/** Narrows four quantised values to bytes, clamps above and stores the first `count` (more than 4 counts as 4). */
@inline
function store_q(to: usize, q: v128, qmax: v128, count: i32): void {
  const h = i16x8.narrow_i32x4_s(q, q);
  let bits = i32x4.extract_lane(i8x16.min_s(i8x16.narrow_i16x8_s(h, h), qmax), 0);
  if (count >= 4) {
    store<i32>(to, bits);
  } else {
    for (let i = 0; i < count; i++, bits >>= 8) store<i8>(to + i, <i8>bits);
  }
}

export function qs8_add(
  a: usize,
  b: usize,
  to: usize,
  pixels: i32,
  channels: i32,
  broadcast: i32,
  zeroA: i32,
  multiplierA: f32,
  zeroB: i32,
  multiplierB: f32,
  magicZero: i32,
  magicMin: i32,
  qmax: i32,
): void {
  const za = i32x4.splat(zeroA),
    zb = i32x4.splat(zeroB);
  const ma = f32x4.splat(multiplierA),
    mb = f32x4.splat(multiplierB);
  const zero = i32x4.splat(magicZero),
    least = i32x4.splat(magicMin),
    most = i8x16.splat(<i8>qmax);
  const rows = broadcast ? pixels : 1;
  const length = broadcast ? channels : pixels * channels;
  for (let row = 0; row < rows; row++) {
    const single = f32x4.mul(f32x4.splat(<f32>(<i32>load<i8>(b) - zeroB)), mb);
    for (let i = 0; i < length; i += 4) {
      const u = f32x4.mul(load_residual_x4(a + i, za), ma);
      const v = broadcast ? single : f32x4.mul(load_residual_x4(b + i, zb), mb);
      store_q(to + i, round_to_q(f32x4.add(u, v), least, zero), most, length - i);
    }
    a += length;
    to += length;
    b += 1;
  }
}

export function qs8_prelu(
  from: usize,
  to: usize,
  pixels: i32,
  channels: i32,
  zeroPoint: i32,
  multiplier: f32,
  negative: usize,
  magicZero: i32,
  magicMin: i32,
  qmax: i32,
): void {
  const zx = i32x4.splat(zeroPoint),
    m = f32x4.splat(multiplier);
  const zero = i32x4.splat(magicZero),
    least = i32x4.splat(magicMin),
    most = i8x16.splat(<i8>qmax);
  for (let pixel = 0; pixel < pixels; pixel++, from += channels, to += channels) {
    for (let c = 0; c < channels; c += 4) {
      const x = load_residual_x4(from + c, zx);
      const selected = select_multiplier(x, m, v128.load(negative + ((<usize>c) << 2)));
      store_q(to + c, round_to_q(f32x4.mul(x, selected), least, zero), most, channels - c);
    }
  }
}

export function s8_clamp(from: usize, to: usize, count: i32, qmin: i32, qmax: i32): void {
  const least = i8x16.splat(<i8>qmin),
    most = i8x16.splat(<i8>qmax);
  let i = 0;
  for (; i + 16 <= count; i += 16) {
    v128.store(to + i, i8x16.min_s(i8x16.max_s(v128.load(from + i), least), most));
  }
  for (; i < count; i++) store<i8>(to + i, <i8>min(max(<i32>load<i8>(from + i), qmin), qmax));
}
