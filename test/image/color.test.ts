import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { rgbToYCbCrCoefficients, yCbCrToRgbCoefficients } from "../../src/image/bt601.ts";
import { pixelsToY, pixelsToYCbCr, yCbCrToPixels, yToGrey } from "../../src/image/color.ts";
import type { Channels, Depth } from "../../src/image/types.ts";
import { allocatePixels, allocatePlane } from "../../src/image/views.ts";
import { instantiateKernels, type KernelInstance } from "../../src/kernels/load.ts";
import { affineF32, rgbToYCbCr, type Triple, toSample, yCbCrToRgb } from "../../src/reference/image/color.ts";
import { withGuards } from "../_helpers/guard.ts";
import { integers, random } from "../_helpers/random.ts";

let kernels: KernelInstance;
beforeAll(async () => {
  kernels = await instantiateKernels();
});

const shape = fc.record({
  rows: fc.integer({ min: 1, max: 3 }),
  cols: fc.integer({ min: 1, max: 19 }),
  channels: fc.constantFrom<Channels>(1, 2, 3, 4),
  depth: fc.constantFrom<Depth>(8, 16),
  gap: fc.integer({ min: 0, max: 5 }),
  seed: fc.integer(),
});

describe("BT.601 oracle", () => {
  it("maps black, white and grey to the studio range", () => {
    expect(rgbToYCbCr([0, 0, 0])).toEqual([16, 128, 128]);
    for (const [i, value] of [235, 128, 128].entries()) expect(rgbToYCbCr([255, 255, 255])[i]).toBeCloseTo(value, 10);
  });

  it("is inverted in double precision", () => {
    const next = random(3);
    for (let i = 0; i < 1000; i++) {
      const rgb: Triple = [next() * 255, next() * 255, next() * 255];
      for (const [k, value] of yCbCrToRgb(rgbToYCbCr(rgb)).entries()) expect(value).toBeCloseTo(rgb[k]!, 9);
    }
  });

  it("agrees with the coefficient tables of the library, both ways and both depths", () => {
    const apply = (m: number[], [a, b, c]: Triple) =>
      [0, 4, 8].map((i) => m[i]! * a + m[i + 1]! * b + m[i + 2]! * c + m[i + 3]!);
    for (const depth of [8, 16] as const) {
      const unit = (2 ** depth - 1) / 255;
      for (const rgb of [
        [0, 0, 0],
        [255, 0, 0],
        [0, 255, 0],
        [0, 0, 255],
        [12, 200, 99],
      ] satisfies Triple[]) {
        const scaled = rgb.map((v) => v * unit) as unknown as Triple;
        const ycc = rgbToYCbCr(rgb);
        for (const [i, v] of apply(rgbToYCbCrCoefficients(depth), scaled).entries()) expect(v).toBeCloseTo(ycc[i]!, 9);
        for (const [i, v] of apply(yCbCrToRgbCoefficients(depth), ycc).entries()) expect(v).toBeCloseTo(scaled[i]!, 7);
      }
    }
  });
});

