import { expect, test } from "vitest";
import type { AttentionKernelExports } from "../../../src/kernels/attention/exports.ts";
import { attentionScratchBytes, pivotScratchBytes, xcaScratchBytes } from "../../../src/kernels/attention/scratch.ts";
import { compileBinary } from "../../../src/kernels/binaries.ts";
import { s8Arguments } from "../../_helpers/attention.ts";

// Operands at the end of a memory: a load beyond the reach that the kernels' headers state traps.
const PAGES = 4;
const END = PAGES * 65536;
const memory = new WebAssembly.Memory({ initial: PAGES, maximum: PAGES });
const instance = await WebAssembly.instantiate(await compileBinary("attention"), { env: { memory } });
const exports = instance.exports as unknown as AttentionKernelExports;
const TO = 16384;
const SCRATCH = 65536;
const TEMPERATURES = 12288 - 64;
const ZEROS = 131072;
const Q = { zeroQ: 1, zeroK: 2, zeroV: 3, ratio: 1, zeroPoint: 0, qmin: -128, qmax: 127 };
const LENGTHS = [1, 2, 3, 4, 5, 7, 8, 9, 12, 13, 16, 17];

test("attention of f32 reads at most 28 bytes past its operands, of int8 at most 7", () => {
  for (const tokens of LENGTHS) {
    for (const channels of LENGTHS) {
      const bytes = tokens * channels;
      const f32 = END - 28 - bytes * 4;
      const s8 = END - 7 - bytes;
      expect(attentionScratchBytes("f32", tokens, channels)).toBeLessThan(65536);
      expect(xcaScratchBytes("f32", tokens, channels)).toBeLessThan(65536);
      const strides = [channels * 4, channels * 4, channels * 4, channels * 4] as const;
      // One query takes a way of its own.
      for (const queries of [1, tokens]) {
        exports.f32_attention(f32, f32, f32, TO, queries, tokens, 1, channels, ...strides, 1, SCRATCH);
      }
      exports.f32_xca(f32, f32, f32, TO, tokens, 1, channels, ...strides, TEMPERATURES, SCRATCH);
      const s8Strides = [channels, channels, channels, channels] as const;
      const rest = [...s8Arguments(Q), SCRATCH] as const;
      for (const queries of [1, tokens]) {
        exports.qs8_attention(s8, s8, s8, TO, queries, tokens, 1, channels, ...s8Strides, 1, ...rest);
      }
      exports.qs8_xca(s8, s8, s8, TO, tokens, 1, channels, ...s8Strides, TEMPERATURES, ...rest);
    }
  }
});

test("f32_pivot_projection reads at most 12 bytes past its input", () => {
  for (const pixels of LENGTHS) {
    for (const inputs of LENGTHS.filter((n) => n > 1)) {
      const own = inputs >> 1;
      expect(pivotScratchBytes(pixels, inputs, own)).toBeLessThan(65536);
      // Its tables are read to their ends; zeros do.
      exports.f32_pivot_projection(END - 12 - pixels * inputs * 4, TO, pixels, inputs, 1, own, ZEROS, ZEROS, SCRATCH);
    }
  }
});

test("f32_softmax, f32_add_scaled and f32_l2 read at most 12 bytes past theirs", () => {
  for (const rows of LENGTHS) {
    for (const channels of LENGTHS) {
      const stride = channels * 4;
      const from = END - 12 - rows * stride;
      const gamma = END - 12 - stride;
      exports.f32_softmax(from, TO, rows, channels, stride);
      exports.f32_add_scaled(from, from, TO, rows, channels, gamma);
      exports.f32_l2(from, TO, rows, channels, stride, stride, 1e-12);
    }
  }
});
