import { deflateSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Channels, createImage, type Depth } from "../../src/image/types.ts";
import { decodeImage, encodeImage, imageSize } from "../../src/node/codec.ts";
import { chunk, ihdr, makePng, type PngSpec, SIGNATURE } from "../_helpers/png.ts";
import { integers } from "../_helpers/random.ts";

const portable = { sharp: false, name: "x.png" };

const forms = [0, 2, 3, 4, 6].flatMap((colourType) =>
  [1, 2, 4, 8, 16]
    .filter(
      (bits) => bits === 8 || (bits === 16 && colourType !== 3) || (bits < 8 && (colourType === 0 || colourType === 3)),
    )
    .map((bits) => ({ colourType, bits })),
);

describe("decoding", () => {
  it.each(forms)("reads colour type $colourType with $bits bits, any size", async ({ colourType, bits }) => {
    const perPixel = [1, 0, 3, 1, 2, 0, 4][colourType]!;
    const side = fc.integer({ min: 1, max: 19 });
    await fc.assert(
      fc.asyncProperty(side, side, fc.integer(), fc.boolean(), async (width, height, seed, wantsInterlace) => {
        const interlaced = wantsInterlace && bits >= 8;
        const samples = integers(seed, width * height * perPixel, 2 ** bits - 1);
        const palette = integers(seed, 3 * 2 ** bits, 255);
        const spec = { width, height, bits, colourType, samples, interlaced };
        const bytes = makePng(colourType === 3 ? { ...spec, palette } : spec);
        const image = await decodeImage(bytes, portable);
        const wanted =
          colourType === 3
            ? samples.flatMap((i) => palette.slice(3 * i, 3 * i + 3))
            : samples.map((v) => (bits < 8 ? (v * 255) / (2 ** bits - 1) : v));
        expect(image).toMatchObject({
          width,
          height,
          channels: colourType === 3 ? 3 : perPixel,
          depth: bits === 16 ? 16 : 8,
        });
        expect([...image.data]).toEqual(wanted);
      }),
      { numRuns: 12 },
    );
  });

  it("turns a palette with transparency to RGBA; colours without an entry are opaque", async () => {
    const palette = [1, 2, 3, 4, 5, 6, 7, 8, 9];
    const spec = { width: 3, height: 1, bits: 2, colourType: 3, samples: [2, 0, 1], palette, transparency: [0, 128] };
    const image = await decodeImage(makePng(spec), portable);
    expect(image.channels).toBe(4);
    expect([...image.data]).toEqual([7, 8, 9, 255, 1, 2, 3, 0, 4, 5, 6, 128]);
  });

  it.each([
    { bits: 2, key: [0, 2], samples: [0, 1, 2, 3], wanted: [0, 255, 85, 255, 170, 0, 255, 255] },
    { bits: 8, key: [0, 7], samples: [7, 8], wanted: [7, 0, 8, 255] },
    { bits: 16, key: [1, 0], samples: [256, 1], wanted: [256, 0, 1, 65535] },
  ])("turns the transparent grey of $bits bits to alpha", async ({ bits, key, samples, wanted }) => {
    const spec = { width: samples.length, height: 1, bits, colourType: 0, samples, transparency: key };
    const image = await decodeImage(makePng(spec), portable);
    expect(image.channels).toBe(2);
    expect([...image.data]).toEqual(wanted);
  });

  it("turns the transparent colour of RGB to alpha", async () => {
    const spec = { width: 2, height: 1, bits: 8, colourType: 2, samples: [1, 2, 3, 1, 2, 4] };
    const image = await decodeImage(makePng({ ...spec, transparency: [0, 1, 0, 2, 0, 3] }), portable);
    expect([...image.data]).toEqual([1, 2, 3, 0, 1, 2, 4, 255]);
  });

  it("does not parse ancillary chunks, broken ones included", async () => {
    const extra: [string, Uint8Array][] = [
      ["iCCP", Uint8Array.of(65, 0, 0, 1, 2, 3)],
      ["tEXt", new Uint8Array(0)],
      ["pHYs", new Uint8Array(2)],
    ];
    const bytes = makePng({ width: 1, height: 1, bits: 8, colourType: 0, samples: [9], extra });
    expect([...(await decodeImage(bytes, portable)).data]).toEqual([9]);
  });

  it("reads a view into a larger buffer", async () => {
    const bytes = makePng({ width: 2, height: 1, bits: 16, colourType: 0, samples: [300, 40000] });
    const larger = new Uint8Array(bytes.length + 20);
    larger.set(bytes, 7);
    expect([...(await decodeImage(larger.subarray(7, 7 + bytes.length), portable)).data]).toEqual([300, 40000]);
  });
});

const rgb: PngSpec = { width: 5, height: 4, bits: 8, colourType: 2, samples: integers(3, 60, 255) };
const whole = makePng(rgb);

function assemble(spec: Omit<PngSpec, "samples">, ...chunks: Uint8Array[]): Uint8Array {
  return Buffer.concat([SIGNATURE, ihdr(spec), ...chunks, chunk("IEND", [])]);
}
const rows = (bytes: number) => chunk("IDAT", deflateSync(new Uint8Array(bytes)));

