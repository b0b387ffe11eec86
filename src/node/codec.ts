import { check } from "../errors.ts";
import { checkImage, type Image, type ImageInput, type Size } from "../image/types.ts";
import { swapsAxes } from "./exif.ts";
import { FORMAT_NAMES, type ImageFormat, sniff } from "./format.ts";
import { checkJpegSide, checkPortableJpegSize, decodeJpeg, encodeJpeg } from "./jpeg.ts";
import { jpegHeader } from "./jpeg-header.ts";
import { checkMaxPixels, checkSize, DEFAULT_MAX_PIXELS } from "./limits.ts";
import { decodePng, encodePng, needsSharp, pngHeader } from "./png.ts";
import { decodeWithSharp, encodeWithSharp, loadSharp, requireSharp, type Sharp } from "./sharp.ts";

/** Of `decodeImage` and `readImage`. */
export interface DecodeOptions {
  /** Larger pictures are refused before they are decoded; 2^27 = 134,217,728 by default. */
  readonly maxPixels?: number;
  /** What messages call the picture; "image" by default. */
  readonly name?: string;
  /** false: PNG and JPEG are handled by the portable codecs even when sharp is installed. */
  readonly sharp?: boolean;
  /** Checked before and after the work; the promise rejects with its reason. */
  readonly signal?: AbortSignal;
}

/** Of `encodeImage` and `writeImage`. */
export interface EncodeOptions {
  /** 1..100 for JPEG, WebP and AVIF; 90 by default. */
  readonly quality?: number;
  /** false: PNG and JPEG are handled by the portable codecs even when sharp is installed. */
  readonly sharp?: boolean;
  /** Checked before and after the work; the promise rejects with its reason. */
  readonly signal?: AbortSignal;
}

/**
 * Format and size from the header alone, the size as the decoded picture will have it (EXIF orientation applied), in pixels.
 * @param name what messages call the picture
 * @throws WasmogradError ERR_FORMAT; ERR_UNSUPPORTED for formats that only sharp reads
 */
export function imageSize(bytes: Uint8Array, name = "image"): Size & { readonly format: ImageFormat } {
  const format = sniff(bytes, name);
  if (format === "png") {
    const { width, height } = pngHeader(bytes, name);
    return { format, width, height };
  }
  check(
    format === "jpeg",
    "ERR_UNSUPPORTED",
    () => `${name}: the size of ${FORMAT_NAMES[format]} is known after decoding only`,
  );
  const { width, height, orientation } = jpegHeader(bytes, name);
  return swapsAxes(orientation) ? { format, width: height, height: width } : { format, width, height };
}

/**
 * Decodes PNG (all forms; animations: the still picture) and JPEG; with the optional package sharp WebP, AVIF and TIFF
 * too. The format is told from the bytes. JPEG is turned upright. Colour profiles are not applied, except that sharp
 * converts to sRGB. PNG always takes the same way, so that lossless pictures give the same samples everywhere.
 *
 * @example
 * const image = await decodeImage(await readFile("photo.jpg"));
 * @throws WasmogradError ERR_FORMAT (damaged, truncated, no picture), ERR_UNSUPPORTED, ERR_TOO_LARGE, ERR_ARGUMENT
 */
export async function decodeImage(bytes: Uint8Array, options: DecodeOptions = {}): Promise<Image> {
  const { maxPixels = DEFAULT_MAX_PIXELS, name = "image", signal } = options;
  check(bytes instanceof Uint8Array, "ERR_ARGUMENT", () => `bytes: expected a Uint8Array, got ${typeof bytes}`);
  checkMaxPixels(maxPixels);
  signal?.throwIfAborted();
  const image = await decode(bytes, maxPixels, name, options.sharp ?? true);
  signal?.throwIfAborted();
  return image;
}

async function decode(bytes: Uint8Array, maxPixels: number, name: string, mayUseSharp: boolean): Promise<Image> {
  const format = sniff(bytes, name);
  const sharp: Sharp | undefined = mayUseSharp ? await loadSharp() : undefined;
  switch (format) {
    case "png": {
      const header = pngHeader(bytes, name);
      checkSize(header, maxPixels, name);
      if (sharp && needsSharp(header)) return decodeWithSharp(sharp, bytes, format, maxPixels, name);
      return decodePng(bytes, maxPixels, name);
    }
    case "jpeg": {
      if (!sharp) return decodeJpeg(bytes, maxPixels, name);
      checkSize(jpegHeader(bytes, name), maxPixels, name);
      return decodeWithSharp(sharp, bytes, format, maxPixels, name);
    }
    default:
      return decodeWithSharp(sharp ?? (await requireSharp(format, name)), bytes, format, maxPixels, name);
  }
}

/**
 * Encodes a picture. PNG and TIFF are lossless and keep grey, alpha and 16 bits (8-bit grey with alpha as RGBA in
 * TIFF); WebP and AVIF keep alpha, in 8 bits; JPEG is 8-bit RGB, with alpha laid over white.
 *
 * @example
 * const bytes = await encodeImage(image, "jpeg", { quality: 92 });
 * @throws WasmogradError ERR_ARGUMENT, ERR_SHAPE, ERR_UNSUPPORTED (needs sharp), ERR_TOO_LARGE, ERR_OUT_OF_MEMORY
 */
export async function encodeImage(
  input: ImageInput,
  format: ImageFormat,
  { quality = 90, sharp: mayUseSharp = true, signal }: EncodeOptions = {},
): Promise<Uint8Array> {
  const image = checkImage(input);
  check(Object.hasOwn(FORMAT_NAMES, format), "ERR_ARGUMENT", () => {
    return `format: expected ${Object.keys(FORMAT_NAMES).join(", ")}, got ${format}`;
  });
  check(quality >= 1 && quality <= 100, "ERR_ARGUMENT", () => `quality: expected 1 to 100, got ${quality}`);
  signal?.throwIfAborted();
  const bytes = await encode(image, format, quality, mayUseSharp);
  signal?.throwIfAborted();
  return bytes;
}

async function encode(image: Image, format: ImageFormat, quality: number, mayUseSharp: boolean): Promise<Uint8Array> {
  const portable = format === "png" || format === "jpeg";
  const sharp = portable ? mayUseSharp && (await loadSharp()) : await requireSharp(format, "image");
  const keepsGrey = format === "png" && image.channels === 2; // see encodeWithSharp
  if (sharp && !keepsGrey) return encodeWithSharp(sharp, image, format, Math.round(quality));
  return format === "png" ? encodePng(image) : encodeJpeg(image, quality);
}

/** Tells before the work whether a picture of this size can be written. @throws WasmogradError ERR_TOO_LARGE */
export async function checkEncodableSize(format: ImageFormat, size: Size): Promise<void> {
  if (format !== "jpeg") return;
  checkJpegSide(size);
  if (!(await loadSharp())) checkPortableJpegSize(size);
}

/** @throws WasmogradError ERR_UNSUPPORTED when the format cannot be written here, in words that say what to install */
export async function checkEncodable(format: ImageFormat, name: string): Promise<void> {
  if (format !== "png" && format !== "jpeg") await requireSharp(format, name);
}
