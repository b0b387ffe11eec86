import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, test } from "vitest";
import { VARIANTS } from "../../src/models/convnext-sizes.ts";

const MAIN = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));
const DOCUMENT = fileURLToPath(new URL("../../docs/ran.md", import.meta.url));

beforeAll(() => {
  expect(existsSync(MAIN), "npm run build comes first").toBe(true);
});

function scale(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, "scale", ...args], { encoding: "utf8" });
  return { status, stdout, stderr };
}

describe("scale", () => {
  test("a network for a budget and a mass, as JSON", () => {
    const { status, stdout, stderr } = scale("ran-i", "--macs", "3.3G", "--mass", "14.7k", "--json");
    expect([status, stderr]).toEqual([0, ""]);
    const report = JSON.parse(stdout);
    expect(report).toMatchObject({
      family: "ran-i",
      model: "ran-i-t",
      input: [224, 224],
      widthMultiplier: 0.666,
      depthMultiplier: 1.65,
      depths: [5, 5, 15, 5],
      dims: [64, 128, 256, 511],
      params: 20_760_131,
      macs: 3_284_745_947,
      nnMass: 14_710,
      geluUnits: 9_532_460,
      relativeTo: "convnext-t",
    });
    expect(report.estimate.widthMultiplier).toBeCloseTo(0.6675, 4);
    expect(report.relative.macs).toBeCloseTo(0.7372, 4);
  });

  test.each(VARIANTS.filter((v) => v.multipliers !== undefined))(
    "$id by its multipliers",
    ({ id, multipliers, depths, dims }) => {
      const { width, depth } = multipliers!;
      const { stdout } = scale("ran-i", "--width", String(width), "--depth", String(depth), "--json");
      const report = JSON.parse(stdout);
      expect(report).toMatchObject({ model: id, depths, dims });
      expect(report).not.toHaveProperty("estimate");
    },
  );

  test("another input, and a network without a name", () => {
    const { stdout } = scale("ran-i", "--macs", "500M", "--mass", "5000", "--input", "96x160", "--json");
    const report = JSON.parse(stdout);
    expect(report).toMatchObject({ model: null, input: [96, 160] });
    expect(report.macs).toBeLessThanOrEqual(500e6);
    expect(report.nnMass).toBeGreaterThanOrEqual(5000);
    const square = JSON.parse(scale("ran-i", "--width", "1", "--depth", "1", "--input", "96", "--json").stdout);
    expect(square).toMatchObject({ model: "convnext-t", input: [96, 96] });
  });

  test("the text is that of docs/ran.md", () => {
    const [, command, text] = /```sh\nwasmograd scale (.*)\n```\n\n```text\n([^`]*)```/.exec(
      readFileSync(DOCUMENT, "utf8"),
    )!;
    expect(scale(...command!.split(" "))).toEqual({ status: 0, stdout: text, stderr: "" });
  });

  const WHICH = "scale: expected --macs with --mass, or --width with --depth, got";
  const NUMBER = "expected a positive number such as 0.5, 14.7k or 3.3G, got";
  test.each([
    [["vit", "--macs", "1G", "--mass", "1k"], "scale: expected the family ran-i, got vit"],
    [["ran-i"], `${WHICH} none of them`],
    [["ran-i", "--macs", "3G"], `${WHICH} --macs`],
    [["ran-i", "--macs", "3G", "--mass", "1k", "--depth", "1"], `${WHICH} --macs, --mass, --depth`],
    [["ran-i", "--width", "1", "--mass", "1k"], `${WHICH} --mass, --width`],
    [["ran-i", "--macs", "3.3T", "--mass", "1k"], `--macs: ${NUMBER} 3.3T`],
    [["ran-i", "--macs", "3G", "--mass", "0"], `--mass: ${NUMBER} 0`],
    [["ran-i", "--macs", "1e9", "--mass", "1k"], `--macs: ${NUMBER} 1e9`],
    [["ran-i", "--width", "1", "--depth", "0.1"], "depth: expected more than 0.1667 and at most 1000, got 0.1"],
    [
      ["ran-i", "--width", "1", "--depth", "1", "--input", "x"],
      "--input: expected HEIGHTxWIDTH such as 360x640, got x",
    ],
    [["ran-i", "--width", "1", "--depth", "1", "--input", "16"], "input height: expected an integer from 32, got 16"],
    [
      ["ran-i", "--macs", "100M", "--mass", "14.7k"],
      "macs: expected at least 504,608,768 for an NN-Mass of 14,700 at 224x224, got 100,000,000",
    ],
  ])("%s: one line and exit status 2", (args, message) => {
    expect(scale(...args)).toEqual({ status: 2, stdout: "", stderr: `wasmograd: ${message}\n` });
  });
});
