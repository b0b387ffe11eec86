/**
 * Attention of one query, class attention: attention.ts would compute eight lanes for the one, from panels that nobody reads again. Here
 * keys and values are read where they lie, once, and the lanes hold four keys' scores, then channels. All sums are those of attention.ts in
 * the same order, so a query has the same bits alone and among others.
 *
 * Layout   scratch as there: in place of the scores one row of them, [keys to 4] f32, then int8 weights [keys to 4] int16; in place of the
 *          panels of queries the query [channels to 8], f32 times the scale or int16 less the zero point.
 * Scores   f32: keys in eights, channel by channel, what four keys have of four channels transposed in registers. int8: each key's sums in
 *          four lanes, as their order does not matter, and the zero point of k comes off by sum (q - zeroQ) at the end.
 * Values   f32: sixteen channels at a time, key by key; int8: keys in pairs.
 * Tails    the first key of a group of four stands in for those that are missing, and counts once. Loads reach as far as there.
 * Test     test/kernels/attention/attention.test.ts, test/kernels/attention/qs8-attention.test.ts: the oracles, and one query among others
 */
import { high_32, high_64, low_32, low_64 } from "../common/transpose";
import { multiply_accumulate } from "../common/multiply-accumulate";
import { store_f32 } from "../common/store-f32";
import { exp2, weight } from "./exp";
import { store_tile } from "./store-tile";

/** acc + what four keys, x and those s1, s2 and s3 bytes behind it, have in their next `channels` (1 to 4) channels, times q. */
@inline
function add_channels(acc: v128, x: usize, s1: usize, s2: usize, s3: usize, q: usize, channels: i32): v128 {
  const v0 = v128.load(x),
    v1 = v128.load(x + s1),
    v2 = v128.load(x + s2),
    v3 = v128.load(x + s3);
  const l01 = low_32(v0, v1),
    l23 = low_32(v2, v3);
  acc = multiply_accumulate<f32>(acc, low_64(l01, l23), v128.load32_splat(q));
  if (channels > 1) acc = multiply_accumulate<f32>(acc, high_64(l01, l23), v128.load32_splat(q, 4));
  if (channels > 2) {
    const h01 = high_32(v0, v1),
      h23 = high_32(v2, v3);
    acc = multiply_accumulate<f32>(acc, low_64(h01, h23), v128.load32_splat(q, 8));
    if (channels > 3) acc = multiply_accumulate<f32>(acc, high_64(h01, h23), v128.load32_splat(q, 12));
  }
  return acc;
}

/** The last channels of a key beyond whole groups of four. */
function add_last_channels(acc: v128, x: usize, s1: usize, s2: usize, s3: usize, q: usize, channels: i32): v128 {
  return add_channels(acc, x, s1, s2, s3, q, channels);
}

/** Scores of all keys; their maximum is that of the four lanes returned. */
function score_f32(q: usize, k: usize, stride: usize, keys: i32, channels: i32, to: usize): v128 {
  const s1 = stride,
    s2 = stride << 1,
    s3 = s1 + s2;
  const end = q + ((<usize>(channels & ~3)) << 2);
  const left = channels & 3;
  let most = f32x4.splat(-Infinity);
  for (; keys >= 8; keys -= 8, to += 32) {
    let a = i32x4.splat(0),
      b = a;
    let x = k,
      y = k + (stride << 2),
      w = q;
    k += stride << 3;
    for (; w < end; w += 16, x += 16, y += 16) {
      a = add_channels(a, x, s1, s2, s3, w, 4);
      b = add_channels(b, y, s1, s2, s3, w, 4);
    }
    if (left) {
      a = add_last_channels(a, x, s1, s2, s3, w, left);
      b = add_last_channels(b, y, s1, s2, s3, w, left);
    }
    v128.store(to, a);
    v128.store(to, b, 16);
    most = f32x4.pmax(f32x4.pmax(most, a), b);
  }
  for (; keys > 0; keys -= 4, to += 16, k += stride << 2) {
    const r1 = keys > 1 ? s1 : 0,
      r2 = keys > 2 ? s2 : 0,
      r3 = keys > 3 ? s3 : 0;
    let a = i32x4.splat(0);
    let x = k,
      w = q;
    for (; w < end; w += 16, x += 16) a = add_channels(a, x, r1, r2, r3, w, 4);
    if (left) a = add_last_channels(a, x, r1, r2, r3, w, left);
    v128.store(to, a);
    most = f32x4.pmax(most, a);
  }
  return most;
}

