/** The protocols of `evaluate`, against slow arithmetic in double precision. */
import { describe, expect, test } from "vitest";
import { defaultProtocol, describeProtocol, type Protocol } from "../../src/cli/protocol.ts";
import { checkScorable, lumaPair, scoreBicubic, scoreNetwork } from "../../src/cli/scores.ts";
import { luma, psnr, psnrY, ssim, ssimY } from "../../src/image/metrics.ts";
import { resize } from "../../src/image/resize.ts";
import type { Channels, Image } from "../../src/image/types.ts";
import { readImage } from "../../src/node/files.ts";
import { imresize } from "../../src/reference/image/imresize.ts";
import { createUpscaler } from "../../src/upscale/create-upscaler.ts";
import { hasSet, pictures } from "../_helpers/data.ts";

const [width, height] = [52, 44];

/** Smooth, with some texture, so that bicubic interpolation has something to lose. */
function picture(channels: Channels): Image {
  const data = new Uint8Array(width * height * channels);
  for (let i = 0; i < data.length; i++) {
    const [x, y] = [Math.floor(i / channels) % width, Math.floor(i / channels / width)];
    data[i] = 128 + 100 * Math.sin(x / 5 + (i % channels)) * Math.cos(y / 7) + ((x * 7 + y * 13) % 23);
  }
  return { width, height, channels, depth: 8, data };
}

const level = (v: number): number => Math.min(255, Math.max(0, Math.floor(v + 0.5)));
const srcnn: Protocol = { id: "srcnn", border: 2, rounded: true, grey: "luma" };

describe("bicubic", () => {
  test("default: the picture is interpolated with 8 bits, its luma compared as it is", async () => {
    const high = picture(3);
    const low = await resize(high, { scale: 0.5 });
    const protocol = { ...defaultProtocol(2), border: 3 };
    const score = await scoreBicubic(low, await lumaPair(high, low, protocol), protocol);
    const enlarged = await resize(low, high);
    expect(score).toEqual({ psnr: psnrY(high, enlarged, { shave: 3 }), ssim: ssimY(high, enlarged, { shave: 3 }) });
  });

  test("srcnn: luma of 8 bits, made small without rounding, enlarged, rounded", async () => {
    for (const channels of [1, 3] as const) {
      const high = picture(channels);
      const y = Array.from(channels === 1 ? high.data : luma(high), level);
      const small = imresize(y, [height, width], [height / 2, width / 2]);
      const large = imresize(small, [height / 2, width / 2], [height, width]);
      const low = await resize(high, { scale: 0.5 });
      const pair = await lumaPair(high, low, srcnn);
      expect(Array.from(pair.high.data)).toEqual(y);
      const off = Math.max(...Array.from(pair.low.data, (v, i) => Math.abs(v - small[i]!)));
      expect(off).toBeLessThan(1e-4);
      expect(Math.max(...small.map((v) => Math.abs(v - Math.round(v))))).toBeGreaterThan(0.1);
      const score = await scoreBicubic(low, pair, srcnn);
      const want = Array.from(large, level);
      // One sample on the edge between two levels is worth less than this.
      expect(Math.abs(score.psnr - psnr(y, want, high, 2))).toBeLessThan(0.01);
      expect(Math.abs(score.ssim - ssim(y, want, high, 2))).toBeLessThan(1e-3);
      const free = await scoreBicubic(low, pair, { ...srcnn, rounded: false });
      expect(Math.abs(free.psnr - psnr(y, large, high, 2))).toBeLessThan(1e-4);
    }
  });
});

describe("networks", () => {
  test("what they see and how their result is compared", async () => {
    using upscaler = await createUpscaler({ precision: "f32" });
    const high = picture(1);
    const low = await resize(high, { scale: 0.5 });
    for (const grey of ["rgb", "luma"] as const) {
      const plane = (image: Image) => (grey === "rgb" ? luma(image) : Float64Array.from(image.data));
      const result = upscaler.upscaleLuma(Float32Array.from(plane(low)), low);
      const protocol: Protocol = { ...defaultProtocol(2), grey };
      const pair = await lumaPair(high, low, protocol);
      const rounded = scoreNetwork(upscaler, pair, protocol);
      expect(rounded.psnr).toBeCloseTo(psnr(plane(high), Array.from(result, level), high, 2), 9);
      const free = scoreNetwork(upscaler, pair, { ...protocol, rounded: false });
      expect(free.psnr).toBeCloseTo(psnr(plane(high), result, high, 2), 9);
      expect(free.psnr).not.toBe(rounded.psnr);
    }
  });

  test("too small: 11 pixels have to be left inside the border", () => {
    expect(() => checkScorable("a.png", { width: 15, height: 99 }, 2)).not.toThrow();
    expect(() => checkScorable("a.png", { width: 14, height: 99 }, 2)).toThrow(
      /^a.png: expected at least 15x15 pixels/,
    );
  });
});

test("each choice is named by the sentence", () => {
  const all = (["default", "srcnn"] as const).flatMap((id) =>
    [0, 4].flatMap((border) =>
      [true, false].flatMap((rounded) => (["rgb", "luma"] as const).map((grey) => ({ id, border, rounded, grey }))),
    ),
  );
  expect(new Set(all.map(describeProtocol)).size).toBe(all.length);
});

test.skipIf(!hasSet("Set5"))("Set5 x2, srcnn: bicubic as published, 33.66 dB and 0.9299", async () => {
  const scores = await Promise.all(
    pictures("Set5", "HR").map(async ({ path }) => {
      const high = await readImage(path);
      const low = await readImage(path.replace("/HR/", "/LRx2/"));
      return scoreBicubic(low, await lumaPair(high, low, srcnn), srcnn);
    }),
  );
  const mean = (key: "psnr" | "ssim") => scores.reduce((sum, score) => sum + score[key], 0) / scores.length;
  expect(Math.abs(mean("psnr") - 33.66)).toBeLessThanOrEqual(0.01);
  expect(Math.abs(mean("ssim") - 0.9299)).toBeLessThanOrEqual(2e-4);
});
