/**
 * Softmax down the eight columns of a block of scores [rows][8], whose lanes are as many rows of the map: no sums across lanes, no tails.
 * Scores are logarithms to base 2, and factors[lane] is their maximum at first. What the columns sum to is left to divide the results of the second product by, which is n / d times
 * less work, and for int8 keeps the weights' full range whatever the number of rows.
 *
 *   f32     s = 2^(s - max) in place, factors[lane] = 1 / sum
 *   int8    w = rne(255 * 2^(s - max)), pairs of rows in place of the first half of the scores, int16 [pairs][8][2], an odd last row being
 *           met by 0; factors[lane] = f32(ratio / sum), the sum of the int16 exact for up to 65,793 rows
 */
import { exp2, weight } from "./exp";

/** factors[lane] = max of s. */
export function largest(scores: usize, rows: i32, factors: usize): void {
  const end = scores + ((<usize>rows) << 5);
  let m0 = v128.load(scores),
    m1 = v128.load(scores, 16);
  for (scores += 32; scores < end; scores += 32) {
    m0 = f32x4.pmax(m0, v128.load(scores));
    m1 = f32x4.pmax(m1, v128.load(scores, 16));
  }
  v128.store(factors, m0);
  v128.store(factors, m1, 16);
}

export function soften_f32(scores: usize, rows: i32, factors: usize): void {
  const end = scores + ((<usize>rows) << 5);
  const m0 = v128.load(factors),
    m1 = v128.load(factors, 16);
  let s0 = f32x4.splat(0),
    s1 = s0;
  for (let s = scores; s < end; s += 32) {
    const e0 = exp2(f32x4.sub(v128.load(s), m0)),
      e1 = exp2(f32x4.sub(v128.load(s, 16), m1));
    v128.store(s, e0);
    v128.store(s, e1, 16);
    s0 = f32x4.add(s0, e0);
    s1 = f32x4.add(s1, e1);
  }
  const one = f32x4.splat(1);
  v128.store(factors, f32x4.div(one, s0));
  v128.store(factors, f32x4.div(one, s1), 16);
}

/** Two rows of weights of four lanes as pairs of int16. */
@inline
function pair(first: v128, second: v128): v128 {
  return v128.or(v128.and(first, i32x4.splat(0xffff)), i32x4.shl(second, 16));
}

export function soften_s8(scores: usize, rows: i32, factors: usize, ratio: f32): void {
  const end = scores + ((<usize>rows) << 5);
  const m0 = v128.load(factors),
    m1 = v128.load(factors, 16);
  const ones = i16x8.splat(1);
  let s0 = i32x4.splat(0),
    s1 = s0;
  let to = scores;
  for (let s = scores; s < end; s += 64, to += 32) {
    const a0 = weight(f32x4.sub(v128.load(s), m0)),
      a1 = weight(f32x4.sub(v128.load(s, 16), m1));
    let b0 = i32x4.splat(0),
      b1 = b0;
    if (s + 32 < end) {
      b0 = weight(f32x4.sub(v128.load(s, 32), m0));
      b1 = weight(f32x4.sub(v128.load(s, 48), m1));
    }
    const p0 = pair(a0, b0),
      p1 = pair(a1, b1);
    v128.store(to, p0);
    v128.store(to, p1, 16);
    s0 = i32x4.add(s0, i32x4.dot_i16x8_s(p0, ones));
    s1 = i32x4.add(s1, i32x4.dot_i16x8_s(p1, ones));
  }
  const r = f32x4.splat(ratio);
  v128.store(factors, f32x4.div(r, f32x4.convert_i32x4_s(s0)));
  v128.store(factors, f32x4.div(r, f32x4.convert_i32x4_s(s1)), 16);
}

/**
 * Scores, int32 or f32, times a factor a lane, then (unless 0) a factor a row, as f32; the factors of the lanes give way to the maxima. One
 * rounding each, that of the conversion included.
 */
export function scale_scores<T>(scores: usize, rows: i32, factors: usize, rowFactors: usize): void {
  const f0 = v128.load(factors),
    f1 = v128.load(factors, 16);
  let m0 = f32x4.splat(-Infinity),
    m1 = m0;
  const end = scores + ((<usize>rows) << 5);
  for (; scores < end; scores += 32) {
    let a = v128.load(scores),
      b = v128.load(scores, 16);
    if (!isFloat<T>()) {
      a = f32x4.convert_i32x4_s(a);
      b = f32x4.convert_i32x4_s(b);
    }
    a = f32x4.mul(a, f0);
    b = f32x4.mul(b, f1);
    if (rowFactors) {
      const r = v128.load32_splat(rowFactors);
      a = f32x4.mul(a, r);
      b = f32x4.mul(b, r);
      rowFactors += 4;
    }
    v128.store(scores, a);
    v128.store(scores, b, 16);
    m0 = f32x4.pmax(m0, a);
    m1 = f32x4.pmax(m1, b);
  }
  v128.store(factors, m0);
  v128.store(factors, m1, 16);
}