describe("rgb_to_plane(s)_f32", () => {
  it("equals the f32 oracle bit for bit for every shape, and stays within 1e-4 of the exact value", () => {
    fc.assert(
      fc.property(shape, ({ rows, cols, channels, depth, gap, seed }) => {
        const bytes = depth / 8;
        const limit = 2 ** depth - 1;
        const pixels = integers(seed, rows * cols * channels, limit);
        const srcRow = cols * channels * bytes + gap * bytes;
        const planeRow = (cols + gap) * 4;
        const matrix = Float32Array.from(rgbToYCbCrCoefficients(depth));
        const sizes = [srcRow * rows - gap * bytes, 48, ...[0, 0, 0, 0].map(() => planeRow * rows - gap * 4)];
        withGuards(kernels.memory, sizes, ([src, m, y, cb, cr, only]) => {
          write(src!, srcRow, cols * channels, bytes, pixels);
          kernels.memory.f32.set(matrix, m! / 4);
          const e = kernels.exports;
          const three = depth === 8 ? e.u8_rgb_to_planes_f32 : e.u16_rgb_to_planes_f32;
          const one = depth === 8 ? e.u8_rgb_to_plane_f32 : e.u16_rgb_to_plane_f32;
          three(rows, cols, src!, srcRow, channels, y!, cb!, cr!, planeRow, m!);
          one(rows, cols, src!, srcRow, channels, only!, planeRow, m!);
          for (let row = 0; row < rows; row++) {
            for (let x = 0; x < cols; x++) {
              const p = (row * cols + x) * channels;
              const rgb = [0, 1, 2].map((c) => pixels[channels < 3 ? p : p + c]!) as unknown as Triple;
              const exact = rgbToYCbCr(rgb.map((v) => (v * 255) / limit) as unknown as Triple);
              const got = [y!, cb!, cr!].map((plane) => plane + row * planeRow + x * 4).map(readF32);
              for (let i = 0; i < 3; i++) {
                expect(got[i]).toBe(affineF32(matrix, i, ...rgb));
                expect(Math.abs(got[i]! - exact[i]!)).toBeLessThan(1e-4);
              }
              expect(readF32(only! + row * planeRow + x * 4)).toBe(got[0]);
            }
          }
        });
      }),
      { numRuns: 60 },
    );
  });
});

describe("f32_planes_to_rgb", () => {
  it("equals the f32 oracle for every shape, clips, and leaves alpha and gaps alone", () => {
    fc.assert(
      fc.property(shape, ({ rows, cols, channels: any, depth, gap, seed }) => {
        const channels = any < 3 ? 3 : 4;
        const bytes = depth / 8;
        const next = random(seed);
        const planes = [0, 0, 0].map(() => Array.from({ length: rows * cols }, () => Math.fround(next() * 300 - 20)));
        planes[0]![0] = Number.NaN;
        const dstRow = cols * channels * bytes + gap * bytes;
        const planeRow = (cols + gap) * 4;
        const matrix = Float32Array.from(yCbCrToRgbCoefficients(depth));
        const size = planeRow * rows - gap * 4;
        withGuards(kernels.memory, [size, size, size, 48, dstRow * rows], ([y, cb, cr, m, dst]) => {
          for (const [i, plane] of [y!, cb!, cr!].entries()) write(plane, planeRow, cols, 4, planes[i]!);
          kernels.memory.f32.set(matrix, m! / 4);
          const e = kernels.exports;
          const kernel = depth === 8 ? e.f32_planes_to_rgb_u8 : e.f32_planes_to_rgb_u16;
          kernel(rows, cols, y!, cb!, cr!, planeRow, dst!, dstRow, channels, m!);
          const untouched = depth === 8 ? 0xcd : 0xcdcd;
          for (let row = 0; row < rows; row++) {
            for (let x = 0; x < cols; x++) {
              const ycc = planes.map((plane) => plane[row * cols + x]!) as unknown as Triple;
              const at = dst! + row * dstRow + x * channels * bytes;
              for (let i = 0; i < 3; i++) {
                expect(read(at + i * bytes, bytes)).toBe(toSample(affineF32(matrix, i, ...ycc), 2 ** depth - 1));
              }
              if (channels === 4) expect(read(at + 3 * bytes, bytes)).toBe(untouched);
            }
            for (let g = 0; g < gap; g++) {
              expect(read(dst! + row * dstRow + (cols * channels + g) * bytes, bytes)).toBe(untouched);
            }
          }
        });
      }),
      { numRuns: 60 },
    );
  });
});

