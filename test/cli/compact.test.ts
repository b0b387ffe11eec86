/** `wasmograd compact`: exact transformations by name, what is written, and one line for what is wrong. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadWeights, saveWeights } from "../../src/formats/weights-file.ts";
import { buildModel } from "../../src/models/registry.ts";
import { countNetwork } from "../../src/network/counts.ts";
import type { Network } from "../../src/network/description.ts";
import { roundWeights } from "../../src/network/passes/round.ts";
import { INPUT, randomReal, type Shape, vit } from "../attention/random-vit.ts";

const MAIN = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "wasmograd-compact-"));
const SIZE = ["--input", INPUT.join("x")];

function save(name: string, network: Network): void {
  const { weights } = roundWeights(randomReal(network, 5));
  writeFileSync(join(folder, `${name}.json`), JSON.stringify(network));
  writeFileSync(join(folder, `${name}.safetensors`), saveWeights(weights));
}
const heads = (count: number): Shape => ({ heads: count, own: 24 / count, depth: 2, seed: 1 });

beforeAll(() => {
  expect(existsSync(MAIN), "npm run build comes first").toBe(true);
  save("one", vit(heads(1)));
  save("three", vit(heads(3)));
  const short = roundWeights(randomReal(vit(heads(3)), 5)).weights;
  const names = ["blocks.0.attn.k.weight", "blocks.1.attn.v.bias"];
  writeFileSync(
    join(folder, "short.safetensors"),
    saveWeights(new Map([...short].filter(([name]) => !names.includes(name)))),
  );
  writeFileSync(join(folder, "own.safetensors"), "x");
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function cli(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [MAIN, "compact", ...args], { encoding: "utf8", cwd: folder });
}

const args = (model: string, apply: string, out = "out.safetensors"): string[] => [
  ...[`${model}.json`, "--weights", `${model}.safetensors`, "--apply", apply, "--out", out],
  ...SIZE,
];

function written(): { network: Network; parameters: number } {
  const network = JSON.parse(readFileSync(join(folder, "out.json"), "utf8")) as Network;
  const weights = loadWeights(readFileSync(join(folder, "out.safetensors")), network);
  return { network, parameters: [...weights.values()].reduce((sum, { data }) => sum + data.length, 0) };
}

describe("compact", () => {
  // d = 24, two layers; biases of k and v are 24 each, a merged layer has half the weights and no biases but of q and the output.
  test.each([
    ["three", "drop-k-bias", 2 * 24, 0],
    ["three", "drop-k-bias,fold-v-bias", 2 * 48, 0],
    ["three", "gauge-fix", 2 * (48 + (2 * 24 ** 2) / 3), (2 * (2 * 24 ** 2)) / 3],
    ["three", "fold-v-bias, gauge-fix, drop-k-bias", 2 * (48 + (2 * 24 ** 2) / 3), (2 * (2 * 24 ** 2)) / 3],
    ["one", "merge", 2 * (48 + 2 * 24 ** 2), 2 * 2 * 24 ** 2],
    ["one", "drop-k-bias,fold-v-bias,merge,gauge-fix", 2 * (48 + 2 * 24 ** 2), 2 * 2 * 24 ** 2],
  ])("%s heads: %s saves %i parameters, and the outputs stay", (model, apply, parameters, products) => {
    const { stdout, stderr, status } = cli(...args(model, apply), "--json");
    expect([stderr, status]).toEqual(["", 0]);
    const report = JSON.parse(stdout);
    expect(report.applied).toEqual(apply.split(/, ?/));
    expect(report.params.before - report.params.after).toBe(parameters);
    expect(report.weights.before - report.weights.after).toBe(products);
    const tokens = (INPUT[0] / 4) * (INPUT[1] / 4) + 1;
    expect(report.macs.before - report.macs.after).toBe(products * tokens);
    expect(report.outputDifference).toBeLessThanOrEqual(1e-4);
    expect(report.largestCondition === null).toBe(report.gauge.length === 0);
    const result = written();
    expect(result.parameters).toBe(report.params.after);
    expect(countNetwork(result.network, INPUT)).toMatchObject({ params: report.params.after, macs: report.macs.after });
  });

  test("prints what is saved, the conditions, how far outputs are apart, and the files", () => {
    const { stdout, stderr, status } = cli(...args("three", "gauge-fix"));
    expect([stderr, status]).toEqual(["", 0]);
    expect(stdout).toMatch(/^vit on 8x12: gauge-fix\n/);
    expect(stdout).toMatch(/\nMACs +[\d,]+ +[\d,]+ +-[\d.]+ %\n/);
    expect(stdout).toMatch(/\nblocks\.1\.attn\.v +3 +[\d.e+]+ +[\d.e+]+\n/);
    expect(stdout).toMatch(
      /\nf32 outputs of a random input: \S+ of the largest apart\nwritten: out\.safetensors, out\.json\n$/,
    );
  });

  test("a result goes through the command again, with nothing left to do", () => {
    cli(...args("three", "gauge-fix"));
    const again = ["out.json", "--weights", "out.safetensors", "--apply", "gauge-fix,drop-k-bias", "--out"];
    const { stdout } = cli(...again, "again.safetensors", ...SIZE, "--json");
    const { params, gauge, outputDifference } = JSON.parse(stdout);
    expect([params.before - params.after, gauge, outputDifference]).toEqual([0, [], 0]);
    rmSync(join(folder, "again.safetensors"));
    rmSync(join(folder, "again.json"));
  });

  test("a built-in network by its id", () => {
    const network = buildModel("xcit-n12");
    const { weights } = roundWeights(randomReal(network, 3));
    writeFileSync(join(folder, "xcit.safetensors"), saveWeights(weights));
    const given = ["xcit-n12", "--weights", "xcit.safetensors", "--input", "32x32", "--out", "out.safetensors"];
    const { stdout, stderr } = cli(...given, "--apply", "gauge-fix", "--json");
    expect(stderr).toBe("");
    // The two class-attention blocks: cross-covariance attention stays as it is.
    expect(new Set(JSON.parse(stdout).gauge.map(({ attention }: { attention: string }) => attention)).size).toBe(2);
    const merge = cli(...given, "--apply", "merge");
    expect(merge.stderr).toMatch(/^wasmograd: --apply: merge: expected softmax attention, as with xca .*\n$/);
    expect(merge.status).toBe(2);
  });

  const cases: [string, string[], number, RegExp][] = [
    [
      "merge with several heads",
      args("three", "merge", "bad.safetensors"),
      2,
      /merge: expected attention of one head, .* got 3/,
    ],
    [
      "an unknown name",
      args("three", "gauge", "bad.safetensors"),
      2,
      /--apply: expected some of drop-k-bias, .*, got gauge$/m,
    ],
    ["no name", args("three", "", "bad.safetensors"), 2, /--apply: expected some of drop-k-bias, .*, got $/m],
    [
      "a network without attention",
      ["resnet18", "--weights", "one.safetensors", "--apply", "gauge-fix", "--out", "bad.safetensors"],
      2,
      /compact: expected a network with attention, got resnet18 without/,
    ],
    [
      "a checkpoint that lacks tensors",
      ["three.json", "--weights", "short.safetensors", "--apply", "gauge-fix", "--out", "bad.safetensors", ...SIZE],
      1,
      /blocks\.0\.attn\.k\.weight.*blocks\.1\.attn\.v\.bias/,
    ],
    [
      "no safetensors",
      ["three.json", "--weights", "own.safetensors", "--apply", "gauge-fix", "--out", "bad.safetensors", ...SIZE],
      1,
      /safetensors: expected at least 8 bytes, got 1/,
    ],
    [
      "no weights",
      ["one.json", "--apply", "merge", "--out", "bad.safetensors"],
      2,
      /--weights: expected a safetensors file, got none/,
    ],
    [
      "nothing to do",
      ["one.json", "--weights", "one.safetensors", "--out", "bad.safetensors"],
      2,
      /--apply: expected some of .*, got none/,
    ],
    [
      "no place",
      ["one.json", "--weights", "one.safetensors", "--apply", "merge"],
      2,
      /--out: expected FILE\.safetensors, got none/,
    ],
    ["another ending", args("one", "merge", "bad.json"), 2, /--out: expected FILE\.safetensors, got bad\.json/],
    [
      "the checkpoint's own name",
      args("one", "merge", "one.safetensors"),
      2,
      /--out: expected another file than that of --weights/,
    ],
    [
      "a folder that is not there",
      args("one", "merge", "none/bad.safetensors"),
      1,
      /cannot write none\/bad\.safetensors/,
    ],
    [
      "another number of tokens",
      [...args("one", "merge", "bad.safetensors"), "--input", "16x16"],
      1,
      /expected 7 tokens/,
    ],
  ];
  test.each(cases)("bad input: %s", (_, given, status, message) => {
    const before = readdirSync(folder);
    const result = cli(...given);
    expect(result.stderr).toMatch(message);
    expect(result.stderr).toMatch(/^wasmograd: [^\n]+\n$/);
    expect([result.stdout, result.status]).toEqual(["", status]);
    expect(readdirSync(folder)).toEqual(before);
  });
});
