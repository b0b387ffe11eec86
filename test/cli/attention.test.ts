/** `--attention` of `wasmograd inspect` and `classify`: members, fields, costs, and one line for what is wrong. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makePng } from "../_helpers/png.ts";

const MAIN = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "wasmograd-attention-"));

const OWN = {
  name: "own",
  layers: [
    { op: "input", name: "x", channels: 4 },
    ...["q", "k", "v"].map((name) => ({
      ...{ op: "conv2d", kernel: [1, 1], stride: 1, padding: "valid", channels: 4 },
      ...{ name, input: "x", weights: `${name}.w` },
    })),
    { op: "attention", name: "a", q: "q", k: "k", v: "v", heads: 2, map: "softmax" },
    { op: "conv2d", kernel: [1, 1], stride: 1, padding: "valid", channels: 4, name: "o", input: "a", weights: "o.w" },
  ],
  output: "o",
};

beforeAll(() => {
  expect(existsSync(MAIN), "npm run build comes first").toBe(true);
  writeFileSync(join(folder, "own.json"), JSON.stringify(OWN));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Printed {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const command = (...args: string[]): Printed =>
  spawnSync(process.execPath, [MAIN, ...args], { encoding: "utf8", cwd: folder });
const cli = (...args: string[]): Printed => command("inspect", ...args);

// biome-ignore lint/suspicious/noExplicitAny: a document, looked into by the assertions
function json(...args: string[]): any {
  const { status, stdout, stderr } = cli(...args, "--json");
  expect([stderr, status]).toEqual(["", 0]);
  return JSON.parse(stdout);
}

describe("inspect --attention", () => {
  test.each([
    ["shared-kv", 5_272_744, 1_166_536_704],
    ["lean", 4_828_072, 1_079_390_208],
    ["single,o=none", 4_383_400, 992_243_712],
    ["v=input", 5_272_744, 1_166_536_704],
    ["k==q,v==q", 4_828_072, 1_079_390_208],
    ["bias=qo", 5_717_416 - 12 * 2 * 192, 1_253_683_200],
    ["bias=none", 5_717_416 - 12 * 4 * 192, 1_253_683_200],
    ["grouping=3", 5_717_416 - 12 * 2 * (192 * 128 + 128), 1_253_683_200 - 12 * 197 * 2 * 192 * 128],
  ])("deit-ti as %s has %i parameters and %i MACs", (member, params, macs) => {
    expect(json("deit-ti", "--attention", member)).toMatchObject({ model: "deit-ti", params, macs });
  });

  test("says what attention costs, distinct scores apart", () => {
    const square = 12 * 197 * 197 * 192;
    expect(json("deit-ti").attention).toEqual({
      scores: square,
      distinctScores: square,
      apply: square,
      norms: 0,
      exponentials: 12 * 3 * 197 * 197,
      buffers: 3 * 197 * 192 + 197 * 197,
    });
    expect(json("deit-ti", "--attention", "shared-qk").attention.distinctScores).toBe((12 * 192 * 197 * 198) / 2);
    expect(json("resnet18").attention).toBeUndefined();
    expect(cli("deit-ti", "--attention", "shared-qk").stdout).toMatch(
      /\nattention: of the MACs scores 89,415,936 \(44,934,912 distinct\), values 89,415,936; exponentials 1,397,124\n$/,
    );
  });

  test("notes what is allowed but rarely meant", () => {
    expect(json("deit-ti", "--attention", "merged").notes).toEqual([expect.stringMatching(/^merged: of 3 heads/)]);
    expect(cli("deit-ti", "--attention", "valueless,o=none").stdout).toMatch(/\nnote: v input with o none: .*\n$/);
    expect(json("deit-ti", "--attention", "lean").notes).toBeUndefined();
  });

  test("XCiT's cross-covariance blocks, and a description of one's own", () => {
    const removed = json("xcit-n12").params - json("xcit-n12", "--attention", "shared-qk").params;
    expect(removed).toBe(198_144);
    expect(json("own.json", "--input", "2x3")).toMatchObject({ params: 64, macs: 6 * 64 + 2 * 36 * 4 });
    expect(json("own.json", "--input", "2x3", "--attention", "single")).toMatchObject({ params: 32 });
  });

  const cases: [string, string[], number, RegExp][] = [
    [
      "unknown member",
      ["deit-ti", "--attention", "shared"],
      2,
      /--attention: expected a member \(standard, .*, got shared/,
    ],
    ["unknown field", ["deit-ti", "--attention", "lean,w=own"], 2, /--attention: expected a member .* got w=own/],
    [
      "unknown value",
      ["deit-ti", "--attention", "k=other"],
      2,
      /attention: k: expected own or =q or input, got "other"/,
    ],
    ["no value", ["deit-ti", "--attention", "lean,o="], 2, /--attention: .*, got o=$/m],
    ["a member behind another", ["deit-ti", "--attention", "lean,single"], 2, /--attention: .*, got single/],
    ["biases of no projection", ["deit-ti", "--attention", "bias=qx"], 2, /--attention: .*, got bias=qx/],
    [
      "grouping of nothing",
      ["deit-ti", "--attention", "grouping=0"],
      2,
      /attention: grouping: expected a positive integer/,
    ],
    [
      "heads that cannot be grouped",
      ["deit-ti", "--attention", "grouping=2"],
      2,
      /grouping: expected a divisor of the 3 heads, got 2/,
    ],
    ["a contradiction", ["deit-ti", "--attention", "merged,o=none"], 2, /vo: expected separate with o "none"/],
    [
      "merged with xca",
      ["xcit-s12", "--attention", "merged"],
      2,
      /merged: expected softmax, as with xca it is not exact/,
    ],
    [
      "a network without attention",
      ["resnet18", "--attention", "lean"],
      2,
      /--attention: expected none, as resnet18 has no/,
    ],
    ["a file that is not there", ["own2.json", "--attention", "lean"], 1, /own2\.json: cannot be read/],
    [
      "another number of tokens",
      ["deit-s", "--input", "240x224"],
      1,
      /expected 197 tokens, for which positions are learnt, got 211/,
    ],
  ];
  test.each(cases)("bad input: %s", (_, args, status, message) => {
    const result = cli(...args);
    expect(result.stderr).toMatch(message);
    expect(result.stderr).toMatch(/^wasmograd: [^\n]+\n$/);
    expect([result.stdout, result.status]).toEqual(["", status]);
  });
});

describe("classify --attention", () => {
  const STUDY = fileURLToPath(new URL("../../training/attention-study/results", import.meta.url));
  const pictures = join(folder, "pictures");
  beforeAll(() => {
    const samples = Array.from({ length: 32 * 32 * 3 }, (_, i) => (i * i) % 256);
    const png = makePng({ width: 32, height: 32, bits: 8, colourType: 2, samples });
    for (const label of "abcdefghij") {
      mkdirSync(join(pictures, label), { recursive: true });
      writeFileSync(join(pictures, label, "1.png"), png);
    }
  });
  const classify = (model: string, ...args: string[]): Printed =>
    command(
      "classify",
      pictures,
      "--model",
      model,
      "--weights",
      join(STUDY, "vit-shared-kv-seed1.safetensors"),
      ...args,
    );
  const description = join(STUDY, "vit.network.json");

  test("runs the weights of a member on the description of the standard network", () => {
    const result = classify(description, "--attention", "shared-kv", "--variants", "f32 direct", "--json");
    expect([result.stderr, result.status]).toEqual(["", 0]);
    // The ten pictures are one, which is of each class in turn.
    expect(JSON.parse(result.stdout)).toMatchObject({ pictures: 10, results: [{ accuracy: 0.1, agreement: 1 }] });
  });

  test("refuses weights of another member, and networks without attention", () => {
    const other = classify(description, "--attention", "keyless", "--variants", "f32 direct");
    expect([other.stdout, other.status]).toEqual(["", 1]);
    expect(other.stderr).toMatch(/blocks\.0\.attn\.v\.weight/);
    const none = classify("resnet20-cifar", "--attention", "lean");
    expect([none.stdout, none.status]).toEqual(["", 2]);
    expect(none.stderr).toMatch(/--attention: expected none, as resnet20-cifar has no attention/);
  });
});