describe("refusals", () => {
  it("of every truncation, in one line", async () => {
    for (let length = 4; length < whole.length; length++) {
      const error = await decodeImage(whole.subarray(0, length), portable).catch((e) => e);
      expect(error).toMatchObject({ code: "ERR_FORMAT" });
      expect(error.message).toMatch(/^x\.png: (truncated|damaged) PNG: [^\n]+$/);
    }
  });

  it("of every changed byte", async () => {
    for (let at = 8; at < whole.length; at++) {
      const broken = Uint8Array.from(whole);
      broken[at]! ^= 0x10;
      const error = await decodeImage(broken, portable).catch((e) => e);
      expect(error).toMatchObject({ code: "ERR_FORMAT" });
      expect(error.message).toMatch(/^x\.png: [^\n]+$/);
    }
  });

  const spec = { width: 5, height: 4, bits: 8, colourType: 2 };
  const { data: _, ...stored } = { data: 0, ...spec };
  it.each<[string, Uint8Array, string, string]>([
    [
      "zero width",
      assemble({ ...spec, width: 0 }, rows(64)),
      "ERR_FORMAT",
      "expected a picture, got one of 0 x 4 pixels",
    ],
    [
      "an unknown form",
      assemble({ ...spec, bits: 3 }, rows(64)),
      "ERR_FORMAT",
      "unknown form (colour type 2, 3 bits, interlace 0)",
    ],
    ["no pixels", assemble(spec), "ERR_FORMAT", "damaged PNG: no pixel data (IDAT)"],
    ["too few pixels", assemble(spec, rows(63)), "ERR_FORMAT", "expected 64 bytes of pixel data, got 63"],
    [
      "a stream that unpacks to far more",
      assemble(spec, rows(1e7)),
      "ERR_FORMAT",
      "damaged PNG: Cannot create a Buffer larger than",
    ],
    ["no zlib stream", assemble(spec, chunk("IDAT", [1, 2, 3])), "ERR_FORMAT", "damaged PNG: incorrect header check"],
    [
      "a cut stream",
      assemble(spec, chunk("IDAT", deflateSync(new Uint8Array(64)).subarray(0, 9))),
      "ERR_FORMAT",
      "damaged PNG: unexpected end of file",
    ],
    [
      "an unknown filter",
      assemble(spec, chunk("IDAT", deflateSync(new Uint8Array(64).fill(9)))),
      "ERR_FORMAT",
      "damaged PNG: Unsupported filter: 9",
    ],
    [
      "no palette",
      assemble({ ...spec, colourType: 3 }, rows(24)),
      "ERR_FORMAT",
      "expected a palette of 1 to 256 colours, got none",
    ],
    [
      "a cut palette",
      assemble({ ...spec, colourType: 3 }, chunk("PLTE", [1, 2]), rows(24)),
      "ERR_FORMAT",
      "expected a palette of 1 to 256 colours",
    ],
    [
      "a colour outside the palette",
      makePng({ ...spec, colourType: 3, samples: integers(1, 20, 9), palette: [1, 2, 3] }),
      "ERR_FORMAT",
      "of a palette of 1",
    ],
    ["a wrong tRNS", assemble(spec, chunk("tRNS", [0, 1]), rows(64)), "ERR_FORMAT", "wrong length of its tRNS chunk"],
    ["a second IHDR", assemble(spec, ihdr({ ...stored, width: 9000 }), rows(64)), "ERR_FORMAT", "a second IHDR chunk"],
    [
      "an unknown critical chunk",
      assemble(spec, chunk("ABCD", []), rows(64)),
      "ERR_UNSUPPORTED",
      "unknown PNG chunk ABCD",
    ],
    [
      "interlaced packed samples",
      makePng({ ...spec, bits: 1, colourType: 0, samples: integers(1, 20, 1), interlaced: true }),
      "ERR_UNSUPPORTED",
      "interlaced PNG of 1 bits needs the optional package sharp (npm install sharp)",
    ],
  ])("of %s", async (_name, bytes, code, message) => {
    const error = await decodeImage(bytes, portable).catch((e) => e);
    expect(error).toMatchObject({ name: "WasmogradError", code });
    expect(error.message).toContain(message);
    expect(error.message.startsWith("x.png: ")).toBe(true);
    expect(error.message).not.toContain("\n");
  });

  it("of too many pixels, before decoding, with the limit named", async () => {
    const huge = assemble({ ...spec, width: 60000, height: 50000 }, rows(1));
    await expect(decodeImage(huge, portable)).rejects.toMatchObject({
      code: "ERR_TOO_LARGE",
      message: "x.png: 60000 x 50000 = 3000000000 pixels exceed the limit of 134217728",
    });
    await expect(decodeImage(whole, { ...portable, maxPixels: 19 })).rejects.toThrow("limit of 19");
    const long = assemble({ ...spec, width: 2 ** 21, height: 1 }, rows(1));
    await expect(decodeImage(long, portable)).rejects.toMatchObject({
      code: "ERR_TOO_LARGE",
      message: "x.png: 2097152 x 1 exceeds the greatest side of 1048576 pixels",
    });
  });
});

describe("encoding", () => {
  it("round-trips all channel counts and depths", async () => {
    const side = fc.integer({ min: 1, max: 13 });
    const channels = fc.constantFrom<Channels>(1, 2, 3, 4);
    await fc.assert(
      fc.asyncProperty(
        side,
        side,
        channels,
        fc.constantFrom<Depth>(8, 16),
        fc.integer(),
        async (w, h, c, depth, seed) => {
          const image = createImage(w, h, c, depth);
          image.data.set(integers(seed, image.data.length, 2 ** depth - 1));
          const bytes = await encodeImage(image, "png", { sharp: false });
          expect(imageSize(bytes)).toEqual({ format: "png", width: w, height: h });
          expect(await decodeImage(bytes, portable)).toEqual(image);
        },
      ),
      { numRuns: 40 },
    );
  });

  it("takes canvas ImageData", async () => {
    const canvas = { width: 1, height: 1, data: Uint8ClampedArray.of(1, 2, 3, 4) };
    expect([...(await decodeImage(await encodeImage(canvas, "png"), portable)).data]).toEqual([1, 2, 3, 4]);
  });
});
