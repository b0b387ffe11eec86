import fc from "fast-check";
import { beforeAll, expect, it } from "vitest";
import { channelToPlane, planeToChannel } from "../../src/image/color.ts";
import type { Channels, Depth } from "../../src/image/types.ts";
import { instantiateKernels, type KernelInstance } from "../../src/kernels/load.ts";
import { toSample } from "../../src/reference/image/color.ts";
import { withGuards } from "../_helpers/guard.ts";
import { integers, random } from "../_helpers/random.ts";

let kernels: KernelInstance;
beforeAll(async () => {
  kernels = await instantiateKernels();
});

const shape = fc
  .record({
    rows: fc.integer({ min: 1, max: 3 }),
    cols: fc.integer({ min: 1, max: 19 }),
    channels: fc.constantFrom<Channels>(1, 2, 3, 4),
    depth: fc.constantFrom<Depth>(8, 16),
    scale: fc.constantFrom(1, 219 / 255, -0.37),
    offset: fc.constantFrom(0, 16, 300),
    seed: fc.integer(),
  })
  .chain((s) => fc.record({ ...constants(s), channel: fc.integer({ min: 0, max: s.channels - 1 }) }));

function constants<T extends object>(values: T) {
  return Object.fromEntries(Object.entries(values).map(([k, v]) => [k, fc.constant(v)])) as {
    [K in keyof T]: fc.Arbitrary<T[K]>;
  };
}

it("channel_to_f32 gathers one channel with scale and offset, two roundings", () => {
  fc.assert(
    fc.property(shape, ({ rows, cols, channels, depth, scale, offset, channel, seed }) => {
      const bytes = depth / 8;
      const samples = integers(seed, rows * cols * channels, 2 ** depth - 1);
      const planeRow = cols * 4 + 8;
      withGuards(kernels.memory, [samples.length * bytes, planeRow * rows - 8], ([src, plane]) => {
        samplesAt(src!, depth, samples.length).set(samples);
        const pixels = { pointer: src!, rowBytes: cols * channels * bytes, channels, depth };
        const target = { pointer: plane!, rowBytes: planeRow };
        channelToPlane(kernels, { width: cols, height: rows }, pixels, channel, target, scale, offset);
        const f = Math.fround;
        for (let i = 0; i < rows * cols; i++) {
          const at = plane! + Math.floor(i / cols) * planeRow + (i % cols) * 4;
          expect(kernels.memory.f32[at / 4]).toBe(f(f(samples[i * channels + channel]! * f(scale)) + f(offset)));
        }
      });
    }),
    { numRuns: 60 },
  );
});

it("f32_channel_to rounds halves up, clips, and writes its own channel only", () => {
  fc.assert(
    fc.property(shape, ({ rows, cols, channels, depth, scale, offset, channel, seed }) => {
      const bytes = depth / 8;
      const next = random(seed);
      const limit = 2 ** depth - 1;
      const values = Array.from({ length: rows * cols }, () => Math.floor(next() * limit * 2.6 - limit * 0.5) / 2);
      values[0] = Number.NaN;
      const count = rows * cols * channels;
      withGuards(kernels.memory, [values.length * 4, count * bytes], ([plane, dst]) => {
        kernels.memory.f32.set(values, plane! / 4);
        const pixels = { pointer: dst!, rowBytes: cols * channels * bytes, channels, depth };
        const source = { pointer: plane!, rowBytes: cols * 4 };
        planeToChannel(kernels, { width: cols, height: rows }, source, pixels, channel, scale, offset);
        const f = Math.fround;
        const got = samplesAt(dst!, depth, count);
        for (let i = 0; i < count; i++) {
          const scaled = f(f(values[Math.floor(i / channels)]! * f(scale)) + f(offset));
          expect(got[i]).toBe(i % channels === channel ? toSample(scaled, limit) : depth === 8 ? 0xcd : 0xcdcd);
        }
      });
    }),
    { numRuns: 60 },
  );
});

function samplesAt(pointer: number, depth: Depth, length: number): Uint8Array | Uint16Array {
  const { buffer } = kernels.memory.raw;
  return depth === 8 ? new Uint8Array(buffer, pointer, length) : new Uint16Array(buffer, pointer, length);
}
