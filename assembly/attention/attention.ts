/**
 * Softmax attention of `heads` heads ("Attention Is All You Need", arXiv 1706.03762, section 3.2), f32 and int8. For every head and query i
 *
 *   s[k] = scale * sum_c q[i, c] * k[k, c]      p = softmax(s)      to[i, c] = sum_k p[k] * v[k, c]
 *
 * Head j's channels lie at j * headChannels of every token, tokens `...Stride` bytes apart: q, k and v may be slices of one buffer, or the
 * same. One query is class attention, which single-query.ts computes, to the same bits.
 *
 * Eight queries at a time: their scores against all keys, softmax, and the second product, so that of the keys x queries map no more
 * than eight rows are ever stored. Scores lie [key][8 queries]: what the first product leaves in its lanes is what the second broadcasts,
 * and softmax runs down the lanes.
 *
 * f32      scores to base 2: q is multiplied by f32(scale * log2 e) once, ahead of the product. One rounding a product and one a sum,
 *          channel by channel and key by key; results are multiplied by f32(1 / sum).
 *          A query with a NaN or infinite score (-infinity excepted, whose weight is 0) becomes NaN.
 * int8     all bits are given by this arithmetic, f32(...) a rounding to binary32, rne(...) to an integer, halves to even:
 *            S = sum_c (q - zeroQ) * (k - zeroK)                                              int32, exact
 *            s = f32(f32(S) * f32(scale * f32(log2 e))),   m = max of s over the keys
 *            w = weight(f32(s - m)), integers 0..peak                                         exp.ts
 *            acc = sum_k w[k] * v[k, c]  (v with its zero point),  sum = sum_k w[k]           int32, exact
 *            t = f32(f32(f32(acc) * f32(ratio / f32(sum))) + f32(-zeroV * ratio))             ratio = f32(scaleV / scaleOut)
 *            to = min(qmax, max(qmin, rne(t) + zeroPoint))
 *          with scale = scaleQ * scaleK / sqrt(headChannels) or what stands in for it. Weights are relative to the largest of their row:
 *          their sum divides the result, so rows add up to 1 whatever the rounding, and even attention to many tokens keeps all bits,
 *          where probabilities in steps of 1/255 would round to 0 or 1. They are as wide as the product, which takes int16 at no cost:
 *          in eight bits, weights below 1/510 of the largest would vanish, and hundreds of them can be most of a row.
 * Bounds   int8: headChannels up to 33,025 (|S| < 2^31), keys up to 65,793, where the peak is 255 (|acc| <= keys * peak * 128 < 2^31, so
 *          that sum < 2^24).
 * Layout   scratch, in this order, 16 bytes aligned: scores [keys to 4][8], a tile [8][8], 8 factors and the table of weights, all 4 bytes an element; the block
 *          of queries and the head's keys in panels of 8 and 4 tokens, the head's values in panels of 8 channels (panels.ts).
 *          src/kernels/attention/scratch.ts has its size.
 * Aliasing q, k and v freely; `to` none of them.
 * Tails    keys: the last stands in for those that are missing to a group of four, and softmax leaves them out. Loads reach at most 28 bytes
 *          (int8: 7) past q, k and v, stores never past the output.
 * Test     test/kernels/attention/attention.test.ts, test/kernels/attention/qs8-attention.test.ts
 */
import { largest, scale_scores, soften_f32, soften_s8 } from "./columns";
import { copy_columns, transpose_rows } from "./panels";
import { prepare_weights, WEIGHT_TABLE } from "./exp";
import { product_4x8 } from "./product-4x8";
import { f32_single_query, qs8_single_query } from "./single-query";
import { store_tile } from "./store-tile";

export const LOG2_E: f32 = 1.44269504;


