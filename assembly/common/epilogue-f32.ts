import { ConvParams, splat_maximum, splat_minimum } from "./conv-params";
import { store_f32 } from "./store-f32";

/** PReLU: x for x >= 0, slope * x below. */
@inline
export function prelu_f32x4(x: v128, slope: v128): v128 {
  return v128.bitselect(f32x4.mul(x, slope), x, f32x4.lt(x, f32x4.splat(0)));
}


@inline
function finish(p: ConvParams, acc: v128, oc: i32, residual: usize): v128 {
  let t = acc;
  if (p.negative) t = prelu_f32x4(t, v128.load(p.negative + ((<usize>oc) << 2)));
  if (residual) {
    let r = p.residualBroadcast ? v128.load32_splat(residual) : v128.load(residual);
    if (p.residualMultipliers) r = f32x4.mul(r, v128.load(p.residualMultipliers + ((<usize>oc) << 2)));
    t = f32x4.add(t, r);
  }
  return f32x4.pmin(f32x4.pmax(t, splat_minimum(p)), splat_maximum(p));
}

/**
 * Four pixels x four output channels from `oc` on: activation, residual, clamp (NaN stays NaN), store. The first pixel is (oy, ox);
 * the others lie (y1, x1), (y2, x2), (y3, x3) from it and are stored where v1, v2, v3 hold. Channels beyond p.oc are not stored.
 */
@inline
function epilogue_f32(
  p: ConvParams,
  oy: i32,
  ox: i32,
  oc: i32,
  y1: usize,
  x1: usize,
  v1: bool,
  y2: usize,
  x2: usize,
  v2: bool,
  y3: usize,
  x3: usize,
  v3: bool,
  a0: v128,
  a1: v128,
  a2: v128,
  a3: v128,
): void {
  const step = (<usize>p.oc) << 2,
    row = <usize>p.outputRowStride;
  const count = p.oc - oc;
  const out = p.output + <usize>oy * row + <usize>ox * step + ((<usize>oc) << 2);
  let r: usize = 0,
    rStep: usize = 0,
    rRow: usize = 0;
  if (p.residualRowStride) {
    rStep = p.residualBroadcast ? 4 : step;
    rRow = <usize>p.residualRowStride;
    r = p.residual + <usize>oy * rRow + <usize>ox * rStep;
    if (!p.residualBroadcast) r += (<usize>oc) << 2;
  }
  store_f32(out, finish(p, a0, oc, r), count);
  if (v1) store_f32(out + y1 * row + x1 * step, finish(p, a1, oc, r + y1 * rRow + x1 * rStep), count);
  if (v2) store_f32(out + y2 * row + x2 * step, finish(p, a2, oc, r + y2 * rRow + x2 * rStep), count);
  if (v3) store_f32(out + y3 * row + x3 * step, finish(p, a3, oc, r + y3 * rRow + x3 * rStep), count);
}

/** Four neighbouring pixels of row `oy`, from column `ox` on; pixels from column `end` on are not stored. */
@inline
export function epilogue_f32_4x4(
  p: ConvParams,
  oy: i32,
  ox: i32,
  end: i32,
  oc: i32,
  a0: v128,
  a1: v128,
  a2: v128,
  a3: v128,
): void {
  const left = end - ox;
  epilogue_f32(p, oy, ox, oc, 0, 1, left > 1, 0, 2, left > 2, 0, 3, left > 3, a0, a1, a2, a3);
}

/** A block of 2 x 2 pixels, row by row; pixels from row p.rowEnd or column p.ow on are not stored. */
@inline
export function epilogue_f32_2x2x4(
  p: ConvParams,
  oy: i32,
  ox: i32,
  oc: i32,
  a0: v128,
  a1: v128,
  a2: v128,
  a3: v128,
): void {
  const right = ox + 1 < p.ow,
    below = oy + 1 < p.rowEnd;
  epilogue_f32(p, oy, ox, oc, 0, 1, right, 1, 0, below, 1, 1, below && right, a0, a1, a2, a3);
}

