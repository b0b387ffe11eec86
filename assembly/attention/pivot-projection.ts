/**
 * Projections with pivots, f32: y[g n + i] = x[pivots[g][i]] + sum over the other input channels of w[g n + i, c] * x[c], n = `own`. What
 * conv2d-1x1-4x8.ts would multiply by ones and zeros is not multiplied.
 *
 * Pixels are copied into panels of four, once; of these each group gathers the channels that are no pivots of its own into panels that its
 * blocks of eight outputs read from front to back, and the sums start from the pivots. Gathering costs three instructions a channel and tile
 * where the products of a block cost 25; an index in the innermost loop instead was slower, or level within noise.
 *
 * Sums     the pivot's value first, then channel by channel in ascending order; one rounding a product and one a sum.
 * Layout   x [pixels][inputs], y [pixels][groups * own]. `channels`, int32 [groups][own to 8 pivots, then inputs - own others]: 16 times
 *          the channel, which is where it lies in a panel. `filter` [groups][own / 8, rounded up][inputs - own][8], what is missing
 *          zero. src/kernels/attention/pivots.ts packs both.
 * Tile     4 pixels x 8 outputs, as in conv2d-1x1-4x8.ts.
 * Scratch  panels of up to 64 pixels: [inputs to 4][4] each, then [inputs - own][4] each. src/kernels/attention/scratch.ts
 * Aliasing none between input and output.
 * Tails    pixels: the last stands in for those that are missing to a tile; loads reach at most 12 bytes past the input, stores never past
 *          the output.
 * Test     test/kernels/attention/pivots.test.ts
 */
import { multiply_accumulate } from "../common/multiply-accumulate";
import { store_f32 } from "../common/store-f32";
import { high_32, high_64, low_32, low_64 } from "../common/transpose";
import { transpose_rows } from "./panels";

/** Pixels in panels at once: more would leave the second cache. */
const PIXELS: i32 = 64;

/** Pixels that are taken at once: whole tiles, and as even as may be. */
@inline
function chunk_of(pixels: i32): i32 {
  const chunks = max(1, (pixels + PIXELS - 1) / PIXELS);
  return ((pixels + chunks - 1) / chunks + 3) & ~3;
}


@inline
function store_pixel(to: usize, a: v128, b: v128, count: i32): void {
  if (count >= 8) {
    v128.store(to, a);
    v128.store(to, b, 16);
  } else store_part(to, a, b, count);
}

function store_part(to: usize, a: v128, b: v128, count: i32): void {
  store_f32(to, a, count);
  if (count > 4) store_f32(to + 16, b, count - 4);
}

/** The values of one tile that a group multiplies. */
function gather(panel: usize, channels: usize, steps: i32, to: usize): void {
  const end = channels + ((<usize>steps) << 2);
  for (; channels < end; channels += 4, to += 16) v128.store(to, v128.load(panel + <usize>load<i32>(channels)));
}

