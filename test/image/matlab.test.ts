import { beforeAll, describe, expect, it } from "vitest";
import { luma, psnr as planePsnr, psnrY, ssimY } from "../../src/image/metrics.ts";
import { resizePlane } from "../../src/image/resize-plane.ts";
import { resizeWith } from "../../src/image/resize-strips.ts";
import { createImage, type Image } from "../../src/image/types.ts";
import { instantiateKernels, type KernelInstance } from "../../src/kernels/load.ts";
import { readImage } from "../../src/node/files.ts";
import { hasSet, pictures } from "../_helpers/data.ts";

let kernels: KernelInstance;
beforeAll(async () => {
  kernels = await instantiateKernels();
});

const mean = (values: number[]) => values.reduce((sum, v) => sum + v, 0) / values.length;

describe.each(["Set5", "Set14"])("against MATLAB's stored low-resolution pictures of %s", (set) => {
  const there = hasSet(set);

  it.skipIf(!there).each([2, 4])("x%i: equal in every sample with the border that repeats the edge", async (scale) => {
    for (const { name, path } of pictures(set, `LRx${scale}`)) {
      const stored = await readImage(path);
      // The sets' authors cropped originals to a multiple of the scale (comic.png x4).
      const original = crop(
        await readImage(path.replace(`LRx${scale}`, "HR")),
        stored.width * scale,
        stored.height * scale,
      );
      const own = resizeWith(kernels, original, stored, { border: "replicate" });
      expect(difference(own, stored), name).toBe(0);
    }
  });

  it.skipIf(!there)("x2: mean difference at most 0.02 grey levels with the mirrored border", async () => {
    const differences: number[] = [];
    for (const { path } of pictures(set, "LRx2")) {
      const stored = await readImage(path);
      const own = resizeWith(kernels, await readImage(path.replace("LRx2", "HR")), stored);
      differences.push(difference(own, stored));
    }
    expect(mean(differences)).toBeLessThanOrEqual(0.02);
  });
});

function crop(image: Image, width: number, height: number): Image {
  const cropped = createImage(width, height, image.channels, image.depth);
  const row = width * image.channels;
  for (let y = 0; y < height; y++) {
    const start = y * image.width * image.channels;
    cropped.data.set(image.data.subarray(start, start + row), y * row);
  }
  return cropped;
}

function difference(a: Image, b: Image): number {
  let sum = 0;
  for (let i = 0; i < a.data.length; i++) sum += Math.abs(a.data[i]! - b.data[i]!);
  return sum / a.data.length;
}

// PSNR: reference/data.md section 1, 8-bit column; SSIM: published bicubic rows (sesr.md section 5.1) to their usual
// spread.
describe.each([
  ["Set5", 33.67, 0.9299],
  ["Set14", 30.33, 0.8688],
] as const)("bicubic x2 on %s", (set, psnr, ssim) => {
  it.skipIf(!hasSet(set))(`has a mean PSNR of ${psnr} and an SSIM near ${ssim}`, async () => {
    const scores = [];
    for (const { path } of pictures(set, "HR")) {
      const original = await readImage(path);
      const upscaled = resizeWith(kernels, await readImage(path.replace("HR", "LRx2")), original);
      scores.push({ psnr: psnrY(original, upscaled, { shave: 2 }), ssim: ssimY(original, upscaled, { shave: 2 }) });
    }
    const result = { psnr: mean(scores.map((s) => s.psnr)), ssim: mean(scores.map((s) => s.ssim)) };
    expect(Math.abs(result.psnr - psnr)).toBeLessThanOrEqual(0.02);
    expect(Math.abs(result.ssim - ssim)).toBeLessThanOrEqual(0.004);
  });
});

// The protocol of the SRCNN demo: Y in 8 bits, its low-resolution version kept unrounded, the result rounded; grey is
// luma itself.
describe.each([
  ["Set5", 33.66],
  ["Set14", 30.23],
] as const)("bicubic x2 on %s in the SRCNN protocol", (set, published) => {
  it.skipIf(!hasSet(set))(`has a mean PSNR of ${published}`, async () => {
    const scores = [];
    for (const { path } of pictures(set, "HR")) {
      const original = await readImage(path);
      const { width, height } = original;
      const y = original.channels === 1 ? Array.from(original.data) : Array.from(luma(original), Math.round);
      const [whole, half] = [original, { width: width / 2, height: height / 2 }];
      const small = resizePlane(kernels, y, { input: whole, output: half });
      const large = resizePlane(kernels, small, { input: half, output: whole });
      const rounded = large.map((v) => Math.round(Math.min(Math.max(v, 0), 255)));
      scores.push(planePsnr(y, rounded, { width, height }, 2));
    }
    expect(Math.abs(mean(scores) - published)).toBeLessThanOrEqual(0.01);
  });
});
