import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { beforeAll, describe, expect, test } from "vitest";
import type { CountedRun } from "../../src/cli/counted-runs.ts";
import { CONV_PARAMS } from "../../src/kernels/convolution/params.ts";
import type { SelfTest } from "../../src/kernels/self-test.ts";
import { WINOGRAD_KERNELS } from "../../src/winograd/kernel-table.ts";
import type { Claim } from "../../src/winograd/report.ts";
import type { AlgorithmSummary } from "../../src/winograd/summary.ts";

const MAIN = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));

beforeAll(() => {
  expect(existsSync(MAIN), "npm run build comes first").toBe(true);
});

function verify(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [MAIN, "verify", ...args], { encoding: "utf8" });
}

describe("verify", () => {
  test("Ctrl-C ends it with 130 and prints nothing, whatever it is computing", async () => {
    const stops = [800, 2500].map(async (milliseconds) => {
      const child = spawn(process.execPath, [MAIN, "verify"]);
      const texts = { stdout: "", stderr: "" };
      for (const stream of ["stdout", "stderr"] as const) child[stream].on("data", (chunk) => (texts[stream] += chunk));
      await new Promise((resolve) => setTimeout(resolve, milliseconds));
      child.kill("SIGINT");
      const status = await new Promise((resolve) => child.on("exit", resolve));
      expect({ status, ...texts }).toEqual({ status: 130, stdout: "", stderr: "wasmograd: interrupted\n" });
    });
    await Promise.all(stops);
  });

  test("claims, algorithms, a counted run and the self-test as JSON", () => {
    const { status, stdout, stderr } = verify("--json");
    expect([status, stderr]).toEqual([0, ""]);
    const report = JSON.parse(stdout);
    expect(report.ok).toBe(true);
    expect(report.claims.map((c: Claim) => c.computed)).toEqual([3.1304, 17.375, 30.77, expect.any(Number)]);
    // The package's own picture: a difference, small as on the sets of docs/winograd.md.
    expect(Math.abs(report.claims[3].computed)).toBeLessThan(0.05);
    expect(report.numbers).toMatchObject({ complexBits: 12, rationalBits: 18, directChannels: 14_678 });
    const channels = (title: string, form: string): number =>
      report.algorithms.find((a: AlgorithmSummary) => a.title === title && a.formName === form).channels.oddUndone;
    expect([
      channels("F(2x2,3x3)", "2G"),
      channels("F(4x4,3x3) complex", "4G"),
      channels("F(4x4,3x3) rational", "Gn"),
    ]).toEqual([3669, 917, 229]);
    const counted = new Map(report.counted.map((run: CountedRun) => [run.kernel, run]));
    expect(counted.size).toBe(WINOGRAD_KERNELS.filter(({ dtype }) => dtype === "s8").length);
    expect(counted.get("qs8_conv2d_cf4x4_3x3")).toMatchObject({ reduction: 144 / 46, same: true, asPredicted: true });
    for (const run of report.counted) expect(run).toMatchObject({ same: true, asPredicted: true });
    expect(report.scaling.synthetic.length).toBeGreaterThan(100);
    expect(report.selfTests.length).toBeGreaterThan(0);
    for (const { different, outputs } of report.selfTests) expect([different, outputs > 0]).toEqual([0, true]);
    const tested = new Set(report.selfTests.map(({ kernel }: SelfTest) => kernel));
    for (const { kernel } of WINOGRAD_KERNELS) expect(tested).toContain(kernel);
    expect(tested).toContain("qs8_conv2d_f1x4_5x5");
    for (const name of ["conv2d_4x8", "conv2d_6x4", "conv2d_8x4", "conv2d_1x1_4x8", "dwconv2d_2x4x4"]) {
      for (const type of ["qs8", "f32"]) expect(tested).toContain(`${type}_${name}`);
    }
  });

  test("one page for people", () => {
    const { status, stdout } = verify();
    expect(status).toBe(0);
    for (const text of [
      "3.1304 x: reproduced",
      "17.375 %: reproduced under a stated reading",
      "30.77 %",
      "equal to direct, as the formula says",
      "PSNR lost",
      "does not fit int16: filter 18 bits",
      "bit for bit",
      "within the rounding bound",
    ]) {
      expect(stdout).toContain(text);
    }
  });
});

