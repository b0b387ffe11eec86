/** `wasmograd evaluate`: its figures are the library's and verify's, its table holds several networks, its protocol is chosen. */
import { mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, test } from "vitest";
import { psnrY } from "../../src/image/metrics.ts";
import { resize } from "../../src/image/resize.ts";
import type { Image } from "../../src/image/types.ts";
import { readImage, writeImage } from "../../src/node/files.ts";
import { commandLine, PHOTO } from "../_helpers/cli.ts";
import { dataFolder, hasSet } from "../_helpers/data.ts";

const { at, cli, json } = commandLine();

/** The middle of the photograph: enough to tell networks, algorithms and protocols apart. */
async function detail(): Promise<Image> {
  const { width, channels, depth, data } = await readImage(PHOTO);
  const [left, top, columns, rows] = [120, 90, 120, 96];
  const rowOf = (y: number) => data.slice((y * width + left) * channels, (y * width + left + columns) * channels);
  const pixels = Array.from({ length: rows }, (_, i) => [...rowOf(top + i)]).flat();
  return { width: columns, height: rows, channels, depth, data: Uint8Array.from(pixels) } as Image;
}

describe("evaluate", () => {
  beforeAll(async () => {
    mkdirSync(at("plain"), { recursive: true });
    await writeImage(at("plain/photo.png"), await detail());
  });

  test("plain pictures: low resolutions are made", () => {
    const report = json("evaluate", "plain", "--precision", "f32");
    expect(report).toMatchObject({ set: "plain", model: "sesr-m5", scale: 2, precision: "f32" });
    expect(report.images).toHaveLength(1);
    expect(report.mean.psnr).toBeGreaterThan(report.mean.bicubic.psnr);
    expect(report.mean.ssim).toBeGreaterThan(report.mean.bicubic.ssim);
  });

  test("the border is left out, of bicubic too: the same figure as from the library", async () => {
    const photo = await detail();
    const low = await resize(photo, { scale: 0.5 });
    const bicubic = psnrY(photo, await resize(low, photo), { shave: 2 });
    expect(json("evaluate", "plain").mean.bicubic.psnr).toBeCloseTo(bicubic, 9);
    expect(Math.abs(bicubic - psnrY(photo, await resize(low, photo)))).toBeGreaterThan(1e-3);
  });

  test("algorithms by name give the same figure in int8; scaled filters another", () => {
    const exact = json("evaluate", "plain").mean.psnr;
    for (const algorithm of ["direct", "winograd", "f2x2-3x3", "f4x4-3x3-complex"]) {
      expect(json("evaluate", "plain", "--algorithm", algorithm).mean.psnr).toBe(exact);
    }
    const coarse = json("evaluate", "plain", "--filter-bits", "8", "--granularity", "static").mean.psnr;
    expect(coarse).not.toBe(exact);
    for (const [args, message] of [
      [["--algorithm", "fft"], /^wasmograd: --algorithm: expected auto, winograd, direct/],
      [["--filter-bits", "7"], /^wasmograd: --filter-bits: expected an integer from 8 to 16, got 7/],
      [["--granularity", "tap"], /^wasmograd: --granularity: expected together with --filter-bits only/],
      [["--precision", "f32", "--filter-bits", "9"], /^wasmograd: --filter-bits: expected with --precision int8 only/],
    ] as const) {
      const result = cli("evaluate", "plain", ...args);
      expect(result.stderr).toMatch(message);
      expect(result.status).toBe(2);
    }
  });

  test("verify's loss by scaling is the difference of what evaluate prints", () => {
    const { pictures } = json("verify", "--pictures", "plain").scaling;
    const exact = json("evaluate", "plain").mean.psnr;
    const args = ["--algorithm", "f4x4-3x3-complex", "--filter-bits", "8", "--granularity", "tap"];
    const scaled = json("evaluate", "plain", ...args).mean.psnr;
    expect(pictures).toEqual([expect.objectContaining({ set: "plain", pictures: 1, exactPsnr: exact })]);
    const loss = pictures[0].losses.find((l: { bits: number }) => l.bits === 8).lossDb;
    expect(loss).toBeCloseTo(exact - scaled, 9);
    expect(loss).not.toBe(0);
  });

  test("several networks in one table, with the figures of each by itself", () => {
    const report = json("evaluate", "plain", "--model", "all", "--precision", "all");
    const [int8, f32] = ["int8", "f32"].map((precision) => json("evaluate", "plain", "--precision", precision));
    expect(report.models).toContainEqual({ model: "sesr-m5", precision: "int8", images: int8.images, mean: int8.mean });
    expect(report.models).toContainEqual({ model: "sesr-m5", precision: "f32", images: f32.images, mean: f32.mean });
    expect(report).not.toHaveProperty("model");
    const lines = cli("evaluate", "plain", "--precision", "int8,f32", "--markdown").stdout.trimEnd().split("\n");
    const [psnr, ssim] = [f32.mean.psnr.toFixed(2), f32.mean.ssim.toFixed(4)];
    expect(lines.slice(2, 4)).toEqual(["| model | precision | PSNR dB | SSIM |", "| --- | ---: | ---: | ---: |"]);
    expect(lines.at(-1)).toBe(`| sesr-m5 | f32 | ${psnr} | ${ssim} |`);
  });

  test("the protocol is chosen by options and printed", () => {
    const usual = json("evaluate", "plain");
    const other = json("evaluate", "plain", "--border", "0", "--rounding", "none");
    expect(usual.protocol).toMatch(/border of 2 pixels.*rounded to 8 bits$/);
    expect(other.protocol).toMatch(/border of 0 pixels.*neither clipped nor rounded$/);
    expect(other.mean.bicubic.psnr).not.toBe(usual.mean.bicubic.psnr);
    expect(json("evaluate", "plain", "--protocol", "srcnn").protocol).toMatch(/Y of the high resolution rounded/);
  });

  test("weights of one's own, in f32", () => {
    const weights = fileURLToPath(new URL("../../weights/sesr-m5-x2.safetensors", import.meta.url));
    const own = json("evaluate", "plain", "--precision", "f32", "--weights", weights);
    expect(own).toEqual(json("evaluate", "plain", "--precision", "f32"));
    for (const [args, status, message] of [
      [["--weights", weights], 2, /--weights: expected with one --model and --precision f32 only/],
      [["--precision", "f32", "--weights", "none"], 1, /none: cannot be read/],
      [["--precision", "f32", "--model", "fsrcnn"], 2, /no weights are shipped for fsrcnn x2/],
      [["--protocol", "mean"], 2, /--protocol: expected default or srcnn, got mean/],
      [["--protocol", "srcnn", "--grey", "rgb"], 2, /--grey: expected without --protocol srcnn/],
    ] as const) {
      const result = cli("evaluate", "plain", ...args);
      expect(result.stderr).toMatch(message);
      expect(result.status).toBe(status);
    }
  });

  test("a picture that is too small: its name, exit status 1", async () => {
    mkdirSync(at("small"), { recursive: true });
    await writeImage(at("small/tiny.png"), { width: 12, height: 12, channels: 1, depth: 8, data: new Uint8Array(144) });
    const result = cli("evaluate", "small");
    expect(result.stderr).toMatch(/tiny\.png: expected at least 15x15 pixels, got 12x12\n$/);
    expect(result.status).toBe(1);
  });

  test.skipIf(!hasSet("Set5"))("Set5 x2: bicubic as published, f32 and int8 at their targets", () => {
    const f32 = json("evaluate", `${dataFolder}/Set5`, "--precision", "f32").mean;
    const int8 = json("evaluate", `${dataFolder}/Set5`).mean;
    expect(Math.abs(f32.bicubic.psnr - 33.67)).toBeLessThanOrEqual(0.02);
    expect(f32.psnr).toBeGreaterThanOrEqual(37.15);
    expect(f32.psnr - int8.psnr).toBeLessThanOrEqual(0.2);
  });

  test.skipIf(!hasSet("Set5") || !hasSet("Set14"))("9-bit filters, scaled per tap, lose at most 0.05 dB", () => {
    for (const set of ["Set5", "Set14"]) {
      const args = ["evaluate", `${dataFolder}/${set}`] as const;
      const scaled = json(...args, "--filter-bits", "9");
      expect(scaled.filterScaling).toEqual({ bits: 9, granularity: "tap" });
      expect(json(...args).mean.psnr - scaled.mean.psnr).toBeLessThanOrEqual(0.05);
    }
  });

  test.skipIf(!hasSet("Set14"))("Set14 x2: bicubic as published, f32 at its target", () => {
    const { mean } = json("evaluate", `${dataFolder}/Set14`, "--precision", "f32");
    expect(Math.abs(mean.bicubic.psnr - 30.33)).toBeLessThanOrEqual(0.02);
    expect(mean.psnr).toBeGreaterThanOrEqual(32.7);
  });
});