/** `epilogue_f32_4x4` by a call, as that of int8. */
export function epilogue_f32_4x4_tail(
  p: ConvParams,
  oy: i32,
  ox: i32,
  end: i32,
  oc: i32,
  a0: v128,
  a1: v128,
  a2: v128,
  a3: v128,
): void {
  epilogue_f32_4x4(p, oy, ox, end, oc, a0, a1, a2, a3);
}

/** The two halves of a tile of eight channels by the epilogue of four. Not inlined: tiles at the edges, residuals of one channel or scaled ones. */
function epilogue_f32_4x8_halves(
  p: ConvParams,
  oy: i32,
  ox: i32,
  end: i32,
  oc: i32,
  a0: v128,
  a1: v128,
  a2: v128,
  a3: v128,
  b0: v128,
  b1: v128,
  b2: v128,
  b3: v128,
): void {
  epilogue_f32_4x4_tail(p, oy, ox, end, oc, a0, a1, a2, a3);
  if (oc + 4 < p.oc) epilogue_f32_4x4_tail(p, oy, ox, end, oc + 4, b0, b1, b2, b3);
}


@inline
function store_eight(out: usize, a: v128, b: v128, low: v128, high: v128): void {
  v128.store(out, f32x4.pmin(f32x4.pmax(a, low), high));
  v128.store(out, f32x4.pmin(f32x4.pmax(b, low), high), 16);
}

/**
 * Four neighbouring pixels x eight channels of row `oy`, from column `ox` and channel `oc` on: a0 to a3 the first four channels, b0 to b3 the
 * others.
 */
@inline
export function epilogue_f32_4x8(
  p: ConvParams,
  oy: i32,
  ox: i32,
  end: i32,
  oc: i32,
  a0: v128,
  a1: v128,
  a2: v128,
  a3: v128,
  b0: v128,
  b1: v128,
  b2: v128,
  b3: v128,
): void {
  if (
    p.residualMultipliers != 0 ||
    (p.residualRowStride != 0 && p.residualBroadcast != 0) ||
    end - ox < 4 ||
    p.oc - oc < 8
  ) {
    epilogue_f32_4x8_halves(p, oy, ox, end, oc, a0, a1, a2, a3, b0, b1, b2, b3);
    return;
  }
  if (p.negative) {
    const slopes = p.negative + ((<usize>oc) << 2);
    const sa = v128.load(slopes),
      sb = v128.load(slopes, 16);
    a0 = prelu_f32x4(a0, sa);
    a1 = prelu_f32x4(a1, sa);
    a2 = prelu_f32x4(a2, sa);
    a3 = prelu_f32x4(a3, sa);
    b0 = prelu_f32x4(b0, sb);
    b1 = prelu_f32x4(b1, sb);
    b2 = prelu_f32x4(b2, sb);
    b3 = prelu_f32x4(b3, sb);
  }
  const step = (<usize>p.oc) << 2;
  if (p.residualRowStride) {
    let r = p.residual + <usize>oy * <usize>p.residualRowStride + <usize>ox * step + ((<usize>oc) << 2);
    a0 = f32x4.add(a0, v128.load(r));
    b0 = f32x4.add(b0, v128.load(r, 16));
    r += step;
    a1 = f32x4.add(a1, v128.load(r));
    b1 = f32x4.add(b1, v128.load(r, 16));
    r += step;
    a2 = f32x4.add(a2, v128.load(r));
    b2 = f32x4.add(b2, v128.load(r, 16));
    r += step;
    a3 = f32x4.add(a3, v128.load(r));
    b3 = f32x4.add(b3, v128.load(r, 16));
  }
  const low = splat_minimum(p),
    high = splat_maximum(p);
  let out = p.output + <usize>oy * <usize>p.outputRowStride + <usize>ox * step + ((<usize>oc) << 2);
  store_eight(out, a0, b0, low, high);
  out += step;
  store_eight(out, a1, b1, low, high);
  out += step;
  store_eight(out, a2, b2, low, high);
  out += step;
  store_eight(out, a3, b3, low, high);
}