/** The same of int8, less zeroK times the sum of q, as f32 times `scale`. */
function score_s8(
  q: usize,
  k: usize,
  stride: usize,
  keys: i32,
  channels: i32,
  zeroK: i32,
  scale: f32,
  to: usize,
): v128 {
  const end = q + ((<usize>((channels + 7) & ~7)) << 1);
  const ones = i16x8.splat(1);
  let total = i32x4.splat(0);
  for (let w = q; w < end; w += 16) total = i32x4.add(total, i32x4.dot_i16x8_s(v128.load(w), ones));
  total = add_lanes(total);
  const offset = i32x4.mul(total, i32x4.splat(zeroK)),
    factor = f32x4.splat(scale);
  let most = f32x4.splat(-Infinity);
  for (; keys > 0; keys -= 4, to += 16, k += stride << 2) {
    let x0 = k,
      x1 = keys > 1 ? x0 + stride : x0,
      x2 = keys > 2 ? x1 + stride : x0,
      x3 = keys > 3 ? x2 + stride : x0;
    let c0 = i32x4.splat(0),
      c1 = c0,
      c2 = c0,
      c3 = c0;
    for (let w = q; w < end; w += 16) {
      const v = v128.load(w);
      c0 = i32x4.add(c0, i32x4.dot_i16x8_s(v, v128.load8x8_s(x0)));
      c1 = i32x4.add(c1, i32x4.dot_i16x8_s(v, v128.load8x8_s(x1)));
      c2 = i32x4.add(c2, i32x4.dot_i16x8_s(v, v128.load8x8_s(x2)));
      c3 = i32x4.add(c3, i32x4.dot_i16x8_s(v, v128.load8x8_s(x3)));
      x0 += 8;
      x1 += 8;
      x2 += 8;
      x3 += 8;
    }
    const l01 = low_32(c0, c1),
      l23 = low_32(c2, c3),
      h01 = high_32(c0, c1),
      h23 = high_32(c2, c3);
    const low = i32x4.add(low_64(l01, l23), high_64(l01, l23)),
      high = i32x4.add(low_64(h01, h23), high_64(h01, h23));
    const s = f32x4.mul(f32x4.convert_i32x4_s(i32x4.sub(i32x4.add(low, high), offset)), factor);
    v128.store(to, s);
    most = f32x4.pmax(most, s);
  }
  return most;
}

/** The sum of four int32 in every lane. */
@inline
function add_lanes(v: v128): v128 {
  v = i32x4.add(v, i32x4.shuffle(v, v, 2, 3, 0, 1));
  return i32x4.add(v, i32x4.shuffle(v, v, 1, 0, 3, 2));
}

/** The largest of four f32 in every lane. */
@inline
function largest_lane(v: v128): v128 {
  v = f32x4.pmax(v, i32x4.shuffle(v, v, 2, 3, 0, 1));
  return f32x4.pmax(v, i32x4.shuffle(v, v, 1, 0, 3, 2));
}

/** sum_k w[k] * v[k, c] of eight channels, or of sixteen if `wide`, over sum_k w[k]; the first `count` are stored. */
@inline
function average_f32(weights: usize, v: usize, stride: usize, keys: i32, wide: bool, to: usize, count: i32): void {
  let c0 = i32x4.splat(0),
    c1 = c0,
    c2 = c0,
    c3 = c0,
    sum = c0;
  const end = weights + ((<usize>keys) << 2);
  for (; weights < end; weights += 4, v += stride) {
    const w = v128.load32_splat(weights);
    sum = f32x4.add(sum, w);
    c0 = multiply_accumulate<f32>(c0, w, v128.load(v));
    c1 = multiply_accumulate<f32>(c1, w, v128.load(v, 16));
    if (wide) {
      c2 = multiply_accumulate<f32>(c2, w, v128.load(v, 32));
      c3 = multiply_accumulate<f32>(c3, w, v128.load(v, 48));
    }
  }
  const factor = f32x4.div(f32x4.splat(1), sum);
  store_f32(to, f32x4.mul(c0, factor), count);
  if (count > 4) store_f32(to + 16, f32x4.mul(c1, factor), count - 4);
  if (wide) {
    v128.store(to, f32x4.mul(c2, factor), 32);
    v128.store(to, f32x4.mul(c3, factor), 48);
  }
}

