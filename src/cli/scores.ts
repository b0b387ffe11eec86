/** PSNR and SSIM as `evaluate` defines them. */
import { luma, psnr, psnrY, ssim, ssimY } from "../image/metrics.ts";
import { resize } from "../image/resize.ts";
import type { Image } from "../image/types.ts";
import type { Upscaler } from "../upscale/upscaler.ts";

export interface Score {
  readonly psnr: number;
  readonly ssim: number;
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
