import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { type Channels, createImage, type Depth, type Image } from "../../src/image/types.ts";
import { decodeImage, encodeImage } from "../../src/node/codec.ts";
import { decodeWithSharp, loadSharp } from "../../src/node/sharp.ts";
import { makePng } from "../_helpers/png.ts";
import { integers } from "../_helpers/random.ts";

const sharp = await loadSharp();
if (!sharp) console.log("skipped: tests with sharp, which is not installed (npm install --no-save --save-dev sharp)");

const forms = ([8, 16] as Depth[]).flatMap((depth) =>
  ([1, 2, 3, 4] as Channels[]).map((channels) => ({ channels, depth })),
);

function noise(channels: Channels, depth: Depth): Image {
  const image = createImage(13, 7, channels, depth);
  image.data.set(integers(channels, image.data.length, 2 ** depth - 1));
  return image;
}

describe.skipIf(!sharp)("with sharp", () => {
  it.each(forms)("PNG of $channels channels, $depth bits: both ways to read it agree", async ({ channels, depth }) => {
    const image = noise(channels, depth);
    const bytes = await encodeImage(image, "png");
    expect(await decodeImage(bytes)).toEqual(image);
    expect(await decodeWithSharp(sharp!, bytes, "png", 1e6, "x")).toEqual(image);
  });

  it.each(forms)("TIFF of $channels channels, $depth bits is lossless", async ({ channels, depth }) => {
    const image = noise(channels, depth);
    const back = await decodeImage(await encodeImage(image, "tiff"));
    if (channels !== 2 || depth === 16) {
      expect(back).toEqual(image);
      return;
    }
    expect(back.channels).toBe(4);
    expect([back.data[4], back.data[7]]).toEqual([image.data[2], image.data[3]]);
  });

  it.each(["webp", "avif"] as const)("%s keeps alpha and narrows 16 bits", async (format) => {
    for (const { channels, depth } of forms) {
      const image = createImage(40, 20, channels, depth);
      const unit = depth === 16 ? 257 : 1;
      const alpha = channels % 2 === 0;
      for (let i = 0; i < image.data.length; i++)
        image.data[i] = unit * (alpha && (i + 1) % channels === 0 ? 200 : 100);
      const back = await decodeImage(await encodeImage(image, format));
      expect([back.channels, back.depth]).toEqual([alpha ? 4 : 3, 8]);
      for (const [i, wanted] of (alpha ? [100, 100, 100, 200] : [100, 100, 100]).entries()) {
        expect(Math.abs(back.data[i]! - wanted)).toBeLessThanOrEqual(1);
      }
    }
  });

  it("JPEG agrees with the portable decoder, and lays alpha over white", async () => {
    for (const name of ["baseline-444.jpg", "grey.jpg"]) {
      const bytes = readFileSync(new URL(`../fixtures/${name}`, import.meta.url));
      const [a, b] = [await decodeImage(bytes), await decodeImage(bytes, { sharp: false })];
      expect(a.channels).toBe(b.channels);
      expect(Math.max(...a.data.map((v, i) => Math.abs(v - b.data[i]!)))).toBeLessThanOrEqual(8);
    }
    const clear = createImage(8, 8, 4);
    expect((await decodeImage(await encodeImage(clear, "jpeg"))).data[0]).toBe(255);
  });

  it("reads interlaced PNG of packed samples, which fast-png does not", async () => {
    const samples = integers(1, 13 * 9, 1);
    const image = await decodeImage(
      makePng({ width: 13, height: 9, bits: 1, colourType: 0, samples, interlaced: true }),
    );
    expect([...image.data]).toEqual(samples.map((v) => v * 255));
  });

  it.each(["webp", "avif", "tiff", "jpeg"] as const)("refuses truncated and too large %s", async (format) => {
    const image = createImage(64, 64, 3);
    image.data.set(integers(4, image.data.length, 255));
    const bytes = await encodeImage(image, format);
    for (const part of [0.1, 0.5, 0.9]) {
      const error = await decodeImage(bytes.subarray(0, bytes.length * part), { name: "x" }).catch((e) => e);
      expect(error).toMatchObject({ name: "WasmogradError", code: "ERR_FORMAT" });
      expect(error.message).toMatch(/^x: [^\n]+$/);
    }
    await expect(decodeImage(bytes, { maxPixels: 100 })).rejects.toMatchObject({ code: "ERR_TOO_LARGE" });
  });
});
