import { describe, expect, it } from "vitest";
import { IMAGENET_DEVIATION, IMAGENET_MEAN, preparePicture } from "../../src/detection/prepare.ts";
import { resizeMap } from "../../src/detection/resize.ts";
import { type Channels, createImage, type Depth, type Image } from "../../src/image/types.ts";
import { integers } from "../_helpers/random.ts";
import { relativeError } from "../network/random-model.ts";

function noise(width: number, height: number, channels: Channels, depth: Depth): Image {
  const image = createImage(width, height, channels, depth);
  image.data.set(integers(3, image.data.length, 2 ** depth - 1));
  return image;
}

/** The picture as normalised R, G, B, whole. */
function normalised({ width, height, channels, depth, data }: Image): Float32Array {
  return Float32Array.from({ length: width * height * 3 }, (_, i) => {
    const [pixel, c] = [Math.floor(i / 3), i % 3];
    const sample = data[pixel * channels + (channels < 3 ? 0 : c)]! / (2 ** depth - 1);
    return (sample - IMAGENET_MEAN[c]!) / IMAGENET_DEVIATION[c]!;
  });
}

describe("preparePicture", () => {
  it.each([
    [1, 8],
    [2, 8],
    [3, 8],
    [4, 8],
    [3, 16],
  ] as const)("normalises, resizes and pads a picture of %i channels of %i bits", (channels, depth) => {
    const image = noise(31, 20, channels, depth);
    const { input, resized, original } = preparePicture(image, { shortSide: 40, longSide: 70 });
    expect(resized).toEqual({ width: 62, height: 40 });
    expect(original).toEqual({ width: 31, height: 20 });
    const whole = { shape: [20, 31, 3] as const, data: normalised(image) };
    const expected = resizeMap(whole, resized, { width: 64, height: 64 });
    expect(input.shape).toEqual([64, 64, 3]);
    expect(relativeError(input.data, expected.data)).toBeLessThan(1e-6);
  });

  it("takes what a canvas gives", () => {
    const image = noise(8, 8, 4, 8);
    const { width, height, data } = image;
    const canvas = { width, height, data: data as Uint8Array };
    expect(preparePicture(canvas, { shortSide: 16 }).input).toEqual(preparePicture(image, { shortSide: 16 }).input);
  });

  it("makes 800 x 1066 of 480 x 640, padded to 800 x 1088", () => {
    const { input, resized } = preparePicture(createImage(640, 480, 1));
    expect(resized).toEqual({ width: 1066, height: 800 });
    expect(input.shape).toEqual([800, 1088, 3]);
    expect(input.data[0]).toBe(Math.fround(-Math.fround(0.485) / Math.fround(0.229)));
    expect(input.data[1066 * 3]).toBe(0);
  });

  it("refuses a picture without pixels, one of the wrong length, and one that is too narrow", () => {
    const empty = { width: 0, height: 0, channels: 3, depth: 8, data: new Uint8Array(0) } as const;
    expect(() => preparePicture(empty)).toThrow(
      expect.objectContaining({
        code: "ERR_SHAPE",
        message: "image.width: expected an integer from 1 to 1048576, got 0",
      }),
    );
    expect(() => preparePicture({ ...empty, width: 2, height: 2 })).toThrow(
      "image.data: expected 12 samples (2 x 2 x 3), got 0",
    );
    expect(() => preparePicture(createImage(1, 2000, 3))).toThrow(expect.objectContaining({ code: "ERR_SHAPE" }));
  });
});
