import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { PlaneResizer } from "../../src/image/plane-resizer.ts";
import { resize } from "../../src/image/resize.ts";
import { type Border, resizeAxis } from "../../src/image/resize-axis.ts";
import { resizePlane } from "../../src/image/resize-plane.ts";
import { resizeWith } from "../../src/image/resize-strips.ts";
import { type Channels, createImage, type Depth, type Image, type Region } from "../../src/image/types.ts";
import { allocatePlane } from "../../src/image/views.ts";
import { instantiateKernels, type KernelInstance } from "../../src/kernels/load.ts";
import { contributions, imresize } from "../../src/reference/image/imresize.ts";
import { withGuards } from "../_helpers/guard.ts";
import { integers, random } from "../_helpers/random.ts";

let kernels: KernelInstance;
beforeAll(async () => {
  kernels = await instantiateKernels();
});

const side = fc.integer({ min: 1, max: 23 });
const sizes = fc.record({ inH: side, inW: side, outH: side, outW: side, seed: fc.integer() });

function noise(width: number, height: number, channels: Channels, depth: Depth, seed: number): Image {
  const image = createImage(width, height, channels, depth);
  image.data.set(integers(seed, image.data.length, 2 ** depth - 1));
  return image;
}

/** The oracle on every channel of a picture. */
function oracle(image: Image, width: number, height: number, arithmetic: "f32" | "f64", scale?: number): number[] {
  const { channels, depth, data } = image;
  const output: number[] = [];
  for (let c = 0; c < channels; c++) {
    const plane = Array.from({ length: image.width * image.height }, (_, i) => data[i * channels + c]!);
    const resized = imresize(plane, [image.height, image.width], [height, width], {
      arithmetic,
      limit: 2 ** depth - 1,
      ...(scale ? { scale: { vertical: scale, horizontal: scale } } : {}),
    });
    for (const [i, v] of resized.entries()) output[i * channels + c] = v;
  }
  return output;
}

describe("taps", () => {
  const length = (max: number) => fc.integer({ min: 1, max });
  const border = fc.constantFrom<Border>("symmetric", "replicate");

  it("are the oracle's, without its zero weights", () => {
    fc.assert(
      fc.property(length(40), length(90), border, (inLength, outLength, border) => {
        const scale = outLength / inLength;
        const axis = resizeAxis(inLength, outLength, scale, border);
        for (const [x, { indices, weights }] of contributions(inLength, outLength, scale, border).entries()) {
          const wanted = weights.flatMap((w, k) => (w === 0 ? [] : [[indices[k], Math.fround(w)]]));
          const got = [...axis.weights.subarray(x * axis.taps, (x + 1) * axis.taps)].map((w, k) => [
            axis.indices[x * axis.taps + k],
            w,
          ]);
          expect(got.filter(([, w]) => w !== 0)).toEqual(wanted.filter(([, w]) => w !== 0));
        }
      }),
    );
  });

  it.each([
    [1, 1],
    [2, 4],
    [4, 4],
    [1 / 2, 8],
    [1 / 4, 16],
  ])("scale %f needs %i taps", (scale, taps) => {
    expect(resizeAxis(64, 64 * scale).taps).toBe(taps);
  });

  it("are the known ones for x2: -3, 29, 111, -9 and mirrored, in 128ths", () => {
    const axis = resizeAxis(8, 16);
    expect([...axis.weights.subarray(4 * 8, 4 * 10)].map((w) => w * 128)).toEqual([-3, 29, 111, -9, -9, 111, 29, -3]);
    expect([...axis.indices.subarray(4 * 8, 4 * 10)]).toEqual([2, 3, 4, 5, 3, 4, 5, 6]);
    expect([...axis.indices.subarray(0, 4)]).toEqual([1, 0, 0, 1]);
    expect([...resizeAxis(8, 16, 2, "replicate").indices.subarray(0, 4)]).toEqual([0, 0, 0, 1]);
  });
});

