import { describe, expect, it } from "vitest";
import { luma, psnr, psnrY, ssim, ssimY } from "../../src/image/metrics.ts";
import { createImage } from "../../src/image/types.ts";
import { rgbToYCbCr } from "../../src/reference/image/color.ts";
import { integers } from "../_helpers/random.ts";

describe("luma", () => {
  it("is studio-range Y in double precision; 16 bits have the units of 8; alpha is ignored", () => {
    const image = createImage(2, 1, 4, 16);
    image.data.set([257 * 12, 257 * 200, 257 * 99, 5, 65535, 65535, 65535, 0]);
    const [first, second] = luma(image);
    expect(first).toBeCloseTo(rgbToYCbCr([12, 200, 99])[0], 10);
    expect(second).toBeCloseTo(235, 10);
  });

  it("takes grey as grey RGB", () => {
    const data = new Uint8Array([0, 255]);
    expect([...luma({ width: 2, height: 1, channels: 1, depth: 8, data })]).toEqual([16, 235]);
  });
});

describe("psnr", () => {
  it("has its defined value", () => {
    const a = [10, 20, 30, 40];
    const b = [12, 18, 32, 38]; // mean squared error 4
    expect(psnr(a, b, { width: 2, height: 2 })).toBeCloseTo(10 * Math.log10(255 ** 2 / 4), 12);
    expect(psnr(a, a, { width: 2, height: 2 })).toBe(Number.POSITIVE_INFINITY);
  });

  it("leaves the border out", () => {
    const a = integers(1, 49, 255);
    const b = a.map((v, i) => (i % 7 === 0 || i % 7 === 6 || i < 7 || i >= 42 ? 0 : v));
    expect(psnr(a, b, { width: 7, height: 7 })).toBeLessThan(20);
    expect(psnr(a, b, { width: 7, height: 7 }, 1)).toBe(Number.POSITIVE_INFINITY);
  });
});

/** Wang's definition, window by window, on the full 11 x 11 kernel. */
function slowSsim(a: number[], b: number[], width: number, height: number): number {
  const weight = (dx: number, dy: number) => Math.exp(-(dx * dx + dy * dy) / 4.5);
  let norm = 0;
  for (let dy = -5; dy <= 5; dy++) for (let dx = -5; dx <= 5; dx++) norm += weight(dx, dy);
  let total = 0;
  let windows = 0;
  for (let y = 5; y < height - 5; y++) {
    for (let x = 5; x < width - 5; x++) {
      const mean = (f: (i: number) => number) => {
        let sum = 0;
        for (let dy = -5; dy <= 5; dy++) {
          for (let dx = -5; dx <= 5; dx++) sum += (weight(dx, dy) / norm) * f((y + dy) * width + x + dx);
        }
        return sum;
      };
      const ma = mean((i) => a[i]!);
      const mb = mean((i) => b[i]!);
      const va = mean((i) => (a[i]! - ma) ** 2);
      const vb = mean((i) => (b[i]! - mb) ** 2);
      const cov = mean((i) => (a[i]! - ma) * (b[i]! - mb));
      const [c1, c2] = [2.55 ** 2, 7.65 ** 2];
      total += ((2 * ma * mb + c1) * (2 * cov + c2)) / ((ma ** 2 + mb ** 2 + c1) * (va + vb + c2));
      windows++;
    }
  }
  return total / windows;
}

describe("ssim", () => {
  const size = { width: 23, height: 17 };
  const a = integers(1, 23 * 17, 255);
  const b = a.map((v, i) => Math.min(255, Math.floor(v * 0.7 + ((i * 31) % 60))));

  it("equals the definition computed window by window", () => {
    expect(ssim(a, b, size)).toBeCloseTo(slowSsim(a, b, 23, 17), 10);
  });

  it("is 1 for equal planes, symmetric, and works on what the border leaves", () => {
    expect(ssim(a, a, size)).toBeCloseTo(1, 12);
    expect(ssim(b, a, size)).toBeCloseTo(ssim(a, b, size), 12);
    const crop = (v: number[]) => v.filter((_, i) => i % 23 >= 2 && i % 23 < 21 && i >= 46 && i < 15 * 23);
    expect(ssim(a, b, size, 2)).toBeCloseTo(ssim(crop(a), crop(b), { width: 19, height: 13 }), 12);
  });
});

describe("pictures", () => {
  const image = createImage(14, 14, 3);
  it("of different sizes are refused", () => {
    expect(() => psnrY(image, createImage(14, 13, 3))).toThrow("test: expected 14 x 14 as the reference, got 14 x 13");
  });
  it("too small for the border or the window are refused", () => {
    expect(() => psnrY(image, image, { shave: 7 })).toThrow("at least 1 x 1 inside a border of 7, got 14 x 14");
    expect(() => ssimY(image, image, { shave: 2 })).toThrow("at least 11 x 11 inside a border of 2, got 14 x 14");
    expect(() => psnrY(image, image, { shave: -1 })).toThrow("shave: expected an integer from 0, got -1");
  });
  it("of different channel counts and depths compare", () => {
    const grey = createImage(14, 14, 1, 16);
    expect(psnrY(image, grey)).toBeGreaterThan(200);
    expect(ssimY(image, grey)).toBeCloseTo(1, 12);
  });
});
