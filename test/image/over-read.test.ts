import { describe, expect, it } from "vitest";
import type { KernelExports } from "../../src/kernels/exports.ts";
import { instantiateKernels } from "../../src/kernels/load.ts";
import { SLACK } from "../../src/kernels/memory.ts";

/** Output and tables lie low, the input ends SLACK bytes before the end of the memory: a longer reach traps. */
const LOW = 65536;
const shapes = [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17].flatMap((cols) => [1, 2, 3, 5].map((rows) => ({ rows, cols })));

describe("kernels read at most 64 bytes past their input", async () => {
  const { memory, exports: e } = await instantiateKernels();
  memory.raw.grow(31);
  const end = memory.raw.buffer.byteLength - SLACK;
  const channels = [1, 2, 3, 4];

  const kernels: Partial<Record<keyof KernelExports, (rows: number, cols: number) => void>> = {
    u8_rgb_to_planes_f32: (r, c) => {
      for (const n of channels) e.u8_rgb_to_planes_f32(r, c, end - r * c * n, c * n, n, LOW, LOW, LOW, c * 4, LOW);
    },
    u16_rgb_to_planes_f32: (r, c) => {
      for (const n of channels)
        e.u16_rgb_to_planes_f32(r, c, end - 2 * r * c * n, 2 * c * n, n, LOW, LOW, LOW, c * 4, LOW);
    },
    u8_rgb_to_plane_f32: (r, c) => {
      for (const n of channels) e.u8_rgb_to_plane_f32(r, c, end - r * c * n, c * n, n, LOW, c * 4, LOW);
    },
    u16_rgb_to_plane_f32: (r, c) => {
      for (const n of channels) e.u16_rgb_to_plane_f32(r, c, end - 2 * r * c * n, 2 * c * n, n, LOW, c * 4, LOW);
    },
    u8_channel_to_f32: (r, c) => {
      for (const n of channels) e.u8_channel_to_f32(r, c, end - r * c * n + n - 1, c * n, n, LOW, c * 4, 1, 0);
    },
    u16_channel_to_f32: (r, c) => {
      for (const n of channels)
        e.u16_channel_to_f32(r, c, end - 2 * (r * c * n - n + 1), 2 * c * n, n, LOW, c * 4, 1, 0);
    },
    f32_planes_to_rgb_u8: (r, c) => {
      const plane = end - 4 * r * c;
      e.f32_planes_to_rgb_u8(r, c, plane, plane, plane, 4 * c, LOW, 3 * c, 3, LOW);
    },
    f32_planes_to_rgb_u16: (r, c) => {
      const plane = end - 4 * r * c;
      e.f32_planes_to_rgb_u16(r, c, plane, plane, plane, 4 * c, LOW, 8 * c, 4, LOW);
    },
    f32_channel_to_u8: (r, c) => e.f32_channel_to_u8(r, c, end - 4 * r * c, 4 * c, LOW, c, 1, 1, 0),
    f32_channel_to_u16: (r, c) => e.f32_channel_to_u16(r, c, end - 4 * r * c, 4 * c, LOW, 2 * c, 1, 1, 0),
    f32_resize_rows: (r, c) => {
      memory.i32.set([...Array(r).keys()], 2 * (LOW / 4));
      e.f32_resize_rows(r, c, end - 4 * r * c, 4 * c, LOW, 4 * c, 2 * LOW, 3 * LOW, 1, 0);
    },
    f32_resize_columns: (r, c) => {
      memory.i32.set([...Array(c).keys()], 2 * (LOW / 4));
      e.f32_resize_columns(r, c, end - 4 * r * c, 4 * c, 0, c, LOW, 4 * c, 2 * LOW, 3 * LOW, 1, 0, 4 * LOW);
    },
    x8_depth_to_space: (r, c) => {
      for (const b of [2, 3, 4]) e.x8_depth_to_space(r, c, b, 1, end - r * c * b * b, c * b * b, LOW, c * b);
    },
    x32_depth_to_space: (r, c) => {
      for (const b of [2, 3, 4])
        e.x32_depth_to_space(r, c, b, 1, end - 4 * r * c * b * b, 4 * c * b * b, LOW, 4 * c * b);
    },
  };

  it.each(Object.entries(kernels))("%s", (_name, run) => {
    for (const { rows, cols } of shapes) expect(() => run(rows, cols)).not.toThrow();
  });
});
