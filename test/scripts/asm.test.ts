import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { exportedFunctions, withCallees } from "../../scripts/asm/binary.ts";
import { hotLoops, type MachineFunction, parseListing } from "../../scripts/asm/machine-code.ts";

const root = new URL("../..", import.meta.url);
const read = (path: string): Buffer<ArrayBuffer> => Buffer.from(readFileSync(new URL(path, root)));

const listing = parseListing(read("test/fixtures/print-wasm-code.txt").toString());

/** A function of four-byte instructions; @N is the N-th of them. */
function assemble(...lines: string[]): MachineFunction {
  const instructions = lines.map((line, i) => ({
    offset: i * 4,
    text: line.replace(/@(\d+)/, (_, n) => `0xabc  <+0x${(Number(n) * 4).toString(16)}>`),
  }));
  return { index: 0, instructions };
}

describe("machine code", () => {
  test("functions of a stored listing", () => {
    expect(listing.map(({ index, instructions }) => [index, instructions.length])).toEqual([
      [88, 78],
      [71, 164],
    ]);
    expect(listing[0]!.instructions.slice(0, 2)).toEqual([
      { offset: 0, text: "push rbp" },
      { offset: 1, text: "REX.W movq rbp,rsp" },
    ]);
  });

  test("the loop of f32_affine by Node 20: padding before it, stores of the last lanes in it, the stack check's call not", () => {
    const [loop, ...others] = hotLoops(listing[0]!);
    expect(others).toEqual([]);
    expect(loop).toMatchObject({ begin: 0x43, instructions: 32, multiplies: 1, spills: 0 });
    expect(loop!.code.some(({ text }) => text.startsWith("call"))).toBe(false);
  });

  test("the inner one of two nested loops by Node 26, with its reloads from the stack", () => {
    const loops = hotLoops(listing[1]!);
    expect(loops.map(({ begin, multiplies, spills }) => [begin, multiplies, spills])).toEqual([[0x14e, 3, 2]]);
    const reloads = loops[0]!.code.filter(({ text }) => text.includes("[rbp")).map(({ text }) => text);
    expect(reloads).toEqual(["movl r9,[rbp-0x20]", "movl rcx,[rbp+0x20]"]);
  });

  test("loops that share a header are one; those with the most multiplications come first", () => {
    const code = assemble(
      "xorl rax,rax",
      "vmulps xmm0,xmm0,xmm1", // 1: a loop with two ways back
      "jz @1",
      "vmovups [rbp-0x90],xmm0",
      "jnz @1",
      "vpmaddwd xmm0,xmm0,xmm1", // 5: a loop of one block
      "vpmaddwd xmm0,xmm0,xmm1",
      "nop",
      "jl @5",
      "addl rax,0x1", // 9: a loop that multiplies nothing
      "jl @9",
      "ret",
    );
    const loops = hotLoops(code).map(({ begin, instructions, multiplies, spills }) => ({
      begin,
      instructions,
      multiplies,
      spills,
    }));
    expect(loops).toEqual([
      { begin: 20, instructions: 3, multiplies: 2, spills: 0 },
      { begin: 4, instructions: 4, multiplies: 1, spills: 1 },
    ]);
  });
});

describe("the binary", () => {
  const wasm = read("build/kernels.wasm");
  const wat = read("build/kernels.wat").toString();

  test("exports and their indices name the same functions as the text form", () => {
    const exported = exportedFunctions(wasm);
    const names = WebAssembly.Module.exports(new WebAssembly.Module(wasm))
      .filter(({ kind }) => kind === "function")
      .map(({ name }) => name);
    expect([...exported.keys()].sort()).toEqual(names.sort());
    for (const [, name, target] of wat.matchAll(/\(export "(\w+)" \(func \$([^\s()]+)\)\)/g)) {
      expect(withCallees(wat, exported.get(name!)!)[0]!.name, name).toBe(target);
    }
  });

  test("what a kernel calls, each once", () => {
    const index = exportedFunctions(wasm).get("qs8_conv2d_1x1_4x8")!;
    const names = withCallees(wat, index).map(({ name }) => name);
    expect(names).toContain("assembly/common/epilogue-s8/epilogue_s8_4x8_halves");
    expect(new Set(names).size).toBe(names.length);
  });
});

describe("npm run asm", () => {
  const asm = (...args: string[]): { status: number | null; stdout: string; stderr: string } =>
    spawnSync(process.execPath, ["--import", "tsx", fileURLToPath(new URL("scripts/print-asm.ts", root)), ...args], {
      encoding: "utf8",
      cwd: fileURLToPath(root),
    });

  test("refuses what it does not know, with the list", () => {
    const { status, stderr } = asm("qs8_conv2d_5x5");
    expect(status).toBe(2);
    expect(stderr).toMatch(/^asm: KERNEL: expected one of f32_add, .*qs8_dwconv2d_2x4x4.*, got qs8_conv2d_5x5\n$/);
    expect(asm().stderr).toMatch(/got none\n$/);
    expect(asm("f32_add", "--speed").status).toBe(2);
    expect(asm("f32_add", "--node", "/nowhere/node").stderr).toMatch(/^asm: --node: \/nowhere\/node: .*ENOENT/);
  });

  test.runIf(process.arch === "x64")("the hot loops of the depthwise kernel do not spill what they multiply", () => {
    const { status, stdout } = asm("qs8_dwconv2d_2x4x4", "--json");
    expect(status).toBe(0);
    const report = JSON.parse(stdout);
    expect([report.kernel, report.node]).toEqual(["qs8_dwconv2d_2x4x4", process.version]);
    const loops = report.functions.flatMap(({ loops }: { loops: unknown[] }) => loops);
    const [hottest] = loops.sort((a: { multiplies: number }, b: { multiplies: number }) => b.multiplies - a.multiplies);
    expect(hottest.multiplies).toBeGreaterThanOrEqual(8);
    expect(hottest.spills).toBeLessThanOrEqual(2);
    expect(hottest.code.length).toBeGreaterThanOrEqual(hottest.instructions);
  });
});
