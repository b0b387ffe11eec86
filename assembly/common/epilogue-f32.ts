import { ConvParams } from "./conv-params";
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
  if (residual) t = f32x4.add(t, p.residualBroadcast ? v128.load32_splat(residual) : v128.load(residual));
  return f32x4.pmin(f32x4.pmax(t, f32x4.splat(p.minimum)), f32x4.splat(p.maximum));
}

/**
 * Four neighbouring pixels of output row `oy`, from column `ox` on, x four output channels from `oc` on: activation, residual, clamp
 * (NaN stays NaN), store. Pixels from column `end` on and channels beyond p.oc are not stored.
 */
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
  const step = (<usize>p.oc) << 2;
  const left = end - ox;
  const count = p.oc - oc;
  let out = p.output + <usize>oy * <usize>p.outputRowStride + <usize>ox * step + ((<usize>oc) << 2);
  let r: usize = 0,
    rStep: usize = 0;
  if (p.residual) {
    rStep = p.residualBroadcast ? 4 : step;
    r = p.residual + <usize>oy * <usize>p.residualRowStride + <usize>ox * rStep;
    if (!p.residualBroadcast) r += (<usize>oc) << 2;
  }
  store_f32(out, finish(p, a0, oc, r), count);
  if (left > 1) store_f32(out + step, finish(p, a1, oc, r + rStep), count);
  if (left > 2) store_f32(out + step * 2, finish(p, a2, oc, r + rStep * 2), count);
  if (left > 3) store_f32(out + step * 3, finish(p, a3, oc, r + rStep * 3), count);
}
