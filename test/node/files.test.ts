import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createImage } from "../../src/image/types.ts";
import {
  checkOutput,
  decodeImage,
  encodeImage,
  imageSize,
  outputFormat,
  readImage,
  writeImage,
} from "../../src/node/index.ts";
import { loadSharp } from "../../src/node/sharp.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "wasmograd-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const image = createImage(3, 2, 3);
const put = (name: string, content: string | Uint8Array) => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};
const withSharp = (await loadSharp()) !== undefined;

describe("writeImage", () => {
  it("writes what readImage reads, by extension in any case", async () => {
    const path = join(folder, "a.PNG");
    await writeImage(path, image);
    expect(await readImage(path)).toEqual(image);
    await writeImage(join(folder, "a.jpeg"), image, { quality: 80 });
    expect(imageSize(readFileSync(join(folder, "a.jpeg"))).format).toBe("jpeg");
  });

  it("replaces an existing file", async () => {
    const path = put("old.png", "something else");
    await writeImage(path, image);
    expect(await readImage(path)).toEqual(image);
  });

  it.each([
    ["missing/x.png", /^cannot write .*missing\/x\.png: no such file or directory \(ENOENT\)$/],
    ["plain.txt/x.png", /^cannot write .*plain\.txt\/x\.png: a part of the path is not a directory \(ENOTDIR\)$/],
    ["folder.png", /^cannot write .*folder\.png: it is a directory \(EISDIR\)$/],
  ])("to %s fails with one line and leaves nothing behind", async (name, message) => {
    put("plain.txt", "text");
    mkdirSync(join(folder, "folder.png"), { recursive: true });
    const before = readdirSync(folder);
    await expect(writeImage(join(folder, name), image)).rejects.toMatchObject({
      code: "ERR_IO",
      message: expect.stringMatching(message),
    });
    await expect(checkOutput(join(folder, name))).rejects.toMatchObject({
      code: "ERR_IO",
      message: expect.stringMatching(message),
    });
    expect(readdirSync(folder)).toEqual(before);
  });

  it("stops at the signal's reason and removes its temporary file", async () => {
    const before = readdirSync(folder);
    const reason = new Error("enough");
    await expect(writeImage(join(folder, "b.png"), image, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    const controller = new AbortController();
    const writing = writeImage(join(folder, "b.png"), createImage(1500, 1500, 4), { signal: controller.signal });
    setImmediate(() => controller.abort(reason)); // after the encoding, in the middle of the writing
    await expect(writing).rejects.toBe(reason);
    expect(readdirSync(folder)).toEqual(before);
  });

  it("refuses an unknown extension before anything else", async () => {
    const message = "x.gif: expected a name that ends in .png, .jpg, .jpeg, .webp, .avif, .tif, .tiff";
    await expect(writeImage("x.gif", image)).rejects.toMatchObject({ code: "ERR_ARGUMENT", message });
    expect(() => outputFormat("x")).toThrow("x: expected a name that ends in .png");
  });

  it("refuses a picture that is none", async () => {
    await expect(writeImage(join(folder, "c.png"), { width: 1 } as never)).rejects.toThrow(
      "image.height: expected an integer",
    );
    await expect(encodeImage(image, "gif" as never)).rejects.toThrow(
      "format: expected png, jpeg, webp, avif, tiff, got gif",
    );
  });
});

describe("checkOutput", () => {
  it("names the format when writing can be expected to succeed", async () => {
    expect(await checkOutput(join(folder, "new.jpg"))).toBe("jpeg");
  });
});

describe("readImage", () => {
  it.each([
    ["empty.png", "", "ERR_FORMAT", ": the file is empty"],
    [
      "notes.png",
      "hello, world",
      "ERR_FORMAT",
      ": not a picture; expected PNG, JPEG, or with the optional package sharp WebP, AVIF, TIFF",
    ],
    ["page.jpg", "<!doctype html>", "ERR_FORMAT", ": not a picture"],
    ["two.png", "\x89P", "ERR_FORMAT", ": not a picture"],
    ["anim.gif", "GIF89a....", "ERR_UNSUPPORTED", ": GIF is not read"],
    ["old.bmp", "BM....", "ERR_UNSUPPORTED", ": BMP is not read"],
    ["phone.heic", "....ftypheic", "ERR_UNSUPPORTED", ": HEIC is not read"],
  ])("refuses %s in one line that names the file", async (name, content, code, message) => {
    const path = put(name, Buffer.from(content, "latin1"));
    const error = await readImage(path).catch((e) => e);
    expect(error).toMatchObject({ code });
    expect(error.message.startsWith(path + message)).toBe(true);
    expect(error.message).not.toContain("\n");
  });

  it("goes by the bytes, not by the name", async () => {
    const path = put("really-a-png.jpg", await encodeImage(image, "png"));
    expect(await readImage(path)).toEqual(image);
  });

  it("says why a file cannot be read", async () => {
    const missing = join(folder, "missing.png");
    await expect(readImage(missing)).rejects.toMatchObject({
      code: "ERR_IO",
      message: `cannot read ${missing}: no such file or directory (ENOENT)`,
    });
    await expect(readImage(folder)).rejects.toThrow(/^cannot read .*: it is a directory \(EISDIR\)$/);
    symlinkSync("loop.png", join(folder, "loop.png"));
    await expect(readImage(join(folder, "loop.png"))).rejects.toThrow(/^cannot read .*ELOOP[^\n]*$/);
  });

  it("stops at the signal's reason and refuses wrong options", async () => {
    const path = put("good.png", await encodeImage(image, "png"));
    const reason = new Error("enough");
    await expect(readImage(path, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    await expect(readImage(path, { maxPixels: Number.NaN })).rejects.toThrow(
      "maxPixels: expected a positive number, got NaN",
    );
    await expect(decodeImage("good.png" as never)).rejects.toThrow("bytes: expected a Uint8Array, got string");
  });
});

describe.skipIf(withSharp)("without sharp", () => {
  it.each([
    ["x.webp", "RIFF....WEBP", "WebP"],
    ["x.avif", "....ftypavif", "AVIF"],
    ["x.tiff", "II*\0", "TIFF"],
  ])("%s says what to install, reading and writing", async (name, content, format) => {
    const path = put(name, Buffer.from(content, "latin1"));
    const message = `${path}: ${format} needs the optional package sharp (npm install sharp)`;
    await expect(readImage(path)).rejects.toMatchObject({ code: "ERR_UNSUPPORTED", message });
    await expect(writeImage(path, image)).rejects.toMatchObject({ code: "ERR_UNSUPPORTED", message });
    await expect(checkOutput(path)).rejects.toMatchObject({ code: "ERR_UNSUPPORTED", message });
    expect(() => imageSize(readFileSync(path), path)).toThrow("is known after decoding only");
  });
});
