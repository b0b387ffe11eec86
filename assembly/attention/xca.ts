/**
 * Cross-covariance attention ("XCiT: Cross-Covariance Image Transformers", arXiv 2106.09681, section 3.2), f32 and int8. For every head, q, k
 * and v being taken as headChannels x tokens, every row of q and k divided by max(its norm, 1e-12),
 *
 *   C[a, b] = softmax over b of temperature[head] * sum_n q[a, n] * k[b, n]          to[a, n] = sum_b C[a, b] * v[b, n]
 *
 * Layout, strides and aliasing as in attention.ts, whose products and softmax these are, tokens and channels having changed places: eight
 * rows of C at a time, in the lanes. The norms are those of the panels, and multiply the scores rather than q and k.
 *
 * f32      s = f32(f32(sum * f32(f32(temperature * log2 e) / norm q[a])) * f32(1 / norm k[b])); sums token by token, squares in four sums.
 * int8     all bits are given by this arithmetic, in the notation of attention.ts:
 *            S = sum_n (q - zeroQ) * (k - zeroK)                                              int32, exact
 *            |q|[a] = max(1, f32(sqrt(f32(sum_n (q - zeroQ)^2)))), |k|[b] alike               the sum an unsigned int32, exact
 *            s = f32(f32(f32(S) * f32(f32(temperature * f32(log2 e)) / |q|[a])) * f32(1 / |k|[b]))
 *          and from there on as there: w, the weights in steps of 1/255 of a row's largest, acc = sum_b w[b] * v[b, n], t and to. The scales
 *          of q and k cancel. A norm is 0 or at least 1, and S is 0 if it is 0, so that 1 stands for the 1e-12.
 * Bounds   int8: tokens * max|q - zeroQ| * max|k - zeroK| < 2^31 (33,025 tokens whatever the zero points, 131,071 with 0); headChannels up to
 *          65,793.
 * Scratch  a tile [32][8] and 8 factors, a factor for every b (to 4), the rows of C in blocks of 8 [headChannels to 4][8], all 4 bytes an
 *          element; 8 channels of q in a panel, all of k in panels of 4; 32 tokens of v in panels of 4. src/kernels/attention/scratch.ts
 * Tails    loads reach at most 28 bytes (int8: 7) past q, k and v, stores never past the output.
 * Test     test/kernels/attention/xca.test.ts
 */
import { LOG2_E } from "./attention";
import { scale_scores, soften_f32, soften_s8 } from "./columns";
import { copy_columns, transpose_rows } from "./panels";
import { product_4x8 } from "./product-4x8";
import { store_tile } from "./store-tile";

const EPSILON: f32 = 1e-12;
/** Tokens that the second product takes at once. */
const TOKENS: i32 = 32;

/** factor / max(norm, least) of the four columns of a panel, whose steps are `step` bytes apart. */
function norm_factors<T>(panel: usize, step: usize, steps: i32, factor: f32, to: usize): void {
  let s0 = i32x4.splat(0);
  if (isFloat<T>()) {
    let s1 = s0,
      s2 = s0,
      s3 = s0;
    for (; steps >= 4; steps -= 4) {
      let v = v128.load(panel);
      s0 = f32x4.add(s0, f32x4.mul(v, v));
      panel += step;
      v = v128.load(panel);
      s1 = f32x4.add(s1, f32x4.mul(v, v));
      panel += step;
      v = v128.load(panel);
      s2 = f32x4.add(s2, f32x4.mul(v, v));
      panel += step;
      v = v128.load(panel);
      s3 = f32x4.add(s3, f32x4.mul(v, v));
      panel += step;
    }
    for (; steps > 0; steps--, panel += step) {
      const v = v128.load(panel);
      s0 = f32x4.add(s0, f32x4.mul(v, v));
    }
    s0 = f32x4.add(f32x4.add(s0, s1), f32x4.add(s2, s3));
  } else {
    for (; steps > 0; steps--, panel += step) {
      const v = v128.load(panel);
      s0 = i32x4.add(s0, i32x4.dot_i16x8_s(v, v));
    }
    s0 = f32x4.convert_i32x4_u(s0);
  }
  const norm = f32x4.max(f32x4.sqrt(s0), f32x4.splat(isFloat<T>() ? EPSILON : 1));
  v128.store(to, f32x4.div(f32x4.splat(factor), norm));
}


