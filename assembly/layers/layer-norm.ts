/**
 * f32_layer_norm     y = (x - mean) / sqrt(variance + epsilon) * scale[c] + offset[c], over the channels of each pixel
 *
 * The variance is the biased one (a mean of squares). Two passes, corrected: the first gives a mean m as rounded sums have it, the second
 * sums d = x - m and d^2. The mean of d is what m is off by, so
 *
 *   variance = mean(d^2) - mean(d)^2        y = ((d - mean(d)) * (1 / sqrt(variance + epsilon))) * scale[c] + offset[c]
 *
 * and a mean that is large beside the spread costs no precision: d is exact, or as good as.
 *
 * Bounds   with u = 2^-24, n = channels / 8 + 6, s = sqrt(variance + epsilon), D the mean of |d| and z = |x - mean| / s
 *          |y - exact| <= u * (|scale| * (2 * n * D / s + (n + 12) * z) + 2 * |y| + |offset|)   to first order in u, as long as the spread
 *          is not lost below the rounding of the mean: n * u * |mean| < s. Values of 2^63 and more overflow their squares; a pixel with a
 *          NaN or an infinity becomes NaN.
 * Layout   NHWC without gaps.
 * Tile     two vectors of sums, so that additions need not wait for the one before.
 * Aliasing the output may be the input.
 * Tails    the lanes of a last vector that are beyond the channels count as zero; loads reach at most 28 bytes past the input, 12 past
 *          `scale` and `offset`, stores never past the output.
 * Test     test/kernels/layers/normalisation.test.ts
 */
import { store_f32 } from "../common/store-f32";

/** All ones in the first `count` lanes. */
@inline
function first_lanes(count: i32): v128 {
  return i32x4.gt_s(i32x4.splat(count), i32x4(0, 1, 2, 3));
}


@inline
function horizontal_sum(a: v128, b: v128): f32 {
  const v = f32x4.add(a, b);
  const pair = f32x4.add(v, i32x4.shuffle(v, v, 2, 3, 0, 1));
  return f32x4.extract_lane(pair, 0) + f32x4.extract_lane(pair, 1);
}

export function f32_layer_norm(
  from: usize,
  to: usize,
  pixels: i32,
  channels: i32,
  scale: usize,
  offset: usize,
  epsilon: f32,
): void {
  const step = (<usize>channels) << 2;
  const whole = channels & ~7;
  const wholeBytes = (<usize>whole) << 2;
  const lowMask = first_lanes(channels - whole),
    highMask = first_lanes(channels - whole - 4);
  const size = <f32>channels;
  for (let pixel = 0; pixel < pixels; pixel++, from += step, to += step) {
    const end = from + wholeBytes;
    let a = f32x4.splat(0),
      b = f32x4.splat(0);
    for (let p = from; p < end; p += 32) {
      a = f32x4.add(a, v128.load(p));
      b = f32x4.add(b, v128.load(p, 16));
    }
    a = f32x4.add(a, v128.and(v128.load(end), lowMask));
    b = f32x4.add(b, v128.and(v128.load(end, 16), highMask));
    const mean = f32x4.splat(horizontal_sum(a, b) / size);

    // Sums of d in a and b, of d^2 in a2 and b2.
    let da = v128.and(f32x4.sub(v128.load(end), mean), lowMask),
      db = v128.and(f32x4.sub(v128.load(end, 16), mean), highMask);
    a = da;
    b = db;
    let a2 = f32x4.mul(da, da),
      b2 = f32x4.mul(db, db);
    for (let p = from; p < end; p += 32) {
      da = f32x4.sub(v128.load(p), mean);
      db = f32x4.sub(v128.load(p, 16), mean);
      a = f32x4.add(a, da);
      b = f32x4.add(b, db);
      a2 = f32x4.add(a2, f32x4.mul(da, da));
      b2 = f32x4.add(b2, f32x4.mul(db, db));
    }
    const left = horizontal_sum(a, b) / size;
    const variance = max<f32>(horizontal_sum(a2, b2) / size - left * left, 0);
    const inverse = f32x4.splat(1 / sqrt<f32>(variance + epsilon)),
      shift = f32x4.splat(left);
    for (let c = 0; c < channels; c += 4) {
      const at = (<usize>c) << 2;
      const d = f32x4.sub(f32x4.sub(v128.load(from + at), mean), shift);
      const y = f32x4.mul(f32x4.mul(d, inverse), v128.load(scale + at));
      store_f32(to + at, f32x4.add(y, v128.load(offset + at)), channels - c);
    }
  }
}
