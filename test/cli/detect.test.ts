import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { detectorNetworks } from "../../src/detector/networks.ts";
import { detectorWeightShapes } from "../../src/detector/weights.ts";
import { serialiseSafetensors } from "../../src/formats/safetensors.ts";
import { hashTensor } from "../golden/hash-weights.ts";

const MAIN = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));
const PHOTO = fileURLToPath(new URL("../../examples/photo.png", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "wasmograd-detect-"));

beforeAll(() => {
  expect(existsSync(MAIN), "npm run build comes first").toBe(true);
  const other = new Map([["fc.weight", { shape: [1], data: new Float32Array(1) }]]);
  writeFileSync(join(folder, "other.safetensors"), serialiseSafetensors(other));
  writeFileSync(join(folder, "broken.safetensors"), "no tensors here");
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function cli(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [MAIN, ...args], { encoding: "utf8", cwd: folder });
}

describe("inspect", () => {
  test("a detector's parts", () => {
    const { status, stdout } = cli("inspect", "ran-i-s-detector", "--json");
    expect(status).toBe(0);
    const { input, params, macs, parts, channels } = JSON.parse(stdout);
    expect({ input, params, channels }).toEqual({ input: [800, 1088], params: 47_375_330, channels: 606 });
    expect(parts.map(({ name, params: own }: { name: string; params: number }) => [name, own])).toEqual([
      ["backbone", 28_324_164],
      ["rpn", 3_351_255],
      ["head", 15_699_911],
    ]);
    expect(macs).toBe(parts[0].macs + parts[1].macs + 1000 * parts[2].macs);
  });

  test("as a table, at another size", () => {
    const { stdout } = cli("inspect", "convnext-t-detector", "--input", "64x96");
    expect(stdout).toMatch(/^convnext-t-detector on 64x96, 1,000 proposals\n/);
    expect(stdout).toMatch(/^all +52,949,618 /m);
  });
});

const errors: [string, string[], number, RegExp][] = [
  ["no weights", ["detect", PHOTO], 2, /--weights: expected a safetensors file, got none/],
  [
    "unknown model",
    ["detect", PHOTO, "--weights", "x", "--model", "ran-i-s"],
    2,
    /--model: expected ran-i-t-detector or/,
  ],
  ["no such picture", ["detect", "none.png", "--weights", "other.safetensors"], 1, /none\.png: no such file/],
  ["no such weights", ["detect", PHOTO, "--weights", "none"], 1, /none: cannot be read/],
  ["no safetensors", ["detect", PHOTO, "--weights", "broken.safetensors"], 1, /safetensors: /],
  [
    "another checkpoint",
    ["detect", PHOTO, "--weights", "other.safetensors"],
    1,
    /detector on ran-i-s backbone.*"rpn\.head\.conv\.weight" is missing.*"fc\.weight" is not a weight of the network$/m,
  ],
  ["unknown backbone", ["inspect", "vgg-detector"], 2, /backbone: expected one of ran-i-t, .*, got vgg/],
  [
    "input size",
    ["inspect", "ran-i-s-detector", "--input", "800x1066"],
    1,
    /input: expected sides that are multiples of 32/,
  ],
  ["a scale", ["inspect", "ran-i-s-detector", "--scale", "4"], 2, /--scale: expected none/],
];
test.each(errors)("%s", (_, args, status, message) => {
  const result = cli(...args);
  expect(result.stderr).toMatch(message);
  expect(result.stderr).toMatch(/^wasmograd: [^\n]+\n$/);
  expect(result.stdout).toBe("");
  expect(result.status).toBe(status);
});

// A file of 143 MB and 60 G multiply-accumulates.
test.skipIf(!process.env.WASMOGRAD_SLOW)("finds something with hash weights", { timeout: 300_000 }, () => {
  const shapes = detectorWeightShapes(detectorNetworks("ran-i-t"));
  const tensors = new Map([...shapes].map(([name, shape]) => [name, { shape, data: hashTensor(name, shape) }]));
  writeFileSync(join(folder, "hash.safetensors"), serialiseSafetensors(tensors, new Map([["layout", "OHWI"]])));
  const options = ["--weights", "hash.safetensors", "--model", "ran-i-t-detector"];
  const { stdout, stderr, status } = cli("detect", PHOTO, ...options, "--json");
  expect(stderr).toBe("");
  expect(status).toBe(0);
  const { width, height, detections, peakWasmBytes } = JSON.parse(stdout);
  expect(detections.length).toBeGreaterThan(0);
  expect(detections.length).toBeLessThanOrEqual(100);
  expect(peakWasmBytes).toBeLessThan(400 * 2 ** 20);
  for (const [i, { box, label, score }] of detections.entries()) {
    expect(label).toBeGreaterThanOrEqual(1);
    expect(label).toBeLessThan(91);
    expect(score).toBeLessThanOrEqual(detections[Math.max(0, i - 1)].score);
    const [x1, y1, x2, y2] = box;
    expect(x1 >= 0 && y1 >= 0 && x1 < x2 && y1 < y2 && x2 <= width && y2 <= height).toBe(true);
  }
});
