/** PSNR and SSIM as `evaluate` defines them. */
import { check } from "../errors.ts";
import { luma, psnr, psnrY, ssim, ssimY } from "../image/metrics.ts";
import { resize } from "../image/resize.ts";
import type { Image } from "../image/types.ts";
import type { Upscaler } from "../upscale/upscaler.ts";

export interface Score {
  readonly psnr: number;
  readonly ssim: number;
}

/** Edge of SSIM's window, which has to fit inside the border. */
const WINDOW = 11;

/** @throws WasmogradError ERR_SHAPE for a picture too small to be scored, named as `name` */
export function checkScorable(name: string, high: Image, scale: number): void {
  const smallest = WINDOW + 2 * scale;
  check(Math.min(high.width, high.height) >= smallest, "ERR_SHAPE", () => {
    return `${name}: expected at least ${smallest}x${smallest} pixels, got ${high.width}x${high.height}`;
  });
}

/** PSNR and SSIM of the network alone, on luma, rounded to 8 bits. */
export function scoreNetwork(upscaler: Upscaler, high: Image, low: Image): Score {
  const y = upscaler.upscaleLuma(Float32Array.from(luma(low)), low);
  const levels = y.map((v) => Math.min(255, Math.max(0, Math.round(v))));
  const reference = luma(high);
  const shave = upscaler.scale;
  return { psnr: psnr(reference, levels, high, shave), ssim: ssim(reference, levels, high, shave) };
}

export async function scoreBicubic(high: Image, low: Image, shave: number): Promise<Score> {
  const enlarged = await resize(low, { width: high.width, height: high.height });
  return { psnr: psnrY(high, enlarged, { shave }), ssim: ssimY(high, enlarged, { shave }) };
}
