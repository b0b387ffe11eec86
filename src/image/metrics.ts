/**
 * Picture quality on luma as the super-resolution literature measures it: Y of BT.601 in studio range, 0..255, not
 * rounded, with a border of `shave` pixels (usually the scale) left out. Grey pictures are taken as grey RGB; alpha is
 * not looked at.
 */
import { check } from "../errors.ts";
import { greyToY, rgbToYCbCrCoefficients } from "./bt601.ts";
import { checkImage, type ImageInput, type Size } from "./types.ts";

/** Of `psnrY` and `ssimY`. */
export interface MetricOptions {
  /** Pixels left out at each side; 0 by default. */
  readonly shave?: number;
}

/** Y of every pixel, row-major, in the units of 8 bits for both depths, in double precision. */
export function luma(image: ImageInput): Float64Array {
  const { width, height, channels, depth, data } = checkImage(image);
  const y = new Float64Array(width * height);
  if (channels < 3) {
    const { scale, offset } = greyToY(depth);
    for (let i = 0; i < y.length; i++) y[i] = data[i * channels]! * scale + offset;
    return y;
  }
  const [r, g, b, offset] = rgbToYCbCrCoefficients(depth) as [number, number, number, number];
  for (let i = 0, p = 0; i < y.length; i++, p += channels) {
    y[i] = r * data[p]! + g * data[p + 1]! + b * data[p + 2]! + offset;
  }
  return y;
}

/**
 * Peak signal-to-noise ratio in dB on Y (BT.601 studio range, not rounded) with peak 255; Infinity for equal pictures.
 * @throws WasmogradError ERR_SHAPE when sizes differ or nothing is left inside the border; ERR_ARGUMENT on what is no picture
 */
export function psnrY(reference: ImageInput, test: ImageInput, { shave = 0 }: MetricOptions = {}): number {
  const size = sameSize(reference, test);
  return psnr(luma(reference), luma(test), size, shave);
}

/**
 * Mean structural similarity on Y (Wang et al. 2004): 11 x 11 Gaussian windows of sigma 1.5 that lie wholly inside, K1
 * = 0.01, K2 = 0.03, L = 255.
 * @throws WasmogradError ERR_SHAPE when sizes differ or less than one window is left inside the border; ERR_ARGUMENT on what is no picture
 */
export function ssimY(reference: ImageInput, test: ImageInput, { shave = 0 }: MetricOptions = {}): number {
  const size = sameSize(reference, test);
  return ssim(luma(reference), luma(test), size, shave);
}

/** PSNR of two planes of 0..255. */
export function psnr(a: ArrayLike<number>, b: ArrayLike<number>, size: Size, shave = 0): number {
  const inner = inside(a, b, size, shave, 1);
  let sum = 0;
  for (let y = 0; y < inner.height; y++) {
    const start = (y + shave) * size.width + shave;
    for (let i = start; i < start + inner.width; i++) sum += (a[i]! - b[i]!) ** 2;
  }
  return 10 * Math.log10((255 ** 2 * inner.width * inner.height) / sum);
}

const WINDOW = 11;
const C1 = (0.01 * 255) ** 2;
const C2 = (0.03 * 255) ** 2;

/** Normalised samples of a Gaussian of sigma 1.5; the window is separable. */
const GAUSSIAN = /* @__PURE__ */ (() => {
  const samples = Array.from({ length: WINDOW }, (_, i) => Math.exp(-((i - 5) ** 2) / (2 * 1.5 ** 2)));
  const sum = samples.reduce((total, value) => total + value, 0);
  return samples.map((value) => value / sum);
})();

/** Mean SSIM of two planes of 0..255. */
export function ssim(a: ArrayLike<number>, b: ArrayLike<number>, size: Size, shave = 0): number {
  const inner = inside(a, b, size, shave, WINDOW);
  const columns = inner.width - WINDOW + 1;
  const rows = inner.height - WINDOW + 1;
  // A ring of filtered rows: five moments (a, b, aa, bb, ab) a column, filtered along the row; the other axis follows.
  const ring = Array.from({ length: WINDOW }, () => new Float64Array(5 * columns));
  const window = new Float64Array(5 * columns);
  let sum = 0;
  for (let y = 0; y < inner.height; y++) {
    filterRow(a, b, (y + shave) * size.width + shave, ring[y % WINDOW]!);
    if (y < WINDOW - 1) continue;
    window.fill(0);
    for (const [k, weight] of GAUSSIAN.entries()) {
      const row = ring[(y + 1 + k) % WINDOW]!; // the oldest first
      for (let i = 0; i < window.length; i++) window[i]! += weight * row[i]!;
    }
    for (let i = 0; i < window.length; i += 5) sum += similarity(window, i);
  }
  return sum / (columns * rows);
}

function filterRow(a: ArrayLike<number>, b: ArrayLike<number>, start: number, out: Float64Array): void {
  out.fill(0);
  for (let o = 0, x = start; o < out.length; o += 5, x++) {
    for (let k = 0; k < WINDOW; k++) {
      const weight = GAUSSIAN[k]!;
      const p = a[x + k]!;
      const q = b[x + k]!;
      out[o]! += weight * p;
      out[o + 1]! += weight * q;
      out[o + 2]! += weight * p * p;
      out[o + 3]! += weight * q * q;
      out[o + 4]! += weight * p * q;
    }
  }
}

function similarity(moments: Float64Array, at: number): number {
  const meanA = moments[at]!;
  const meanB = moments[at + 1]!;
  const varianceA = moments[at + 2]! - meanA ** 2;
  const varianceB = moments[at + 3]! - meanB ** 2;
  const covariance = moments[at + 4]! - meanA * meanB;
  const means = (2 * meanA * meanB + C1) / (meanA ** 2 + meanB ** 2 + C1);
  return (means * (2 * covariance + C2)) / (varianceA + varianceB + C2);
}

function sameSize(reference: ImageInput, test: ImageInput): Size {
  checkImage(reference, "reference");
  checkImage(test, "test");
  check(reference.width === test.width && reference.height === test.height, "ERR_SHAPE", () => {
    const wanted = `${reference.width} x ${reference.height}`;
    return `test: expected ${wanted} as the reference, got ${test.width} x ${test.height}`;
  });
  return reference;
}

function inside(
  a: ArrayLike<number>,
  b: ArrayLike<number>,
  { width, height }: Size,
  shave: number,
  least: number,
): Size {
  const length = width * height;
  check(a.length === length && b.length === length, "ERR_SHAPE", () => {
    return `planes: expected ${length} samples (${width} x ${height}), got ${a.length} and ${b.length}`;
  });
  check(Number.isInteger(shave) && shave >= 0, "ERR_ARGUMENT", () => `shave: expected an integer from 0, got ${shave}`);
  const inner = { width: width - 2 * shave, height: height - 2 * shave };
  check(inner.width >= least && inner.height >= least, "ERR_SHAPE", () => {
    return `picture: expected at least ${least} x ${least} inside a border of ${shave}, got ${width} x ${height}`;
  });
  return inner;
}
