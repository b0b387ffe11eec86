import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { modelIds } from "../../src/models/registry.ts";
import { CLASSIFIERS } from "../_helpers/classifiers.ts";

const MAIN = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "wasmograd-inspect-"));

beforeAll(() => {
  expect(existsSync(MAIN), "npm run build comes first").toBe(true);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function cli(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [MAIN, ...args], { encoding: "utf8", cwd: folder });
}

/** The JSON document that a command prints. */
// biome-ignore lint/suspicious/noExplicitAny: documents of several commands, looked into by the assertions
function json(...args: string[]): any {
  const { status, stdout, stderr } = cli(...args, "--json");
  expect(stderr).toBe("");
  expect(status).toBe(0);
  return JSON.parse(stdout);
}

describe("ranges of the int8 network that ships", () => {
  test("of each layer that computes a tensor of it", () => {
    const { layers } = json("inspect", "sesr-m5");
    const ranges = new Map(layers.map(({ name, int8 }: { name: string; int8?: object }) => [name, int8]));
    // Studio range, in steps that divide the offset of 0.5.
    expect(ranges.get("x")).toEqual({ min: 0, max: (0.5 / 138) * 255, scale: 0.5 / 138, zeroPoint: -128, parts: 8 });
    // The output stays real.
    expect(ranges.get("y")).toBeUndefined();
    for (const name of ["x", "x.centred", "first", "blocks.0.prelu", "features"]) {
      const { min, max, scale, zeroPoint } = ranges.get(name) as Record<"min" | "max" | "scale" | "zeroPoint", number>;
      expect((max - min) / scale).toBeCloseTo(255, 9);
      expect(-128 - min / scale).toBeCloseTo(zeroPoint, 9);
    }
    // Fused into the PReLU behind it: no tensor of the int8 network.
    expect(ranges.get("blocks.0")).toBeUndefined();
    expect(cli("inspect", "sesr-m5").stdout).toMatch(/int8 range .*\n(.*\n)*x .* 0\.000 to 0\.924 in 1\/8 steps\n/);
    expect(cli("inspect", "sesr-m5").stdout).toMatch(/features .* to -?\d\.\d{3}\n/);
    expect(cli("inspect", "sesr-xl").stdout).toMatch(/features .* in 1\/8 steps\n/);
    expect(cli("inspect", "resnet18").stdout).not.toMatch(/int8 range/);
  });
});

describe("models", () => {
  test("lists every network, upscaling ones at each scale", () => {
    const { models } = json("models");
    expect([...new Set(models.map(({ id }: { id: string }) => id))]).toEqual(modelIds());
    expect(models).toHaveLength(modelIds().length + 5 + 2);
    expect(models).toContainEqual({
      id: "sesr-m5",
      family: "SESR",
      task: "super-resolution",
      scale: 2,
      input: [360, 640],
      params: 13_700,
      weights: 13_520,
      macs: 3_115_008_000,
      weightsShipped: true,
    });
    expect(models).toContainEqual({
      id: "ran-e-gt",
      family: "RAN-e",
      task: "classification",
      scale: null,
      input: [224, 224],
      params: 4_486_680,
      weights: 4_447_952,
      macs: 434_395_808,
      weightsShipped: false,
    });
  });

  test("the table has a line each, with G and M", () => {
    const lines = cli("models").stdout.split("\n");
    expect(lines[0]).toMatch(/^model +scale +input +parameters +weights +MACs +trained +family$/);
    expect(lines.find((line) => line.startsWith("resnet20-cifar"))).toMatch(/ 32x32 .* 40\.6 M .*CIFAR ResNet/);
    expect(lines.find((line) => line.startsWith("vdsr"))).toMatch(/720x1280 .* 612\.59 G /);
  });
});

describe("inspect", () => {
  test.each(CLASSIFIERS)("%s at its default input", (id, params, macs) => {
    const report = json("inspect", id);
    expect(report).toMatchObject({ model: id, params, macs, input: id.endsWith("-cifar") ? [32, 32] : [224, 224] });
    expect(report.weights).toBeLessThan(params);
    expect(report.layers.reduce((sum: number, layer: { macs: number }) => sum + layer.macs, 0)).toBe(macs);
  });

  test("counts SESR in both forms and at any size", () => {
    expect(json("inspect", "sesr-m5")).toMatchObject({ weights: 13_520, macs: 3_115_008_000, receptiveField: 19 });
    expect(json("inspect", "sesr-m5", "--form", "expanded")).toMatchObject({ weights: 318_720, params: 320_612 + 80 });
    expect(json("inspect", "sesr-m5", "--input", "1080x1920").macs).toBe(13_520 * 1080 * 1920);
    expect(json("inspect", "sesr-m5").layers).toContainEqual(
      expect.objectContaining({
        name: "blocks.0",
        op: "conv2d",
        shape: [360, 640, 16],
        algorithm: expect.stringMatching(/^f4x4-3x3-/),
      }),
    );
  });

  test("RepVGG as it trains, FSRCNN at its third scale", () => {
    expect(json("inspect", "repvgg-a0", "--form", "train").params).toBe(9_108_968);
    expect(json("inspect", "fsrcnn", "--scale", "3")).toMatchObject({ model: "fsrcnn-x3", input: [240, 427] });
  });

  test("NN-Mass and non-linear units; null where there is no mass", () => {
    expect(json("inspect", "ran-i-t")).toMatchObject({
      nnMass: 14_710,
      nonLinearUnits: 9_532_460,
      receptiveField: null,
    });
    // Five layers of 16 channels; PReLU.
    expect(json("inspect", "sesr-m5")).toMatchObject({ nnMass: null, nonLinearUnits: 360 * 640 * 5 * 16 });
    expect(cli("inspect", "resnet18").stdout).toMatch(/\nnon-linear units [\d,]+, NN-Mass 3,392\n$/);
    expect(cli("inspect", "vdsr").stdout).toMatch(/, NN-Mass not defined\n$/);
  });

  test("shows what auto takes, and why: depthwise and where that is faster direct", () => {
    const find = (id: string, name: string) =>
      json("inspect", id).layers.find((layer: { name: string }) => layer.name === name);
    expect(find("sesr-m5", "first")).toMatchObject({
      algorithm: "direct",
      reason: expect.stringMatching(/times as long/),
    });
    expect(find("ran-e-gt", "top.dw")).toMatchObject({
      algorithm: "direct",
      reason: expect.stringMatching(/depthwise/),
    });
  });

  const cases: [string, string[], number, RegExp][] = [
    ["unknown", ["inspekt"], 2, /model: expected one of sesr-m3, .*, xcit-s12, got inspekt/],
    ["unknown, with an option", ["vgg16", "--scale", "2"], 2, /model: expected one of/],
    ["no pixels", ["resnet18", "--input", "0x0"], 2, /--input: expected HEIGHTxWIDTH/],
    [
      "too small",
      ["convnext-t", "--input", "31x64"],
      1,
      /layer "downsample_layers\.3\.1": expected an input of at least/,
    ],
    ["a scale of a classifier", ["ran-i-t", "--scale", "2"], 2, /--scale: expected none, as ran-i-t has one only/],
    ["a scale that SESR does not have", ["sesr-m5", "--scale", "3"], 2, /--scale: expected 2 or 4, got 3/],
    ["a form of another family", ["repvgg-a0", "--form", "expanded"], 2, /--form: expected deployed or train, got/],
    ["a form of a description", ["own.json", "--form", "train"], 2, /--form: expected with a built-in network only/],
  ];
  test.each(cases)("bad input: %s", (_, args, status, message) => {
    const result = cli("inspect", ...args);
    expect(result.stderr).toMatch(message);
    expect(result.stderr).toMatch(/^wasmograd: [^\n]+\n$/);
    expect([result.stdout, result.status]).toEqual(["", status]);
  });

  test("a description from a file", () => {
    const layers = [
      { op: "input", name: "x", channels: 3 },
      { op: "activation", name: "y", input: "x", activation: { kind: "gelu" } },
    ];
    writeFileSync(join(folder, "own.json"), JSON.stringify({ name: "own", layers, output: "y" }));
    expect(json("inspect", "own.json", "--input", "2x5")).toMatchObject({
      params: 0,
      nnMass: null,
      nonLinearUnits: 30,
    });
  });
});
