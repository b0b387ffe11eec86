/** Relaxed SIMD: asked for by name, within rounding of what is computed without, and left out where the engine has none. */
import { setFlagsFromString } from "node:v8";
import { beforeAll, describe, expect, test } from "vitest";
import { compile } from "../../src/engine/compile.ts";
import { instantiateAttentionKernels } from "../../src/kernels/attention/load.ts";
import { attentionScratchBytes } from "../../src/kernels/attention/scratch.ts";
import { instantiateKernels } from "../../src/kernels/load.ts";
import { buildModel } from "../../src/models/registry.ts";
import { place, runAttention } from "../_helpers/attention.ts";
import { floatValues } from "../_helpers/kernels.ts";
import { randomMap, randomModel, relativeError, seeded } from "../network/random-model.ts";

/** (func (drop (f32x4.relaxed_madd (v128.const 0) (v128.const 0) (v128.const 0)))): whether an engine knows the instruction. */
function hasRelaxedSimd(): boolean {
  const zero = [0xfd, 0x0c, ...new Array<number>(16).fill(0)];
  const code = [0, ...zero, ...zero, ...zero, 0xfd, 0x85, 0x02, 0x1a, 0x0b];
  const header = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
  const types = [1, 4, 1, 0x60, 0, 0];
  const functions = [3, 2, 1, 0];
  const body = [10, code.length + 2, 1, code.length, ...code];
  return WebAssembly.validate(Uint8Array.from([...header, ...types, ...functions, ...body]));
}

// Node 20 has it behind a flag; later ones do not know the flag and have it.
beforeAll(() => {
  if (!hasRelaxedSimd()) setFlagsFromString("--experimental-wasm-relaxed-simd");
});

describe("relaxed SIMD", () => {
  test("is there where the engine has it, and only when asked for", async () => {
    expect((await instantiateKernels()).relaxed).toBe(false);
    expect((await instantiateKernels({ relaxed: true })).relaxed).toBe(hasRelaxedSimd());
  });

  test.each([
    ["resnet20-cifar", [32, 32]],
    ["deit-ti", [224, 224]],
  ] as const)("%s: within rounding of the result without", async (id, size) => {
    const model = randomModel(buildModel(id), 5);
    const input = randomMap(seeded(6), [...size, 3], -1, 1);
    const [plain, relaxed] = [await compile(model), await compile(model, { relaxedSimd: true })];
    expect(plain.kernels.relaxed).toBe(false);
    expect(relativeError(relaxed.run(input).data, plain.run(input).data)).toBeLessThanOrEqual(1e-4);
    plain.dispose();
    relaxed.dispose();
  });

  test.each([
    [1, 64],
    [3, 7],
  ])("a query of %i heads of %i channels has the same bits alone and among others", async (heads, headChannels) => {
    const { memory, exports } = await instantiateAttentionKernels(await instantiateKernels({ relaxed: true }));
    const [queries, keys, width] = [9, 21, heads * headChannels];
    const where = { place: "apart", gap: 0, skew: 0, garbage: 0xff } as const;
    const scratchBytes = attentionScratchBytes("f32", keys, headChannels);
    const all = place(where, queries, keys, width, (length) => Float32Array.from(floatValues(7, length)));
    const run = (operands: typeof all, count: number) =>
      runAttention(memory, operands, where, [count, width], scratchBytes, (p) => {
        const strides = [p.stride, p.stride, p.stride, p.toStride] as const;
        exports.f32_attention(p.q, p.k, p.v, p.to, count, keys, heads, headChannels, ...strides, 0.25, p.scratch);
      });
    const among = run(all, queries);
    for (let i = 0; i < queries; i++) {
      const alone = run({ ...all, q: { ...all.q, first: i * all.q.stride } }, 1);
      expect(alone).toEqual(among.slice(i * width, (i + 1) * width));
    }
  });

  test("is refused where it says nothing", async () => {
    const model = randomModel(buildModel("resnet20-cifar"), 5);
    const kernels = await instantiateKernels();
    await expect(compile(model, { kernels, relaxedSimd: true })).rejects.toThrow(
      "relaxedSimd: expected without kernels",
    );
    const wrong = { relaxedSimd: "yes" } as unknown as { relaxedSimd: boolean };
    await expect(compile(model, wrong)).rejects.toThrow("relaxedSimd: expected true or false, got yes");
  });
});