/** One query of one head; `scale` is to base 2. */
export function f32_single_query(
  q: usize,
  k: usize,
  v: usize,
  to: usize,
  keys: i32,
  channels: i32,
  kStride: usize,
  vStride: usize,
  scale: f32,
  scratch: usize,
  query: usize,
): void {
  const factor = f32x4.splat(scale);
  for (let c: usize = 0; c < (<usize>channels) << 2; c += 16)
    v128.store(query + c, f32x4.mul(v128.load(q + c), factor));
  const most = largest_lane(score_f32(query, k, kStride, keys, channels, scratch));
  const end = scratch + ((<usize>keys) << 2);
  for (let s = scratch; s < end; s += 16) v128.store(s, exp2(f32x4.sub(v128.load(s), most)));
  for (; channels >= 16; channels -= 16, v += 64, to += 64) average_f32(scratch, v, vStride, keys, true, to, 8);
  for (; channels > 0; channels -= 8, v += 32, to += 32) average_f32(scratch, v, vStride, keys, false, to, channels);
}

/** Eight channels of two keys in pairs, and their products with a pair of weights. */
@inline
function add_pairs(acc: v128, low: bool, a: v128, b: v128, w: v128): v128 {
  const pairs = low ? i16x8.shuffle(a, b, 0, 8, 1, 9, 2, 10, 3, 11) : i16x8.shuffle(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
  return i32x4.add(acc, i32x4.dot_i16x8_s(pairs, w));
}

/** sum_k w[k] * v[k, c] of eight channels, or of sixteen if `wide`, as int32 [8 or 16]. */
@inline
function average_s8(weights: usize, v: usize, stride: usize, keys: i32, wide: bool, to: usize): void {
  let c0 = i32x4.splat(0),
    c1 = c0,
    c2 = c0,
    c3 = c0;
  for (; keys > 0; keys -= 2, weights += 4, v += stride << 1) {
    const w = v128.load32_splat(weights);
    const next = keys > 1 ? v + stride : v;
    const a = v128.load8x8_s(v),
      b = v128.load8x8_s(next);
    c0 = add_pairs(c0, true, a, b, w);
    c1 = add_pairs(c1, false, a, b, w);
    if (wide) {
      const d = v128.load8x8_s(v, 8),
        e = v128.load8x8_s(next, 8);
      c2 = add_pairs(c2, true, d, e, w);
      c3 = add_pairs(c3, false, d, e, w);
    }
  }
  v128.store(to, c0);
  v128.store(to, c1, 16);
  if (wide) {
    v128.store(to, c2, 32);
    v128.store(to, c3, 48);
  }
}

/** The same of int8; `weights` is the table of exp.ts for these keys, `tile` and `factors` are those of attention.ts. */
export function qs8_single_query(
  q: usize,
  k: usize,
  v: usize,
  to: usize,
  keys: i32,
  channels: i32,
  kStride: usize,
  vStride: usize,
  scale: f32,
  zeroQ: i32,
  zeroK: i32,
  ratio: f32,
  term: f32,
  magicZero: i32,
  magicMin: i32,
  qmax: i32,
  scratch: usize,
  query: usize,
  tile: usize,
  factors: usize,
  weights: usize,
): void {
  const zero = i16x8.splat(<i16>zeroQ);
  for (let c = 0; c < channels; c += 8) {
    const x = i16x8.sub(v128.load8x8_s(q + <usize>c), zero);
    // Lanes that are none of this head's count nothing.
    const own = i16x8.gt_s(i16x8.splat(<i16>min(8, channels - c)), i16x8(0, 1, 2, 3, 4, 5, 6, 7));
    v128.store(query + ((<usize>c) << 1), v128.and(x, own));
  }
  const most = largest_lane(score_s8(query, k, kStride, keys, channels, zeroK, scale, scratch));
  let sum = i32x4.splat(0);
  let w = scratch;
  const left = i32x4.splat(keys),
    lanes = i32x4(0, 1, 2, 3);
  for (let n = 0; n < keys; n += 4, w += 8) {
    const own = v128.and(i32x4.splat(0xffff), i32x4.gt_s(left, i32x4.add(lanes, i32x4.splat(n))));
    const x = v128.and(weight(f32x4.sub(v128.load(scratch + ((<usize>n) << 2)), most), weights), own);
    sum = i32x4.add(sum, x);
    v128.store64_lane(w, i16x8.narrow_i32x4_s(x, x), 0);
  }
  v128.store(factors, f32x4.div(f32x4.splat(ratio), f32x4.convert_i32x4_s(add_lanes(sum))));
  while (channels > 0) {
    const wide = channels >= 16;
    if (wide) average_s8(scratch, v, vStride, keys, true, tile);
    else average_s8(scratch, v, vStride, keys, false, tile);
    store_tile<i8>(tile, 1, factors, true, to, 0, channels, term, magicZero, magicMin, qmax);
    if (wide) store_tile<i8>(tile + 32, 1, factors, true, to + 8, 0, 8, term, magicZero, magicMin, qmax);
    const step = wide ? 16 : 8;
    channels -= step;
    v += <usize>step;
    to += <usize>step;
  }
}
