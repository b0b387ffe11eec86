import { readFileSync } from "node:fs";
import jpegJs from "jpeg-js";
import { describe, expect, it } from "vitest";
import { createImage, type Image } from "../../src/image/types.ts";
import { decodeImage, encodeImage, imageSize } from "../../src/node/codec.ts";

const fixture = (name: string) => readFileSync(new URL(`../fixtures/${name}`, import.meta.url));
const portable = { sharp: false, name: "x.jpg" };

/** A picture whose four quarters differ: red, green / blue, white. */
function quarters(width: number, height: number): Image {
  const image = createImage(width, height, 3);
  const colours = [
    [255, 0, 0],
    [0, 255, 0],
    [0, 0, 255],
    [255, 255, 255],
  ];
  for (let i = 0; i < width * height; i++) {
    const right = i % width >= width / 2 ? 1 : 0;
    const bottom = Math.floor(i / width) >= height / 2 ? 2 : 0;
    image.data.set(colours[right + bottom]!, 3 * i);
  }
  return image;
}

/** "r", "g", "b" or "w" of the quarters' centres, top left, top right, bottom left, bottom right. */
function corners({ width, height, channels, data }: Image): string {
  const name = (x: number, y: number) => {
    const p = (Math.floor(height * y) * width + Math.floor(width * x)) * channels;
    const [r, g, b] = [data[p]! > 128, data[p + 1]! > 128, data[p + 2]! > 128];
    return r && g && b ? "w" : r ? "r" : g ? "g" : "b";
  };
  return name(0.25, 0.25) + name(0.75, 0.25) + name(0.25, 0.75) + name(0.75, 0.75);
}

function meanDifference(a: Image, b: Image): number {
  expect([a.width, a.height, a.channels]).toEqual([b.width, b.height, b.channels]);
  let sum = 0;
  for (let i = 0; i < a.data.length; i++) sum += Math.abs(a.data[i]! - b.data[i]!);
  return sum / a.data.length;
}

/** An APP1 segment with an orientation, in either byte order. */
function exif(orientation: number, little: boolean, type = 3): Buffer {
  const tiff = Buffer.alloc(26);
  tiff.write(little ? "II" : "MM", 0, "latin1");
  const u16 = (v: number, at: number) => (little ? tiff.writeUInt16LE(v, at) : tiff.writeUInt16BE(v, at));
  const u32 = (v: number, at: number) => (little ? tiff.writeUInt32LE(v, at) : tiff.writeUInt32BE(v, at));
  u16(42, 2);
  u32(8, 4);
  u16(1, 8);
  u16(0x0112, 10);
  u16(type, 12);
  u32(1, 14);
  u16(orientation, 18);
  return segment(0xe1, Buffer.concat([Buffer.from("Exif\0\0", "latin1"), tiff]));
}

function segment(marker: number, body: Uint8Array): Buffer {
  const length = body.length + 2;
  return Buffer.concat([Uint8Array.of(0xff, marker, length >> 8, length & 255), body]);
}

/** Puts segments behind the start-of-image marker. */
function insert(jpeg: Uint8Array, ...segments: Uint8Array[]): Uint8Array {
  return Buffer.concat([jpeg.subarray(0, 2), ...segments, jpeg.subarray(2)]);
}

describe("decoding", async () => {
  const original = await decodeImage(fixture("budgie.png"));

  it.each([
    ["baseline-444.jpg", 3.5],
    ["progressive-420.jpg", 9],
    ["baseline-422-restart.jpg", 7],
    ["cmyk.jpg", 4],
  ])("reads %s", async (name, bound) => {
    expect(meanDifference(await decodeImage(fixture(name), portable), original)).toBeLessThan(bound);
  });

  it("reads grey as one channel", async () => {
    const image = await decodeImage(fixture("grey.jpg"), portable);
    const grey = createImage(48, 36, 1);
    for (let i = 0; i < grey.data.length; i++) {
      const [r, g, b] = original.data.subarray(3 * i, 3 * i + 3) as unknown as number[];
      grey.data[i] = 0.299 * r! + 0.587 * g! + 0.114 * b!;
    }
    expect(meanDifference(image, grey)).toBeLessThan(2.5);
  });

  it("takes components as RGB when Adobe's marker or their names say so", async () => {
    // A grey YCbCr picture is (v, 128, 128); read as RGB it stays that.
    const image = createImage(16, 16, 3);
    image.data.fill(200);
    const ycc = Buffer.from(await encodeImage(image, "jpeg", { quality: 100, sharp: false }));
    const jfif = ycc.subarray(2, 20);
    expect(jfif.toString("latin1", 4, 8)).toBe("JFIF");
    const bare = Buffer.concat([ycc.subarray(0, 2), ycc.subarray(20)]);
    const adobe = segment(0xee, Buffer.concat([Buffer.from("Adobe"), Uint8Array.of(0, 100, 0, 0, 0, 0, 0)]));
    expect([...(await decodeImage(insert(bare, adobe), portable)).data.subarray(0, 3)]).toEqual([200, 128, 128]);
    expect([...(await decodeImage(bare, portable)).data.subarray(0, 3)]).toEqual([200, 200, 200]);
  });

  it("skips fill bytes and ignores what follows the end", async () => {
    const bytes = fixture("baseline-444.jpg");
    const filled = Buffer.concat([
      bytes.subarray(0, 2),
      Uint8Array.of(0xff, 0xff),
      bytes.subarray(2),
      Buffer.from("tail"),
    ]);
    expect(await decodeImage(filled, portable)).toEqual(await decodeImage(bytes, portable));
  });
});

