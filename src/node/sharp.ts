/** The optional peer sharp: faster, and the only way to WebP, AVIF and TIFF. Only what is used here is typed. */
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { check, WasmogradError } from "../errors.ts";
import { type Channels, checkImage, type Image, type Samples } from "../image/types.ts";
import { FORMAT_NAMES, type ImageFormat } from "./format.ts";
import { checkJpegSide, overWhite } from "./jpeg.ts";
import { checkSize, damaged } from "./limits.ts";

interface Pipeline {
  metadata(): Promise<{ width: number; height: number; channels: number; depth: string; space: string }>;
  rotate(): Pipeline;
  toColourspace(space: string): Pipeline;
  raw(options: { depth: string }): Pipeline;
  toFormat(format: string, options: object): Pipeline;
  toBuffer(): Promise<Buffer>;
  toBuffer(options: { resolveWithObject: true }): Promise<{
    data: Buffer;
    info: { width: number; height: number; channels: number };
  }>;
}
export type Sharp = (input: Samples, options: object) => Pipeline;

/**
 * sharp, or undefined when it is not installed. @throws WasmogradError ERR_UNSUPPORTED when it is installed but does
 * not load
 */
export async function loadSharp(): Promise<Sharp | undefined> {
  let path: string;
  try {
    path = createRequire(import.meta.url).resolve("sharp");
  } catch {
    return undefined;
  }
  try {
    return (await import(pathToFileURL(path).href)).default as Sharp;
  } catch (cause) {
    const reason = String((cause as { message?: unknown }).message).split("\n", 1)[0];
    throw new WasmogradError("ERR_UNSUPPORTED", `the package sharp is installed but does not load: ${reason}`, {
      cause,
    });
  }
}

/** @throws WasmogradError ERR_UNSUPPORTED that says what to install */
export async function requireSharp(format: ImageFormat, name: string): Promise<Sharp> {
  const sharp = await loadSharp();
  check(sharp !== undefined, "ERR_UNSUPPORTED", () => {
    return `${name}: ${FORMAT_NAMES[format]} needs the optional package sharp (npm install sharp)`;
  });
  return sharp;
}

/**
 * Decodes to sRGB or grey, upright, with alpha where the file has it, 16 bits where the file has more than 8.
 * @throws WasmogradError ERR_FORMAT, ERR_TOO_LARGE
 */
export async function decodeWithSharp(
  sharp: Sharp,
  bytes: Uint8Array,
  format: ImageFormat,
  maxPixels: number,
  name: string,
): Promise<Image> {
  try {
    // Sizes are checked here, so that one limit and one message hold for all formats.
    const input = () => sharp(bytes, { failOn: "error", limitInputPixels: false });
    const meta = await input().metadata();
    checkSize(meta, maxPixels, name);
    const deep = meta.depth !== "uchar" && meta.depth !== "char";
    const grey = meta.channels === 1 || (meta.channels === 2 && deep); // 8-bit grey with alpha would lose its alpha
    const space = deep ? (grey ? "grey16" : "rgb16") : grey ? "b-w" : "srgb";
    const raw = input()
      .rotate()
      .toColourspace(space)
      .raw({ depth: deep ? "ushort" : "uchar" });
    const { data, info } = await raw.toBuffer({ resolveWithObject: true });
    const { width, height } = info;
    const samples = deep
      ? new Uint16Array(data.buffer, data.byteOffset, data.length / 2)
      : new Uint8Array(data.buffer, data.byteOffset, data.length);
    const image = { width, height, channels: info.channels as Channels, depth: deep ? 16 : 8, data: samples };
    return checkImage(meta.channels === 2 && !deep ? greyOf(image) : image, name);
  } catch (cause) {
    throw cause instanceof WasmogradError ? cause : damaged(name, FORMAT_NAMES[format], cause);
  }
}

/** Grey + alpha from RGBA whose colours are grey. */
function greyOf<T extends { channels: number; data: Samples }>(image: T): T {
  const { data } = image;
  const pairs = Uint8Array.from({ length: data.length / 2 }, (_, i) => data[4 * (i >> 1) + (i & 1 ? 3 : 0)]!);
  return { ...image, channels: 2, data: pairs };
}

/**
 * 8-bit grey with alpha becomes RGBA, because sharp's grey has no alpha.
 * @throws WasmogradError ERR_TOO_LARGE, ERR_UNSUPPORTED
 */
export async function encodeWithSharp(
  sharp: Sharp,
  image: Image,
  format: ImageFormat,
  quality: number,
): Promise<Uint8Array> {
  if (format === "jpeg") checkJpegSide(image);
  const { width, height } = image;
  const deep = image.depth === 16 && (format === "png" || format === "tiff");
  const grey = image.channels === 1 || (image.channels === 2 && deep);
  try {
    const flat = format === "jpeg";
    const channels = flat ? 3 : image.channels;
    const samples = flat ? overWhite(image, 3) : deep ? image.data : toEightBits(image);
    const space = deep ? (grey ? "grey16" : "rgb16") : grey && !flat ? "b-w" : "srgb";
    const options = { png: { compressionLevel: 6, adaptiveFiltering: true }, tiff: { compression: "deflate" } };
    const settings = format === "png" || format === "tiff" ? options[format] : { quality, chromaSubsampling: "4:4:4" };
    const input = sharp(samples, { raw: { width, height, channels }, limitInputPixels: false });
    return await input.toColourspace(space).toFormat(format, settings).toBuffer();
  } catch (cause) {
    const reason = String((cause as { message?: unknown }).message).split("\n", 1)[0];
    throw new WasmogradError("ERR_UNSUPPORTED", `image: sharp cannot encode ${FORMAT_NAMES[format]}: ${reason}`, {
      cause,
    });
  }
}

function toEightBits({ depth, data }: Image): Samples {
  return depth === 8 ? data : Uint8Array.from(data, (value) => Math.round(value / 257));
}
