/** Sets of pictures for measuring quality: high resolution, and low resolution beside it or made from it. */
import { readdir } from "node:fs/promises";
import { extname, join } from "node:path";
import { check, WasmogradError } from "../errors.ts";
import { resize } from "../image/resize.ts";
import type { Image } from "../image/types.ts";
import { readImage } from "../node/files.ts";

const READABLE = new Set([".png", ".jpg", ".jpeg", ".webp", ".avif", ".tif", ".tiff"]);

export interface Pair {
  readonly name: string;
  readonly high: string;
  /** Undefined: the low resolution is made from the high by bicubic resize. */
  readonly low: string | undefined;
}

async function pictures(directory: string): Promise<string[] | undefined> {
  try {
    const names = await readdir(directory);
    return names.filter((name) => READABLE.has(extname(name).toLowerCase())).sort();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw new WasmogradError("ERR_IO", `${directory}: cannot be read as a directory`, { cause: error });
  }
}

/** HR/ with LRx2/ or LRx4/ beside it, or plain pictures. */
export async function findPairs(directory: string, scale: number): Promise<Pair[]> {
  const high = join(directory, "HR");
  const low = join(directory, `LRx${scale}`);
  const highNames = await pictures(high);
  if (highNames) {
    const lowNames = await pictures(low);
    check(lowNames !== undefined, "ERR_IO", () => `${low}: no such directory, which HR/ needs beside it`);
    const missing = highNames.filter((name) => !lowNames.includes(name));
    check(missing.length === 0, "ERR_IO", () => `${low}: no counterpart of ${missing.join(", ")}`);
    return highNames.map((name) => ({ name, high: join(high, name), low: join(low, name) }));
  }
  const names = await pictures(directory);
  check(names !== undefined, "ERR_IO", () => `${directory}: no such directory`);
  return names.map((name) => ({ name, high: join(directory, name), low: undefined }));
}

/** The top left width x height pixels. */
function crop(image: Image, width: number, height: number): Image {
  if (image.width === width && image.height === height) return image;
  const { channels } = image;
  const data =
    image.depth === 8 ? new Uint8Array(width * height * channels) : new Uint16Array(width * height * channels);
  for (let y = 0; y < height; y++) {
    const start = y * image.width * channels;
    data.set(image.data.subarray(start, start + width * channels), y * width * channels);
  }
  return { ...image, width, height, data };
}

/** Both pictures of a pair, the high resolution cut to a multiple of `scale`. */
export async function loadPair({ name, high, low }: Pair, scale: number): Promise<{ high: Image; low: Image }> {
  const picture = await readImage(high);
  if (low === undefined) {
    const width = picture.width - (picture.width % scale);
    const height = picture.height - (picture.height % scale);
    check(Math.min(width, height) > 0, "ERR_SHAPE", () => `${name}: expected at least ${scale}x${scale} pixels`);
    const cropped = crop(picture, width, height);
    return { high: cropped, low: await resize(cropped, { width: width / scale, height: height / scale }) };
  }
  const small = await readImage(low);
  const width = small.width * scale;
  const height = small.height * scale;
  const fits =
    picture.width >= width &&
    picture.width < width + scale &&
    picture.height >= height &&
    picture.height < height + scale;
  check(fits, "ERR_SHAPE", () => {
    return `${low}: ${small.width}x${small.height} is not ${picture.width}x${picture.height} at 1/${scale}`;
  });
  return { high: crop(picture, width, height), low: small };
}