describe("EXIF orientation", async () => {
  const upright = await encodeImage(quarters(48, 32), "jpeg", { sharp: false });
  it.each([
    [1, "rgbw", false],
    [2, "grwb", false],
    [3, "wbgr", false],
    [4, "bwrg", false],
    [5, "rbgw", true],
    [6, "brwg", true],
    [7, "wgbr", true],
    [8, "gwrb", true],
  ])("%i is applied", async (orientation, wanted, swapped) => {
    for (const little of [true, false]) {
      const bytes = insert(upright, exif(orientation, little));
      const image = await decodeImage(bytes, portable);
      expect([image.width, image.height]).toEqual(swapped ? [32, 48] : [48, 32]);
      expect(corners(image)).toBe(wanted);
      expect(imageSize(bytes)).toEqual({ format: "jpeg", width: image.width, height: image.height });
    }
  });

  it("is exact pixel by pixel for every channel count", async () => {
    const { upright: turn } = await import("../../src/node/exif.ts");
    const data = Uint16Array.from({ length: 12 }, (_, i) => i);
    const image: Image = { width: 3, height: 2, channels: 2, depth: 16, data };
    expect([...turn(image, 6).data]).toEqual([6, 7, 0, 1, 8, 9, 2, 3, 10, 11, 4, 5]);
    expect([...turn(turn(image, 6), 8).data]).toEqual([...data]);
    expect([...turn(turn(image, 5), 5).data]).toEqual([...data]);
    expect([...turn(turn(image, 7), 7).data]).toEqual([...data]);
  });

  it("that is none of the eight, or cut anywhere, means upright", async () => {
    const size = { format: "jpeg", width: 48, height: 32 };
    for (const value of [0, 9, 600]) expect(imageSize(insert(upright, exif(value, true)))).toEqual(size);
    const body = exif(6, true).subarray(4);
    for (let length = 0; length < body.length - 4; length++) {
      expect(() => imageSize(insert(upright, segment(0xe1, body.subarray(0, length))))).not.toThrow();
    }
    const astray = Buffer.from(body);
    astray.writeUInt32LE(0xfffffff0, 10);
    expect(imageSize(insert(upright, segment(0xe1, astray)))).toEqual(size);
  });
});