describe("f32 passes", () => {
  it("equal the f32 oracle bit for bit for every size, inside their buffers", () => {
    fc.assert(
      fc.property(sizes, fc.constantFrom(0, 255), ({ inH, inW, outH, outW, seed }, limit) => {
        const next = random(seed);
        const input = Float32Array.from({ length: inH * inW }, () => next() * 280 - 10);
        const wanted = imresize(input, [inH, inW], [outH, outW], { arithmetic: "f32", limit });
        const options = { input: { width: inW, height: inH }, output: { width: outW, height: outH }, limit };
        const resizer = new PlaneResizer(kernels, options);
        withGuards(kernels.memory, [input.length * 4, wanted.length * 4], ([src, dst]) => {
          kernels.memory.f32.set(input, src! / 4);
          resizer.run(
            { pointer: src!, rowBytes: inW * 4 },
            { x: 0, y: 0, width: inW, height: inH },
            { pointer: dst!, rowBytes: outW * 4 },
            { x: 0, y: 0, width: outW, height: outH },
          );
          const got = kernels.memory.f32.subarray(dst! / 4, dst! / 4 + wanted.length);
          expect(wanted.findIndex((v, i) => v !== got[i])).toBe(-1);
        });
        resizer.dispose();
      }),
      { numRuns: 120 },
    );
  });

  it("compute any region from the part of the input that it names, bit for bit as the whole", () => {
    fc.assert(
      fc.property(sizes, fc.array(fc.nat(), { minLength: 4, maxLength: 4 }), ({ inH, inW, outH, outW, seed }, cuts) => {
        const input = Float32Array.from(integers(seed, inH * inW, 255));
        const size = { input: { width: inW, height: inH }, output: { width: outW, height: outH } };
        const resizer = new PlaneResizer(kernels, size);
        const whole = run(resizer, input, { x: 0, y: 0, ...size.output });
        const x = cuts[0]! % outW;
        const y = cuts[1]! % outH;
        const region = { x, y, width: 1 + (cuts[2]! % (outW - x)), height: 1 + (cuts[3]! % (outH - y)) };
        const part = run(resizer, input, region);
        for (let i = 0; i < part.length; i++) {
          const at = (y + Math.floor(i / region.width)) * outW + x + (i % region.width);
          expect(part[i]).toBe(whole[at]);
        }
        resizer.dispose();
      }),
      { numRuns: 120 },
    );
  });

  it("refuse a region outside the picture, too little input, and use after dispose", () => {
    const resizer = new PlaneResizer(kernels, { input: { width: 8, height: 8 }, output: { width: 16, height: 16 } });
    expect(() => resizer.inputRegion({ x: 8, y: 0, width: 9, height: 1 })).toThrow(
      "region: expected a part of 16 x 16, got 9 x 1 at (8, 0)",
    );
    const plane = { pointer: 0, rowBytes: 32 };
    const region = { x: 8, y: 8, width: 2, height: 2 };
    expect(() => resizer.run(plane, { x: 3, y: 3, width: 4, height: 4 }, plane, region)).toThrow(
      "sourceRegion: expected to contain 5 x 5 at (2, 2), got 4 x 4 at (3, 3)",
    );
    resizer.dispose();
    resizer.dispose();
    expect(() => resizer.run(plane, region, plane, region)).toThrow(/used after dispose/);
  });
});

/** Copies exactly the named input region between NaNs, so that nothing else can be used. */
function run(resizer: PlaneResizer, input: Float32Array, region: Region): Float32Array {
  const need = resizer.inputRegion(region);
  const { memory } = kernels;
  const source = allocatePlane(kernels, { width: need.width + 4, height: need.height + 1 });
  const target = allocatePlane(kernels, region);
  const start = source.pointer / 4;
  memory.f32.fill(Number.NaN, start, start + (source.rowBytes / 4) * (need.height + 1));
  for (let y = 0; y < need.height; y++) {
    const from = (need.y + y) * resizer.input.width + need.x;
    memory.f32.set(input.subarray(from, from + need.width), start + (y * source.rowBytes) / 4);
  }
  resizer.run(source, need, target, region);
  const output = new Float32Array(region.width * region.height);
  for (let y = 0; y < region.height; y++) {
    const at = (target.pointer + y * target.rowBytes) / 4;
    output.set(memory.f32.subarray(at, at + region.width), y * region.width);
  }
  memory.free(source.pointer);
  memory.free(target.pointer);
  return output;
}

