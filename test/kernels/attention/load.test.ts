import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { instantiateSync } from "@assemblyscript/loader";
import asc from "assemblyscript/asc";
import { describe, expect, test } from "vitest";
import type { AttentionKernelExports } from "../../../src/kernels/attention/exports.ts";
import { instantiateAttentionKernels } from "../../../src/kernels/attention/load.ts";
import { compileBinary } from "../../../src/kernels/binaries.ts";
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

describe("three binaries over one memory", () => {
  test("the third imports the memory and nothing else", async () => {
    const module = await compileBinary("attention");
    expect(WebAssembly.Module.imports(module)).toEqual([{ module: "env", name: "memory", kind: "memory" }]);
    expect(await compileBinary("attention")).toBe(module);
  });

  test("static data: the layers' below 12288, the third's from there on, below the first allocation", async () => {
    const written = async (module: WebAssembly.Module): Promise<[number, number]> => {
      const memory = new WebAssembly.Memory({ initial: 1 });
      const bytes = new Uint8Array(memory.buffer).fill(0xcd);
      await WebAssembly.instantiate(module, { env: { memory } });
      return [bytes.findIndex((b) => b !== 0xcd), bytes.findLastIndex((b) => b !== 0xcd)];
    };
    const heap = new WasmMemory().allocate(1);
    const layers = await written(await compileBinary("layers"));
    const third = await written(await compileBinary("attention"));
    expect(layers[1]).toBeLessThan(12288);
    expect(third[0]).toBeGreaterThanOrEqual(12288);
    expect(third[1]).toBeLessThan(heap);
  });

  test("may be added late, and sees what the others compute after the memory has grown", async () => {
    const kernels = await instantiateKernels();
    const { memory } = kernels;
    const x = memory.allocate(64);
    memory.f32.set([1, -2, 3], x >> 2);
    const layers = await instantiateLayerKernels(kernels);
    const y = memory.allocate(2 ** 20);
    const attention = await instantiateAttentionKernels(kernels);
    expect(attention.memory).toBe(memory);
    kernels.exports.f32_affine(x, y, 3, 2, 0, -Infinity, Infinity);
    layers.exports.f32_hard_swish(y, y, 3);
    attention.exports.f32_add_scaled(y, y, y, 1, 3, x);
    const swish = [2, -4, 6].map(hardSwishF32);
    expect([...memory.f32.subarray(y >> 2, (y >> 2) + 3)]).toEqual([swish[0]! * 2, -swish[1]!, swish[2]! * 4]);
  });
});

test("the debug build exports the same and names what a kernel presumes", async () => {
  const folder = mkdtempSync(join(tmpdir(), "wasmograd-attention-"));
  try {
    const outFile = join(folder, "attention.debug.wasm");
    const args = ["--config", join(root, "asconfig.attention.json"), "--target", "debug", "--outFile", outFile];
    const quiet = ["--textFile", join(folder, "attention.wat"), "--sourceMap", "--baseDir", root];
    const { error, stderr } = await asc.main([...args, ...quiet]);
    expect(error, stderr.toString()).toBeNull();
    const memory = new WebAssembly.Memory({ initial: 1 });
    type DebugExports = Record<string, unknown> & AttentionKernelExports;
    const debug = instantiateSync<DebugExports>(readFileSync(outFile), { env: { memory } }).exports;
    const { exports } = await instantiateAttentionKernels(await instantiateKernels());
    expect(functions(debug)).toEqual(functions(exports));
    const attention = (keys: number): void =>
      debug.f32_attention(20000, 20000, 20000, 21000, 1, keys, 1, 1, 4, 4, 4, 4, 1, 30000);
    expect(() => attention(0)).toThrow(/abort: sizes: expected at least one key and one channel/);
    expect(() => attention(1)).not.toThrow();
    const xca = (tokens: number): void =>
      debug.f32_xca(20000, 20000, 20000, 21000, tokens, 1, 1, 4, 4, 4, 4, 22000, 30000);
    expect(() => xca(0)).toThrow(/abort: sizes: expected at least one token and one channel/);
    expect(() => xca(1)).not.toThrow();
    expect(() => debug.f32_softmax(20000, 20000, 1, 0, 0)).toThrow(/abort: columns: expected at least one/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