describe("refusals", () => {
  const whole = fixture("baseline-444.jpg");
  const refused = async (bytes: Uint8Array, code: string, message: string | RegExp) => {
    const error = await decodeImage(bytes, portable).catch((e) => e);
    expect(error).toMatchObject({ name: "WasmogradError", code });
    expect(error.message).toMatch(message);
    expect(error.message).toMatch(/^x\.jpg: [^\n]+$/);
  };

  it("of every truncation", async () => {
    for (const name of ["baseline-444.jpg", "progressive-420.jpg"]) {
      const bytes = fixture(name);
      for (let length = 3; length < bytes.length; length += 7) {
        await refused(bytes.subarray(0, length), "ERR_FORMAT", /truncated JPEG/);
      }
    }
  });

  it("of a scan that was cut and closed again", async () => {
    const cut = Buffer.concat([whole.subarray(0, whole.length - 200), Uint8Array.of(0xff, 0xd9)]);
    await refused(cut, "ERR_FORMAT", /damaged JPEG: unexpected marker/);
  });

  it("or an answer, but never another error, for damaged bytes", async () => {
    for (let at = 2; at < whole.length; at += 5) {
      const broken = Buffer.from(whole);
      broken[at]! ^= 0x41;
      const result = await decodeImage(broken, { ...portable, maxPixels: 1e6 }).catch((e) => e);
      if (result instanceof Error) {
        expect(result).toMatchObject({
          name: "WasmogradError",
          code: expect.stringMatching(/FORMAT|UNSUPPORTED|LARGE/),
        });
      }
    }
  });

  const frameAt = whole.indexOf(Uint8Array.of(0xff, 0xc0));
  const patched = (...changes: [number, number][]) => {
    const bytes = Buffer.from(whole);
    for (const [at, value] of changes) bytes[frameAt + at] = value;
    return bytes;
  };
  it.each<[string, [number, number][], string, RegExp]>([
    [
      "zero height",
      [
        [5, 0],
        [6, 0],
      ],
      "ERR_FORMAT",
      /expected a picture, got one of 48 x 0 pixels/,
    ],
    ["12 bits", [[4, 12]], "ERR_UNSUPPORTED", /JPEG of 12 bits; expected 8/],
    ["lossless coding", [[1, 0xc3]], "ERR_UNSUPPORTED", /JPEG coding SOF3; expected baseline/],
    ["arithmetic coding", [[1, 0xc9]], "ERR_UNSUPPORTED", /JPEG coding SOF9/],
    ["two components", [[9, 2]], "ERR_FORMAT", /wrong length of its frame header/],
    ["a sampling factor of zero", [[11, 0x01]], "ERR_FORMAT", /sampling factor outside 1 to 4/],
    [
      "too many pixels",
      [
        [5, 0xff],
        [6, 0xff],
        [7, 0xff],
        [8, 0xff],
      ],
      "ERR_TOO_LARGE",
      /65535 x 65535 = 4294836225 pixels exceed the limit of 134217728/,
    ],
  ])("of %s", (_name, changes, code, message) => refused(patched(...changes), code, message));

  it("of CMYK without Adobe's marker", async () => {
    const bytes = fixture("cmyk.jpg");
    const at = bytes.indexOf(Uint8Array.of(0xff, 0xee));
    const without = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 16)]);
    await refused(without, "ERR_UNSUPPORTED", /CMYK JPEG without Adobe's marker/);
  });

  it("of no pixels, of pixels without a frame, and of bytes between segments", async () => {
    await refused(Uint8Array.of(0xff, 0xd8, 0xff, 0xd9), "ERR_FORMAT", /no pixels/);
    const scan = whole.subarray(whole.indexOf(Uint8Array.of(0xff, 0xda)));
    await refused(Buffer.concat([whole.subarray(0, 2), scan]), "ERR_FORMAT", /pixels before their frame/);
    await refused(
      Buffer.concat([whole.subarray(0, 20), Uint8Array.of(0), whole.subarray(20)]),
      "ERR_FORMAT",
      /expected a marker at byte 20/,
    );
  });
});

describe("encoding", () => {
  it("round-trips closely, better with more quality", async () => {
    const image = await decodeImage(fixture("budgie.png"));
    const errors = [];
    const sizes = [];
    for (const quality of [30, 90, 100]) {
      const bytes = await encodeImage(image, "jpeg", { quality, sharp: false });
      sizes.push(bytes.length);
      errors.push(meanDifference(await decodeImage(bytes, portable), image));
    }
    expect(errors[2]).toBeLessThan(1.5);
    expect(errors).toEqual([...errors].sort((a, b) => b - a));
    expect(sizes).toEqual([...sizes].sort((a, b) => a - b));
  });

  it("lays alpha over white and narrows 16 bits", async () => {
    const image = createImage(8, 8, 4, 16);
    for (let i = 0; i < 64; i++) image.data.set([0, 0, 0, 65535 * 0.25], 4 * i);
    const decoded = jpegJs.decode(await encodeImage(image, "jpeg", { quality: 100, sharp: false }), {
      useTArray: true,
    });
    expect(Math.abs(decoded.data[0]! - 191)).toBeLessThanOrEqual(1);
    const grey = createImage(8, 8, 1, 16);
    grey.data.fill(257 * 77);
    const levels = jpegJs.decode(await encodeImage(grey, "jpeg", { quality: 100, sharp: false }), { useTArray: true });
    expect(Math.abs(levels.data[1]! - 77)).toBeLessThanOrEqual(1);
  });

  it("refuses a side beyond 65535 and a wrong quality", async () => {
    const long = createImage(65536, 1, 1);
    await expect(encodeImage(long, "jpeg", { sharp: false })).rejects.toMatchObject({
      code: "ERR_TOO_LARGE",
      message: "image: 65536 x 1 exceeds the greatest side of a JPEG, 65535 pixels",
    });
    for (const quality of [0, 101, Number.NaN]) {
      await expect(encodeImage(createImage(1, 1, 1), "jpeg", { quality })).rejects.toThrow(
        `quality: expected 1 to 100, got ${quality}`,
      );
    }
  });
});