describe("resize", () => {
  it("equals the f32 oracle for all channel counts and depths, and leaves the memory as it was", () => {
    const shape = fc.record({
      size: sizes,
      channels: fc.constantFrom<Channels>(1, 2, 3, 4),
      depth: fc.constantFrom<Depth>(8, 16),
    });
    const mark = kernels.memory.allocate(64);
    fc.assert(
      fc.property(shape, ({ size: { inH, inW, outH, outW, seed }, channels, depth }) => {
        const image = noise(inW, inH, channels, depth, seed);
        const result = resizeWith(kernels, image, { width: outW, height: outH });
        expect(result).toMatchObject({ width: outW, height: outH, channels, depth });
        expect([...result.data]).toEqual(oracle(image, outW, outH, "f32"));
      }),
      { numRuns: 60 },
    );
    const after = kernels.memory.allocate(64);
    expect(after - mark).toBe(128);
    kernels.memory.free(mark);
    kernels.memory.free(after);
  });

  it.each([1 / 4, 1 / 2, 2, 4])("is exact for 8 bits and scale %f: equals the oracle in double precision", (scale) => {
    const image = noise(37, 29, 1, 8, 9);
    const result = resizeWith(kernels, image, { scale });
    expect([result.width, result.height]).toEqual([Math.ceil(37 * scale), Math.ceil(29 * scale)]);
    expect([...result.data]).toEqual(oracle(image, result.width, result.height, "f64", scale));
  });

  it("differs from double precision by at most 1, and rarely, for other scales", () => {
    const image = noise(61, 47, 3, 16, 4);
    const result = resizeWith(kernels, image, { width: 100, height: 31 });
    const wanted = oracle(image, 100, 31, "f64");
    const off = wanted.filter((v, i) => v !== result.data[i]);
    expect(wanted.every((v, i) => Math.abs(v - result.data[i]!) <= 1)).toBe(true);
    expect(off.length / wanted.length).toBeLessThan(0.02);
  });

  it("joins strips without a seam (a picture of several strips, both orders of passes)", () => {
    const image = noise(20_000, 150, 1, 8, 2);
    for (const to of [
      { width: 50, height: 200 },
      { width: 50, height: 1 },
    ]) {
      expect([...resizeWith(kernels, image, to).data]).toEqual(oracle(image, to.width, to.height, "f32"));
    }
  });

  it("keeps a constant picture constant and a picture of the same size unchanged", async () => {
    const flat = createImage(9, 7, 3);
    flat.data.fill(201);
    expect((await resize(flat, { width: 31, height: 3 })).data.every((v) => v === 201)).toBe(true);
    const image = noise(9, 7, 4, 16, 1);
    expect((await resize(image, { scale: 1 })).data).toEqual(image.data);
  });

  it("takes canvas ImageData", async () => {
    const data = new Uint8ClampedArray(2 * 2 * 4).fill(5);
    expect(await resize({ width: 2, height: 2, data }, { scale: 2 })).toMatchObject({
      width: 4,
      height: 4,
      channels: 4,
    });
  });

  it.each([
    [{ width: 0, height: 4 }, "width: expected an integer from 1 to 1048576, got 0"],
    [{ width: 4, height: 2.5 }, "height: expected an integer from 1 to 1048576, got 2.5"],
    [{ scale: -1 }, "scale: expected a positive number, got -1"],
    [{ scale: Number.NaN }, "scale: expected a positive number, got NaN"],
  ])("refuses %o", async (to, message) => {
    await expect(resize(createImage(2, 2, 1), to)).rejects.toThrow(message);
  });

  it("stops at the signal's reason", async () => {
    const signal = AbortSignal.abort(new Error("enough"));
    await expect(resize(createImage(2, 2, 1), { scale: 2 }, { signal })).rejects.toThrow("enough");
  });
});

describe("resizePlane", () => {
  it("equals the f32 oracle without rounding", () => {
    const plane = integers(8, 13 * 11, 999).map((v) => v - 500);
    const wanted = imresize(plane, [11, 13], [5, 40], { arithmetic: "f32" });
    const options = { input: { width: 13, height: 11 }, output: { width: 40, height: 5 } };
    expect([...resizePlane(kernels, plane, options)]).toEqual([...wanted]);
  });

  it("refuses a plane of another size", () => {
    const options = { input: { width: 3, height: 2 }, output: { width: 1, height: 1 } };
    expect(() => resizePlane(kernels, [1, 2], options)).toThrow("plane: expected 6 values (3 x 2), got 2");
    const none = { input: { width: 0, height: 2 }, output: { width: 1, height: 1 } };
    expect(() => resizePlane(kernels, [], none)).toThrow("input.width: expected an integer from 1");
  });
});