/** Eight outputs of all pixels; `count` of them are stored. */
function tile_block(
  panel: usize,
  panelBytes: usize,
  gathered: usize,
  steps: i32,
  pixels: i32,
  pivots: usize,
  filter: usize,
  to: usize,
  toStride: usize,
  count: i32,
): void {
  const end = filter + ((<usize>steps) << 5);
  const p0 = <usize>load<i32>(pivots),
    p1 = <usize>load<i32>(pivots, 4),
    p2 = <usize>load<i32>(pivots, 8),
    p3 = <usize>load<i32>(pivots, 12),
    p4 = <usize>load<i32>(pivots, 16),
    p5 = <usize>load<i32>(pivots, 20),
    p6 = <usize>load<i32>(pivots, 24),
    p7 = <usize>load<i32>(pivots, 28);
  let x = gathered;
  for (; pixels > 0; pixels -= 4, panel += panelBytes) {
    let a = v128.load(panel + p0),
      b = v128.load(panel + p1),
      c = v128.load(panel + p2),
      d = v128.load(panel + p3);
    let l01 = low_32(a, b),
      l23 = low_32(c, d),
      h01 = high_32(a, b),
      h23 = high_32(c, d);
    let c00 = low_64(l01, l23),
      c10 = high_64(l01, l23),
      c20 = low_64(h01, h23),
      c30 = high_64(h01, h23);
    a = v128.load(panel + p4);
    b = v128.load(panel + p5);
    c = v128.load(panel + p6);
    d = v128.load(panel + p7);
    l01 = low_32(a, b);
    l23 = low_32(c, d);
    h01 = high_32(a, b);
    h23 = high_32(c, d);
    let c01 = low_64(l01, l23),
      c11 = high_64(l01, l23),
      c21 = low_64(h01, h23),
      c31 = high_64(h01, h23);
    let w = filter;
    do {
      const w0 = v128.load(w),
        w1 = v128.load(w, 16);
      const a0 = v128.load32_splat(x);
      c00 = multiply_accumulate<f32>(c00, a0, w0);
      c01 = multiply_accumulate<f32>(c01, a0, w1);
      const a1 = v128.load32_splat(x, 4);
      c10 = multiply_accumulate<f32>(c10, a1, w0);
      c11 = multiply_accumulate<f32>(c11, a1, w1);
      const a2 = v128.load32_splat(x, 8);
      c20 = multiply_accumulate<f32>(c20, a2, w0);
      c21 = multiply_accumulate<f32>(c21, a2, w1);
      const a3 = v128.load32_splat(x, 12);
      c30 = multiply_accumulate<f32>(c30, a3, w0);
      c31 = multiply_accumulate<f32>(c31, a3, w1);
      x += 16;
      w += 32;
    } while (w < end);
    store_pixel(to, c00, c01, count);
    to += toStride;
    if (pixels > 1) store_pixel(to, c10, c11, count);
    to += toStride;
    if (pixels > 2) store_pixel(to, c20, c21, count);
    to += toStride;
    if (pixels > 3) store_pixel(to, c30, c31, count);
    to += toStride;
  }
}

export function f32_pivot_projection(
  from: usize,
  to: usize,
  pixels: i32,
  inputs: i32,
  groups: i32,
  own: i32,
  channels: usize,
  filter: usize,
  scratch: usize,
): void {
  assert(own > 0 && own < inputs, "pivots: expected at least one, and an input channel that is none");
  const steps = inputs - own;
  const panelBytes = (<usize>((inputs + 3) & ~3)) << 4,
    gatheredBytes = (<usize>steps) << 4;
  const fromStride = (<usize>inputs) << 2,
    toStride = (<usize>(groups * own)) << 2;
  const chunk = chunk_of(pixels);
  const gathered = scratch + <usize>(chunk >> 2) * panelBytes;
  const ones = f32x4.splat(1);
  const pivotBytes = (<usize>((own + 7) & ~7)) << 2;
  for (; pixels > 0; pixels -= chunk, from += <usize>chunk * fromStride, to += <usize>chunk * toStride) {
    const now = min(chunk, pixels);
    for (let n = 0; n < now; n += 4) {
      const panel = scratch + <usize>(n >> 2) * panelBytes;
      transpose_rows<f32>(from + <usize>n * fromStride, fromStride, min(4, now - n), inputs, ones, panel, 16);
    }
    let w = filter,
      table = channels,
      out = to;
    for (let g = 0; g < groups; g++) {
      const rest = table + pivotBytes;
      for (let n = 0; n < now; n += 4) {
        gather(scratch + <usize>(n >> 2) * panelBytes, rest, steps, gathered + <usize>(n >> 2) * gatheredBytes);
      }
      for (let o = 0; o < own; o += 8, w += (<usize>steps) << 5) {
        const first = (<usize>o) << 2;
        tile_block(scratch, panelBytes, gathered, steps, now, table + first, w, out + first, toStride, own - o);
      }
      table = rest + ((<usize>steps) << 2);
      out += (<usize>own) << 2;
    }
  }
}
