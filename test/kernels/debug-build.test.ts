import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { instantiateSync } from "@assemblyscript/loader";
import asc from "assemblyscript/asc";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CONV_PARAMS, CONV_PARAMS_BYTES, type ConvParam } from "../../src/kernels/convolution/params.ts";
import { instantiateKernels } from "../../src/kernels/load.ts";
import { int8Values } from "../_helpers/kernels.ts";

/** The debug build keeps assertions and source positions; the loader turns its aborts into readable errors. */
const root = fileURLToPath(new URL("../..", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "wasmograd-debug-"));

interface DebugExports extends Record<string, unknown> {
  qs8_conv2d_4x8(params: number): void;
  qs8_conv2d_1x1_4x8(params: number): void;
  f32_conv2d_8x4(params: number): void;
  f32_dwconv2d_2x4x4(params: number): void;
  s8_clamp(from: number, to: number, count: number, qmin: number, qmax: number): void;
}

const memory = new WebAssembly.Memory({ initial: 2 });
let debug: DebugExports;

beforeAll(async () => {
  const outFile = join(folder, "kernels.debug.wasm");
  const args = ["--config", join(root, "asconfig.json"), "--target", "debug", "--outFile", outFile];
  const quiet = ["--textFile", join(folder, "kernels.wat"), "--sourceMap", "--baseDir", root];
  const { error, stderr } = await asc.main([...args, ...quiet]);
  expect(error, stderr.toString()).toBeNull();
  debug = instantiateSync<DebugExports>(readFileSync(outFile), { env: { memory } }).exports;
});
afterAll(() => rmSync(folder, { recursive: true }));

describe("the debug build through @assemblyscript/loader", () => {
  test("exports what the release build exports", async () => {
    const release = await instantiateKernels();
    const names = (exports: object): string[] =>
      Object.entries(exports)
        .filter(([name, value]) => typeof value === "function" && !name.startsWith("__"))
        .map(([name]) => name)
        .sort();
    expect(names(debug)).toEqual(names(release.exports));
  });

  test("a kernel called against its contract aborts with a message", () => {
    new Uint8Array(memory.buffer).fill(0, 4096, 4096 + CONV_PARAMS_BYTES);
    expect(() => debug.qs8_conv2d_4x8(4096)).toThrow(/abort: shape: expected positive sizes/);
  });

  test("each direct kernel names what it presumes", () => {
    const call = (kernel: keyof DebugExports & string, fields: Partial<Record<ConvParam, number>>): (() => void) => {
      const params = new Int32Array(memory.buffer, 4096, CONV_PARAMS_BYTES / 4).fill(0);
      const layer = { output: 1024, ih: 4, iw: 4, ic: 4, ow: 4, oc: 4, kh: 3, kw: 3, stride: 1, tileColumns: 4 };
      for (const [name, value] of Object.entries({ ...layer, ...fields })) {
        params[CONV_PARAMS.indexOf(name as ConvParam)] = value;
      }
      return () => (debug[kernel] as (params: number) => void)(4096);
    };
    const depthwise = "f32_dwconv2d_2x4x4";
    expect(call(depthwise, { oc: 8 })).toThrow(/abort: channels: expected as many outputs as inputs/);
    expect(call(depthwise, { tileColumns: 6 })).toThrow(/abort: tileColumns: expected a positive multiple of 4/);
    expect(call("qs8_conv2d_1x1_4x8", {})).toThrow(/abort: kernel: expected 1x1/);
    expect(call("f32_conv2d_8x4", { oc: 5 })).toThrow(/abort: layer: expected stride 1 and at most 4 output channels/);
    // No rows: nothing is read or written.
    expect(call(depthwise, {})).not.toThrow();
  });

  test("computes the same", () => {
    const x = int8Values(9, 100);
    new Int8Array(memory.buffer).set(x, 1024);
    debug.s8_clamp(1024, 2048, 100, -50, 60);
    expect(new Int8Array(memory.buffer).slice(2048, 2148)).toEqual(x.map((v) => Math.min(60, Math.max(-50, v))));
  });
});

test("the release binary imports a memory and nothing else", () => {
  const module = new WebAssembly.Module(readFileSync(join(root, "build/kernels.wasm")));
  expect(WebAssembly.Module.imports(module)).toEqual([{ module: "env", name: "memory", kind: "memory" }]);
});
