/** JPEG through jpeg-js. */
import { getHeapStatistics } from "node:v8";
import jpeg from "jpeg-js";
import { check, WasmogradError } from "../errors.ts";
import type { Image, Size } from "../image/types.ts";
import { upright } from "./exif.ts";
import { type JpegHeader, jpegHeader } from "./jpeg-header.ts";
import { checkSize, damaged } from "./limits.ts";

/**
 * jpeg-js keeps an array object for every 8x8 block: 187 bytes of heap, measured on Node 20, apart from the
 * coefficients.
 */
const HEAP_BYTES_PER_BLOCK = 200;

/** Exhausting the heap would end the process, so it is foreseen. */
function checkHeap({ blocks, width, height }: JpegHeader, name: string): void {
  const need = blocks * HEAP_BYTES_PER_BLOCK;
  const { heap_size_limit: limit, used_heap_size: used } = getHeapStatistics();
  check(used + need < 0.9 * limit, "ERR_TOO_LARGE", () => {
    const mib = (value: number) => Math.ceil(value / 2 ** 20);
    const wanted = `${name}: JPEG of ${width} x ${height} needs ${mib(need)} MiB of heap`;
    return `${wanted}, the limit is ${mib(limit)} (node --max-old-space-size)`;
  });
}

/**
 * Grey, YCbCr, RGB, and CMYK or YCCK as Adobe writes them (converted without a colour profile), upright by its EXIF
 * orientation.
 * @returns 1 channel for grey, else 3
 * @throws WasmogradError ERR_FORMAT, ERR_UNSUPPORTED, ERR_TOO_LARGE
 */
export function decodeJpeg(bytes: Uint8Array, maxPixels: number, name: string): Image {
  const header = jpegHeader(bytes, name);
  checkSize(header, maxPixels, name);
  check(header.components < 4 || header.adobe, "ERR_UNSUPPORTED", () => {
    return `${name}: CMYK JPEG without Adobe's marker, which would tell what its values mean`;
  });
  checkHeap(header, name);
  const { width, height, components } = header;
  let data: Uint8Array;
  try {
    data = jpeg.decode(bytes.subarray(0, header.end), {
      useTArray: true,
      formatAsRGBA: false,
      tolerantDecoding: false, // it would fill what is missing with grey
      maxResolutionInMP: Number.POSITIVE_INFINITY, // maxPixels rules
      maxMemoryUsageInMB: Number.POSITIVE_INFINITY,
      ...(header.rgb ? { colorTransform: false } : {}),
    }).data;
  } catch (cause) {
    throw damaged(name, "JPEG", cause);
  }
  if (components > 1) return upright({ width, height, channels: 3, depth: 8, data }, header.orientation);
  const grey = new Uint8Array(width * height);
  for (let i = 0; i < grey.length; i++) grey[i] = data[3 * i]!;
  return upright({ width, height, channels: 1, depth: 8, data: grey }, header.orientation);
}

/** The format holds 16-bit sides; jpeg-js collects its output in an array of numbers, 8 bytes a byte, on the heap. */
const MAX_JPEG_SIDE = 65535;
const MAX_JPEG_PIXELS = 2 ** 26;

/**
 * Alpha is laid over white; 16 bits become 8.
 * @param quality  1..100
 * @throws WasmogradError ERR_TOO_LARGE, ERR_OUT_OF_MEMORY
 */
export function encodeJpeg(image: Image, quality: number): Uint8Array {
  const { width, height } = image;
  checkPortableJpegSize(image);
  try {
    return jpeg.encode({ width, height, data: overWhite(image, 4) }, quality).data;
  } catch (cause) {
    throw new WasmogradError("ERR_OUT_OF_MEMORY", `cannot encode a JPEG of ${width} x ${height}`, { cause });
  }
}

/** Whether jpeg-js can write a picture of this size. @throws WasmogradError ERR_TOO_LARGE */
export function checkPortableJpegSize({ width, height }: Size): void {
  check(width * height <= MAX_JPEG_PIXELS, "ERR_TOO_LARGE", () => {
    const limit = `${MAX_JPEG_PIXELS} pixels for a JPEG without sharp`;
    return `image: ${width} x ${height} exceeds ${limit}; write a PNG or npm install sharp`;
  });
  checkJpegSide({ width, height });
}

/** @throws WasmogradError ERR_TOO_LARGE */
export function checkJpegSide({ width, height }: Size): void {
  check(width <= MAX_JPEG_SIDE && height <= MAX_JPEG_SIDE, "ERR_TOO_LARGE", () => {
    return `image: ${width} x ${height} exceeds the greatest side of a JPEG, ${MAX_JPEG_SIDE} pixels`;
  });
}

/** 8-bit RGB, or RGBA with alpha 255, with the picture's own alpha laid over white. */
export function overWhite({ width, height, channels, depth, data }: Image, outChannels: 3 | 4): Uint8Array {
  const unit = depth === 16 ? 257 : 1;
  const output = new Uint8Array(width * height * outChannels).fill(255);
  const colours = channels < 3 ? 1 : 3;
  for (let p = 0, q = 0; p < data.length; p += channels, q += outChannels) {
    const alpha = colours < channels ? data[p + colours]! / (255 * unit) : 1;
    for (let c = 0; c < 3; c++) {
      const value = data[p + (colours === 1 ? 0 : c)]! / unit;
      output[q + c] = Math.round(255 + (value - 255) * alpha);
    }
  }
  return output;
}
