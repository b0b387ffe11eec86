import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { instantiateSync } from "@assemblyscript/loader";
import asc from "assemblyscript/asc";
import { describe, expect, test } from "vitest";
import { compileBinary } from "../../../src/kernels/binaries.ts";
import type { LayerKernelExports } from "../../../src/kernels/layers/exports.ts";
import { instantiateLayerKernels } from "../../../src/kernels/layers/load.ts";
import { instantiateKernels } from "../../../src/kernels/load.ts";
import { WasmMemory } from "../../../src/kernels/memory.ts";
import { hardSwishF32 } from "../../../src/reference/activations.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const functions = (exports: object): string[] =>
  Object.entries(exports)
    .filter(([name, value]) => typeof value === "function" && !name.startsWith("__"))
    .map(([name]) => name)
    .sort();

describe("two binaries over one memory", () => {
  test("the second imports the memory and nothing else", async () => {
    const module = await compileBinary("layers");
    expect(WebAssembly.Module.imports(module)).toEqual([{ module: "env", name: "memory", kind: "memory" }]);
    expect(await compileBinary("layers")).toBe(module);
  });

  test("static data: the first below 8192, the second from there on, both below the first allocation", async () => {
    const written = async (module: WebAssembly.Module): Promise<[number, number]> => {
      const memory = new WebAssembly.Memory({ initial: 1 });
      const bytes = new Uint8Array(memory.buffer).fill(0xcd);
      await WebAssembly.instantiate(module, { env: { memory } });
      return [bytes.findIndex((b) => b !== 0xcd), bytes.findLastIndex((b) => b !== 0xcd)];
    };
    const heap = new WasmMemory().allocate(1);
    const first = await written(await compileBinary("kernels"));
    const second = await written(await compileBinary("layers"));
    expect(first[0]).toBeGreaterThanOrEqual(1024);
    expect(first[1]).toBeLessThan(8192);
    expect(second[0]).toBeGreaterThanOrEqual(8192);
    expect(second[1]).toBeLessThan(heap);
  });

  test("may be added late, and again, and sees what the first computes after the memory has grown", async () => {
    const kernels = await instantiateKernels();
    const { memory } = kernels;
    const x = memory.allocate(64);
    memory.f32.set([1, -2, 3], x >> 2);
    const layers = await instantiateLayerKernels(kernels);
    const y = memory.allocate(2 ** 20);
    const again = await instantiateLayerKernels(kernels);
    expect(layers.memory).toBe(memory);
    kernels.exports.f32_affine(x, y, 3, 2, 0, -Infinity, Infinity);
    layers.exports.f32_hard_swish(y, y, 3);
    again.exports.f32_hard_swish(y, y, 3);
    const expected = [2, -4, 6].map(hardSwishF32).map(hardSwishF32);
    expect([...memory.f32.subarray(y >> 2, (y >> 2) + 3)]).toEqual(expected);
  });
});

test("the debug build exports the same and names what a kernel presumes", async () => {
  const folder = mkdtempSync(join(tmpdir(), "wasmograd-layers-"));
  try {
    const outFile = join(folder, "layers.debug.wasm");
    const args = ["--config", join(root, "asconfig.layers.json"), "--target", "debug", "--outFile", outFile];
    const quiet = ["--textFile", join(folder, "layers.wat"), "--sourceMap", "--baseDir", root];
    const { error, stderr } = await asc.main([...args, ...quiet]);
    expect(error, stderr.toString()).toBeNull();
    const memory = new WebAssembly.Memory({ initial: 1 });
    type DebugExports = Record<string, unknown> & LayerKernelExports;
    const debug = instantiateSync<DebugExports>(readFileSync(outFile), { env: { memory } }).exports;
    const { exports } = await instantiateLayerKernels(await instantiateKernels());
    expect(functions(debug)).toEqual(functions(exports));
    const pool = (kh: number): void => debug.s8_max_pool(20000, 30000, 1, 1, 1, kh, 1, 1, 0, 0, 0, 1, 1, 1, 1);
    expect(() => pool(0)).toThrow(/abort: window: expected positive sizes and stride/);
    expect(() => pool(1)).not.toThrow();
    const subsample = (before: number): void => debug.x8_subsample(20000, 30000, 1, 1, 1, 2, 4, before, 2, 4, 0);
    expect(() => subsample(3)).toThrow(/abort: channels: expected before \+ inChannels <= outChannels/);
    expect(() => subsample(2)).not.toThrow();
  } finally {
    rmSync(folder, { recursive: true });
  }
});