describe("verify on an engine that computes wrongly", () => {
  /** Runs verify with one output of a kernel changed after each call, in its first value. */
  function broken(kernel: string, change: string): ReturnType<typeof verify> {
    const folder = mkdtempSync(join(tmpdir(), "wasmograd-verify-"));
    const patch = join(folder, "patch.mjs");
    const outputField = 4 * CONV_PARAMS.indexOf("output");
    writeFileSync(
      patch,
      `const instantiate = WebAssembly.instantiate;
       WebAssembly.instantiate = async (module, imports) => {
         const { exports } = await instantiate(module, imports);
         const run = exports.${kernel};
         if (!run) return { exports };
         const changed = (params) => {
           run(params);
           const { buffer } = imports.env.memory;
           const output = new DataView(buffer).getUint32(params + ${outputField}, true);
           ${change};
         };
         return { exports: { ...exports, ${kernel}: changed } };
       };`,
    );
    const result = spawnSync(process.execPath, ["--import", pathToFileURL(patch).href, MAIN, "verify", "--json"], {
      encoding: "utf8",
    });
    rmSync(folder, { recursive: true });
    return result;
  }

  test.each([
    ["qs8_conv2d_cf4x4_3x3", "new Int8Array(buffer)[output] ^= 1"],
    ["f32_conv2d_f4x4_3x3_half", "new Float32Array(buffer, output, 1)[0] += 0.01"],
  ])("%s: named on stderr, exit status 1, the report complete", (kernel, change) => {
    const { status, stdout, stderr } = broken(kernel, change);
    expect(status).toBe(1);
    expect(stderr).toMatch(new RegExp(`^wasmograd: verify: ${kernel}.* failed\n$`));
    const report = JSON.parse(stdout);
    expect(report.ok).toBe(false);
    for (const test of report.selfTests as SelfTest[]) expect(test.different > 0).toBe(test.kernel === kernel);
  });
});

describe("verify --points", () => {
  const OWN = ["--points", "0,1,-1,i,-i,inf", "--m", "4", "--r", "3"];

  test("matrices and widths of one's own algorithm", () => {
    const { status, stdout } = verify(...OWN);
    expect(status).toBe(0);
    expect(stdout).toContain("identity holds");
    expect(stdout).toContain("[0 -i -1  i  1 0]");
    expect(stdout).toContain("4G in the filter; result times 16");
    expect(stdout).toContain("products 46, reduction 3.130x");
  });

  test("the same as JSON", () => {
    const report = JSON.parse(verify(...OWN, "--json").stdout);
    expect(report).toMatchObject({ exact: true, products: 46, scale: 16, input: { bits: 12 }, filter: { bits: 12 } });
    expect(report.planes).toHaveLength(46);
    expect(Math.min(...report.planes.map((p: { noWrapChannels: number }) => p.noWrapChannels))).toBe(917);
    expect(report.planes[5]).toMatchObject({ row: "1", column: "1", input: { gain: 16 }, filter: { gain: 9 } });
    expect(report.errorAmplification).toBeGreaterThan(1);
    expect(report.rational.G[3]).toEqual(["1/4", "1/4i", "-1/4"]);
    expect(report.integer).toMatchObject({ form: "scaled", scale: 4, D: ["4", "1", "1", "1", "1", "4"] });
  });

  test.each([
    [["--points", "0,1,i,inf", "--m", "2", "--r", "3"], "points: i needs its conjugate -i"],
    [["--points", "0,1,1,inf", "--m", "2", "--r", "3"], "points: 1 is repeated"],
    [["--points", "0,1,inf", "--m", "2", "--r", "3"], "points: F(2, 3) needs 2 + 3 - 1 = 4, got too few: 3"],
    [["--points", "0,1,inf", "--m", "2"], "--points: needs --m and --r, got no --r"],
    [["--points", "0,1,inf", "--m", "99", "--r", "3"], "--m: expected an integer from 1 to 12, got 99"],
    [["--m", "4"], "--m: only with --points"],
    [["--points", "0,1,inf", "--pictures", "x"], "--pictures: not with --points"],
    [["--pictures", "a/set,b/set"], "--pictures: expected sets of different names, got set twice"],
    [["--pictures", "a,,b"], '--pictures: expected directories with commas between, got "a,,b"'],
  ])("%j is refused in one line", (args, message) => {
    const { status, stdout, stderr } = verify(...args);
    expect([status, stdout, stderr]).toEqual([2, "", `wasmograd: ${message}\n`]);
  });
});