@inline
function xca<T>(
  q: usize,
  k: usize,
  v: usize,
  to: usize,
  tokens: i32,
  heads: i32,
  headChannels: i32,
  qStride: usize,
  kStride: usize,
  vStride: usize,
  toStride: usize,
  temperatures: usize,
  zeroQ: i32,
  zeroK: i32,
  zeroV: i32,
  ratio: f32,
  magicZero: i32,
  magicMin: i32,
  qmax: i32,
  scratch: usize,
): void {
  assert(tokens > 0 && headChannels > 0, "sizes: expected at least one token and one channel");
  const bytes: usize = isFloat<T>() ? 4 : 1;
  const channelSteps = isFloat<T>() ? headChannels : (headChannels + 1) >> 1,
    tokenSteps = isFloat<T>() ? tokens : (tokens + 1) >> 1;
  const groups = (headChannels + 3) >> 2,
    blocks = (headChannels + 7) >> 3;
  const tokenPanel = ((<usize>channelSteps + 3) & ~3) << 4,
    channelPanel = (<usize>tokenSteps) << 4,
    mapBlock = (<usize>groups) << 7;
  const tile = scratch,
    keyFactors = tile + <usize>(TOKENS * 32),
    // Of every block its own: they divide what the second product makes of it.
    queryFactors = keyFactors + ((<usize>groups) << 4),
    map = queryFactors + ((<usize>blocks) << 5),
    queryPanel = map + <usize>blocks * mapBlock,
    keyPanels = queryPanel + (channelPanel << 1),
    valuePanels = keyPanels + <usize>groups * channelPanel;
  const adjustQ = isFloat<T>() ? f32x4.splat(1) : i16x8.splat(<i16>zeroQ),
    adjustK = isFloat<T>() ? f32x4.splat(1) : i16x8.splat(<i16>zeroK),
    adjustV = isFloat<T>() ? f32x4.splat(1) : i16x8.splat(0);
  const term = <f32>-zeroV * ratio;
  const headBytes = <usize>headChannels * bytes;
  for (let head = 0; head < heads; head++, q += headBytes, k += headBytes, v += headBytes, to += headBytes) {
    const temperature = load<f32>(temperatures + ((<usize>head) << 2)) * LOG2_E;
    for (let b = 0; b < headChannels; b += 4) {
      const panel = keyPanels + <usize>(b >> 2) * channelPanel;
      copy_columns<T>(k + <usize>b * bytes, kStride, tokens, false, adjustK, panel);
      norm_factors<T>(panel, 16, tokenSteps, 1, keyFactors + ((<usize>b) << 2));
    }
    for (let a = 0; a < headChannels; a += 8) {
      const block = map + <usize>(a >> 3) * mapBlock,
        factors = queryFactors + ((<usize>a) << 2);
      copy_columns<T>(q + <usize>a * bytes, qStride, tokens, true, adjustQ, queryPanel);
      norm_factors<T>(queryPanel, 32, tokenSteps, temperature, factors);
      norm_factors<T>(queryPanel + 16, 32, tokenSteps, temperature, factors + 16);
      if (isFloat<T>()) {
        product_4x8<f32>(keyPanels, channelPanel, 16, groups, queryPanel, tokenSteps, block);
        scale_scores<f32>(block, headChannels, factors, keyFactors);
        soften_f32(block, headChannels, factors);
      } else {
        product_4x8<i16>(keyPanels, channelPanel, 16, groups, queryPanel, tokenSteps, block);
        scale_scores<i32>(block, headChannels, factors, keyFactors);
        soften_s8(block, headChannels, factors, ratio);
      }
    }
    for (let n = 0; n < tokens; n += TOKENS) {
      const rows = min(TOKENS, tokens - n);
      for (let row = 0; row < rows; row += 4) {
        const from = v + <usize>(n + row) * vStride;
        const panel = valuePanels + <usize>(row >> 2) * tokenPanel;
        transpose_rows<T>(from, vStride, min(4, rows - row), headChannels, adjustV, panel, 16);
      }
      const out = to + <usize>n * toStride;
      for (let a = 0; a < headChannels; a += 8) {
        const block = map + <usize>(a >> 3) * mapBlock;
        if (isFloat<T>()) product_4x8<f32>(valuePanels, tokenPanel, 16, (rows + 3) >> 2, block, channelSteps, tile);
        else product_4x8<i16>(valuePanels, tokenPanel, 16, (rows + 3) >> 2, block, channelSteps, tile);
        store_tile<T>(
          tile,
          rows,
          queryFactors + ((<usize>a) << 2),
          false,
          out + <usize>a * bytes,
          toStride,
          headChannels - a,
          term,
          magicZero,
          magicMin,
          qmax,
        );
      }
    }
  }
}

export function f32_xca(
  q: usize,
  k: usize,
  v: usize,
  to: usize,
  tokens: i32,
  heads: i32,
  headChannels: i32,
  qStride: usize,
  kStride: usize,
  vStride: usize,
  toStride: usize,
  temperatures: usize,
  scratch: usize,
): void {
  xca<f32>(
    q,
    k,
    v,
    to,
    tokens,
    heads,
    headChannels,
    qStride,
    kStride,
    vStride,
    toStride,
    temperatures,
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

export function qs8_xca(
  q: usize,
  k: usize,
  v: usize,
  to: usize,
  tokens: i32,
  heads: i32,
  headChannels: i32,
  qStride: usize,
  kStride: usize,
  vStride: usize,
  toStride: usize,
  temperatures: usize,
  zeroQ: i32,
  zeroK: i32,
  zeroV: i32,
  ratio: f32,
  magicZero: i32,
  magicMin: i32,
  qmax: i32,
  scratch: usize,
): void {
  xca<i8>(
    q,
    k,
    v,
    to,
    tokens,
    heads,
    headChannels,
    qStride,
    kStride,
    vStride,
    toStride,
    temperatures,
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