describe("round trips", () => {
  it("returns all 16.7 million 8-bit colours unchanged", () => {
    const size = { width: 256, height: 256 };
    const pixels = allocatePixels(kernels, size, 3, 8);
    const planes = threePlanes(size);
    const { memory } = kernels;
    const picture = new Uint8Array(256 * 256 * 3);
    for (let i = 0; i < 65536; i++) picture.set([0, i >> 8, i & 255], i * 3);
    for (let red = 0; red < 256; red++) {
      for (let i = 0; i < picture.length; i += 3) picture[i] = red;
      memory.u8.set(picture, pixels.pointer);
      pixelsToYCbCr(kernels, size, pixels, planes.view);
      memory.u8.fill(7, pixels.pointer, pixels.pointer + picture.length);
      yCbCrToPixels(kernels, size, planes.view, pixels);
      const back = memory.u8.subarray(pixels.pointer, pixels.pointer + picture.length);
      expect(Buffer.compare(back, picture)).toBe(0);
    }
    memory.free(pixels.pointer);
    planes.free();
  });

  it("returns 16-bit colours unchanged", () => {
    const size = { width: 97, height: 53 };
    const pixels = allocatePixels(kernels, size, 4, 16);
    const planes = threePlanes(size);
    const samples = integers(5, 97 * 53 * 4, 65535);
    write(pixels.pointer, pixels.rowBytes, 97 * 4, 2, samples);
    pixelsToYCbCr(kernels, size, pixels, planes.view);
    yCbCrToPixels(kernels, size, planes.view, pixels);
    expect(samples.every((v, i) => read(pixels.pointer + 2 * i, 2) === v)).toBe(true);
    kernels.memory.free(pixels.pointer);
    planes.free();
  });

  it.each([8, 16] as const)("returns grey of %i bits unchanged through luma", (depth) => {
    const size = { width: 256, height: depth === 8 ? 1 : 256 };
    const pixels = allocatePixels(kernels, size, 2, depth);
    const y = allocatePlane(kernels, size);
    const samples = Array.from({ length: size.width * size.height * 2 }, (_, i) => (i % 2 ? 9 : i >> 1));
    write(pixels.pointer, pixels.rowBytes, 512, depth / 8, samples);
    pixelsToY(kernels, size, pixels, y);
    yToGrey(kernels, size, y, pixels);
    expect(samples.every((v, i) => read(pixels.pointer + (depth / 8) * i, depth / 8) === v)).toBe(true);
    kernels.memory.free(pixels.pointer);
    kernels.memory.free(y.pointer);
  });

  it("refuses to write colours into grey pixels", () => {
    const grey = { pointer: 65536, rowBytes: 1, channels: 1, depth: 8 } as const;
    const view = { y: 65536, cb: 65536, cr: 65536, rowBytes: 4 };
    expect(() => yCbCrToPixels(kernels, { width: 1, height: 1 }, view, grey)).toThrow(
      /pixels\.channels: expected 3 or 4/,
    );
  });
});

function threePlanes(size: { width: number; height: number }) {
  const planes = [0, 0, 0].map(() => allocatePlane(kernels, size));
  const [y, cb, cr] = planes.map((plane) => plane.pointer) as [number, number, number];
  return {
    view: { y, cb, cr, rowBytes: planes[0]!.rowBytes },
    free: () => {
      for (const plane of planes) kernels.memory.free(plane.pointer);
    },
  };
}

function view(): DataView {
  return new DataView(kernels.memory.raw.buffer);
}
function readF32(at: number): number {
  return view().getFloat32(at, true);
}
function read(at: number, bytes: number): number {
  return bytes === 1 ? view().getUint8(at) : view().getUint16(at, true);
}
/** Rows of `perRow` values (u8, u16 or, with 4 bytes, f32). */
function write(at: number, rowBytes: number, perRow: number, bytes: number, values: readonly number[]): void {
  const memory = view();
  for (const [i, value] of values.entries()) {
    const p = at + Math.floor(i / perRow) * rowBytes + (i % perRow) * bytes;
    if (bytes === 1) memory.setUint8(p, value);
    else if (bytes === 2) memory.setUint16(p, value, true);
    else memory.setFloat32(p, value, true);
  }
}