@inline
function attention<T>(
  q: usize,
  k: usize,
  v: usize,
  to: usize,
  queries: i32,
  keys: i32,
  heads: i32,
  headChannels: i32,
  qStride: usize,
  kStride: usize,
  vStride: usize,
  toStride: usize,
  scale: f32,
  zeroQ: i32,
  zeroK: i32,
  zeroV: i32,
  ratio: f32,
  magicZero: i32,
  magicMin: i32,
  qmax: i32,
  scratch: usize,
): void {
  assert(queries >= 0 && keys > 0 && headChannels > 0, "sizes: expected at least one key and one channel");
  const bytes: usize = isFloat<T>() ? 4 : 1;
  const channelSteps = isFloat<T>() ? headChannels : (headChannels + 1) >> 1,
    keySteps = isFloat<T>() ? keys : (keys + 1) >> 1;
  const groups = (keys + 3) >> 2;
  const keyPanel = ((<usize>channelSteps + 3) & ~3) << 4,
    valuePanel = (<usize>keySteps) << 5;
  const tile = scratch + ((<usize>groups) << 7),
    factors = tile + 256,
    weights = factors + 32,
    queryPanel = weights + WEIGHT_TABLE,
    keyPanels = queryPanel + (keyPanel << 1),
    valuePanels = keyPanels + <usize>groups * keyPanel;
  const logarithmic = scale * LOG2_E;
  const adjustQ = isFloat<T>() ? f32x4.splat(logarithmic) : i16x8.splat(<i16>zeroQ),
    adjustK = isFloat<T>() ? f32x4.splat(1) : i16x8.splat(<i16>zeroK);
  const term = <f32>-zeroV * ratio;
  const headBytes = <usize>headChannels * bytes;
  if (!isFloat<T>()) prepare_weights(keys, weights);
  for (let head = 0; head < heads; head++, q += headBytes, k += headBytes, v += headBytes, to += headBytes) {
    if (queries == 1) {
      if (isFloat<T>()) {
        f32_single_query(q, k, v, to, keys, headChannels, kStride, vStride, logarithmic, scratch, queryPanel);
      } else {
        qs8_single_query(
          q,
          k,
          v,
          to,
          keys,
          headChannels,
          kStride,
          vStride,
          logarithmic,
          zeroQ,
          zeroK,
          ratio,
          term,
          magicZero,
          magicMin,
          qmax,
          scratch,
          queryPanel,
          tile,
          factors,
          weights,
        );
      }
      continue;
    }
    for (let n = 0; n < keys; n += 4) {
      const panel = keyPanels + <usize>(n >> 2) * keyPanel;
      transpose_rows<T>(k + <usize>n * kStride, kStride, min(4, keys - n), headChannels, adjustK, panel, 16);
    }
    for (let c = 0; c < headChannels; c += 8) {
      const panel = valuePanels + <usize>(c >> 3) * valuePanel;
      copy_columns<T>(v + <usize>c * bytes, vStride, keys, true, i32x4.splat(0), panel);
    }
    for (let i = 0; i < queries; i += 8) {
      const rows = min(8, queries - i);
      const first = q + <usize>i * qStride;
      transpose_rows<T>(first, qStride, min(4, rows), headChannels, adjustQ, queryPanel, 32);
      // The lanes of four queries that are not there repeat the others.
      const more = rows > 4;
      const second = more ? first + (qStride << 2) : first;
      transpose_rows<T>(second, qStride, more ? rows - 4 : rows, headChannels, adjustQ, queryPanel + 16, 32);
      if (!isFloat<T>() && headChannels & 1) {
        // The second channel of the last pair is none of this head's.
        const last = queryPanel + ((<usize>channelSteps) << 5) - 32,
          low = i32x4.splat(0xffff);
        v128.store(last, v128.and(v128.load(last), low));
        v128.store(last, v128.and(v128.load(last, 16), low), 16);
      }
      if (isFloat<T>()) {
        product_4x8<f32>(keyPanels, keyPanel, 16, groups, queryPanel, channelSteps, scratch);
        largest(scratch, keys, factors);
        soften_f32(scratch, keys, factors);
      } else {
        product_4x8<i16>(keyPanels, keyPanel, 16, groups, queryPanel, channelSteps, scratch);
        const f = f32x4.splat(logarithmic);
        v128.store(factors, f);
        v128.store(factors, f, 16);
        scale_scores<i32>(scratch, keys, factors, 0);
        soften_s8(scratch, keys, factors, weights, ratio);
      }
      const out = to + <usize>i * toStride;
      for (let c = 0; c < headChannels; c += 8) {
        const panel = valuePanels + <usize>(c >> 3) * valuePanel;
        if (isFloat<T>()) product_4x8<f32>(scratch, 16, 32, more ? 2 : 1, panel, keySteps, tile);
        else product_4x8<i16>(scratch, 16, 32, more ? 2 : 1, panel, keySteps, tile);
        store_tile<T>(
          tile,
          rows,
          factors,
          true,
          out + <usize>c * bytes,
          toStride,
          headChannels - c,
          term,
          magicZero,
          magicMin,
          qmax,
        );
      }
    }
  }
}

export function f32_attention(
  q: usize,
  k: usize,
  v: usize,
  to: usize,
  queries: i32,
  keys: i32,
  heads: i32,
  headChannels: i32,
  qStride: usize,
  kStride: usize,
  vStride: usize,
  toStride: usize,
  scale: f32,
  scratch: usize,
): void {
  attention<f32>(
    q,
    k,
    v,
    to,
    queries,
    keys,
    heads,
    headChannels,
    qStride,
    kStride,
    vStride,
    toStride,
    scale,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    scratch,
  );
}

export function qs8_attention(
  q: usize,
  k: usize,
  v: usize,
  to: usize,
  queries: i32,
  keys: i32,
  heads: i32,
  headChannels: i32,
  qStride: usize,
  kStride: usize,
  vStride: usize,
  toStride: usize,
  scale: f32,
  zeroQ: i32,
  zeroK: i32,
  zeroV: i32,
  ratio: f32,
  magicZero: i32,
  magicMin: i32,
  qmax: i32,
  scratch: usize,
): void {
  attention<i8>(
    q,
    k,
    v,
    to,
    queries,
    keys,
    heads,
    headChannels,
    qStride,
    kStride,
    vStride,
    toStride,
    scale,
    zeroQ,
    zeroK,
    zeroV,
    ratio,
    magicZero,
    magicMin,
    qmax,
    scratch,
  );
}
