/**
 * PNG through fast-png, with what it leaves open checked before: structure, checksums, sizes, and the length of the
 * pixel data.
 */
import { constants, crc32, inflateSync } from "node:zlib";
import { decode, encode } from "fast-png";
import { check, WasmogradError } from "../errors.ts";
import { type Channels, createImage, type Image, type Samples, type Size } from "../image/types.ts";
import { checkSize, damaged } from "./limits.ts";

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

/** PNG specification, table 11.1: colour type -> samples per pixel and allowed bit depths. */
const COLOUR_TYPES: Readonly<Record<number, { samples: Channels; depths: readonly number[] }>> = {
  0: { samples: 1, depths: [1, 2, 4, 8, 16] },
  2: { samples: 3, depths: [8, 16] },
  3: { samples: 1, depths: [1, 2, 4, 8] },
  4: { samples: 2, depths: [8, 16] },
  6: { samples: 4, depths: [8, 16] },
};
const PALETTE = 3;

export interface PngHeader extends Size {
  readonly bits: number;
  readonly colourType: number;
  readonly samples: Channels;
  readonly interlaced: boolean;
}

interface Chunk {
  readonly type: string;
  readonly data: Uint8Array;
  /** Length, type, data and checksum. */
  readonly whole: Uint8Array;
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/**
 * The chunk at `at`. @throws WasmogradError ERR_FORMAT when it does not lie within the file or its checksum is wrong
 */
function readChunk(bytes: Uint8Array, at: number, name: string): Chunk {
  check(at + 12 <= bytes.length, "ERR_FORMAT", () => `${name}: truncated PNG: it ends before its IEND chunk`);
  const length = view(bytes).getUint32(at);
  const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
  const end = at + 12 + length;
  check(end <= bytes.length, "ERR_FORMAT", () => `${name}: truncated PNG: it ends within its ${label(type)} chunk`);
  const sum = crc32(bytes.subarray(at + 4, end - 4));
  const stated = view(bytes).getUint32(end - 4);
  check(sum === stated, "ERR_FORMAT", () => `${name}: damaged PNG: wrong checksum of its ${label(type)} chunk`);
  return { type, data: bytes.subarray(at + 8, end - 4), whole: bytes.subarray(at, end) };
}

/** A chunk type fit for a message: damaged files have anything there. */
function label(type: string): string {
  return /^[A-Za-z]{4}$/.test(type) ? type : "next";
}

/** Signature and IHDR. @throws WasmogradError ERR_FORMAT */
export function pngHeader(bytes: Uint8Array, name: string): PngHeader {
  const signed = SIGNATURE.every((byte, i) => bytes[i] === byte);
  check(signed, "ERR_FORMAT", () => `${name}: damaged PNG: wrong signature`);
  const { type, data } = readChunk(bytes, 8, name);
  check(type === "IHDR" && data.length === 13, "ERR_FORMAT", () => `${name}: damaged PNG: expected IHDR first`);
  const [bits, colourType, compression, filter, interlace] = data.subarray(8) as unknown as number[];
  const form = COLOUR_TYPES[colourType!];
  const known = form?.depths.includes(bits!) && compression === 0 && filter === 0 && interlace! <= 1;
  check(known === true, "ERR_FORMAT", () => {
    return `${name}: damaged PNG: unknown form (colour type ${colourType}, ${bits} bits, interlace ${interlace})`;
  });
  const [width, height] = [view(data).getUint32(0), view(data).getUint32(4)];
  return { width, height, bits: bits!, colourType: colourType!, samples: form!.samples, interlaced: interlace === 1 };
}

interface Parts {
  readonly palette?: Uint8Array;
  readonly transparency?: Uint8Array;
  /** The bodies of the IDAT chunks, joined. */
  readonly pixels: Uint8Array;
  /**
   * A PNG of the chunks that hold pixels alone: nothing ancillary, which may be damaged or huge when unpacked, is ever
   * parsed.
   */
  readonly stripped: Uint8Array;
}

function readParts(bytes: Uint8Array, header: PngHeader, name: string): Parts {
  let palette: Uint8Array | undefined;
  let transparency: Uint8Array | undefined;
  const pixels: Uint8Array[] = [];
  const kept = [bytes.subarray(0, 8)];
  for (let at = 8; ; ) {
    const { type, data, whole } = readChunk(bytes, at, name);
    at += whole.length;
    check(type !== "IHDR" || kept.length === 1, "ERR_FORMAT", () => `${name}: damaged PNG: a second IHDR chunk`);
    if (type === "PLTE") palette = data;
    else if (type === "tRNS") transparency = data;
    else if (type === "IDAT") pixels.push(data);
    else if (type !== "IHDR" && type !== "IEND") {
      // A capital first letter marks a chunk without which the picture cannot be understood.
      check(type[0]! > "Z", "ERR_UNSUPPORTED", () => `${name}: unknown PNG chunk ${label(type)}`);
    }
    if (type === "IHDR" || type === "IDAT" || type === "IEND") kept.push(whole);
    if (type === "IEND") break;
  }
  check(pixels.length > 0, "ERR_FORMAT", () => `${name}: damaged PNG: no pixel data (IDAT)`);
  const wanted = header.colourType === PALETTE;
  const entries = (palette?.length ?? 0) / 3;
  check(!wanted || (Number.isInteger(entries) && entries >= 1 && entries <= 256), "ERR_FORMAT", () => {
    return `${name}: damaged PNG: expected a palette of 1 to 256 colours, got ${palette ? `${entries}` : "none"}`;
  });
  return {
    ...(palette && wanted ? { palette } : {}),
    ...(transparency && header.samples % 2 === 1 ? { transparency } : {}),
    pixels: Buffer.concat(pixels),
    stripped: Buffer.concat(kept),
  };
}

/**
 * Bytes of the filtered rows: one filter byte and the packed samples each; seven small pictures when interlaced
 * (Adam7).
 */
function unpackedLength({ width, height, bits, samples, interlaced }: PngHeader): number {
  const rows = (w: number, h: number) => (w > 0 && h > 0 ? h * (1 + Math.ceil((w * samples * bits) / 8)) : 0);
  if (!interlaced) return rows(width, height);
  const passes = [
    [0, 0, 8, 8],
    [4, 0, 8, 8],
    [0, 4, 4, 8],
    [2, 0, 4, 4],
    [0, 2, 2, 4],
    [1, 0, 2, 2],
    [0, 1, 1, 2],
  ] as const;
  const count = (length: number, first: number, step: number) => Math.ceil((length - first) / step);
  return passes.reduce((sum, [x, y, dx, dy]) => sum + rows(count(width, x, dx), count(height, y, dy)), 0);
}

/**
 * fast-png unpacks whatever the stream holds and reads missing rows as zeros. So the stream is unpacked once by zlib,
 * which stops beyond the expected length and verifies the stream's own checksum.
 */
function checkPixelData(pixels: Uint8Array, header: PngHeader, name: string): void {
  const expected = unpackedLength(header);
  let length: number;
  try {
    // Some slack: a few encoders append padding, which every decoder ignores.
    length = inflateSync(pixels, { maxOutputLength: expected + 65536, finishFlush: constants.Z_FINISH }).length;
  } catch (cause) {
    throw damaged(name, "PNG", cause);
  }
  check(length >= expected, "ERR_FORMAT", () => {
    return `${name}: damaged PNG: expected ${expected} bytes of pixel data, got ${length}`;
  });
}

/** @throws WasmogradError ERR_FORMAT, ERR_UNSUPPORTED (interlaced with less than 8 bits), ERR_TOO_LARGE */
export function decodePng(bytes: Uint8Array, maxPixels: number, name: string): Image {
  const header = pngHeader(bytes, name);
  checkSize(header, maxPixels, name);
  check(!needsSharp(header), "ERR_UNSUPPORTED", () => {
    return `${name}: interlaced PNG of ${header.bits} bits needs the optional package sharp (npm install sharp)`;
  });
  const parts = readParts(bytes, header, name);
  checkPixelData(parts.pixels, header, name);
  try {
    return expand(decode(parts.stripped).data, header, parts, name);
  } catch (cause) {
    throw cause instanceof WasmogradError ? cause : damaged(name, "PNG", cause);
  }
}

/** fast-png takes interlaced rows of packed samples for whole bytes. */
export function needsSharp({ interlaced, bits }: PngHeader): boolean {
  return interlaced && bits < 8;
}

/** Stored samples to 8 or 16 bits; palettes to colours; a transparent colour (tRNS) to alpha. */
function expand(stored: Samples, header: PngHeader, { palette, transparency }: Parts, name: string): Image {
  const { width, height, bits, samples } = header;
  const data = bits < 8 ? unpack(stored, header) : stored;
  if (palette) return applyPalette(data, header, palette, transparency, name);
  if (bits < 8) for (let i = 0; i < data.length; i++) data[i]! *= 255 / (2 ** bits - 1);
  const depth = bits === 16 ? 16 : 8;
  if (!transparency) return { width, height, channels: samples, depth, data };

  check(
    transparency.length === 2 * samples,
    "ERR_FORMAT",
    () => `${name}: damaged PNG: wrong length of its tRNS chunk`,
  );
  const unit = bits < 8 ? 255 / (2 ** bits - 1) : 1;
  const key = Array.from({ length: samples }, (_, c) => view(transparency).getUint16(2 * c) * unit);
  const image = createImage(width, height, (samples + 1) as Channels, depth);
  for (let p = 0, q = 0; p < data.length; p += samples, q += samples + 1) {
    let same = true;
    for (let c = 0; c < samples; c++) {
      image.data[q + c] = data[p + c]!;
      same &&= data[p + c] === key[c];
    }
    image.data[q + samples] = same ? 0 : 2 ** depth - 1;
  }
  return image;
}

/** Samples of 1, 2 or 4 bits, the first in the highest bits, rows padded to bytes. */
function unpack(stored: Samples, { width, height, bits }: PngHeader): Uint8Array {
  const output = new Uint8Array(width * height);
  const rowBytes = Math.ceil((width * bits) / 8);
  for (let y = 0, to = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const bit = x * bits;
      output[to++] = (stored[y * rowBytes + (bit >> 3)]! >> (8 - bits - (bit & 7))) & (2 ** bits - 1);
    }
  }
  return output;
}

function applyPalette(
  indices: Samples,
  { width, height }: Size,
  palette: Uint8Array,
  alpha: Uint8Array | undefined,
  name: string,
): Image {
  const image = createImage(width, height, alpha ? 4 : 3);
  const { data, channels } = image;
  const entries = palette.length / 3;
  for (let i = 0, q = 0; i < indices.length; i++, q += channels) {
    const index = indices[i]!;
    check(index < entries, "ERR_FORMAT", () => {
      return `${name}: damaged PNG: colour ${index} of a palette of ${entries}`;
    });
    data[q] = palette[3 * index]!;
    data[q + 1] = palette[3 * index + 1]!;
    data[q + 2] = palette[3 * index + 2]!;
    if (alpha) data[q + 3] = alpha[index] ?? 255;
  }
  return image;
}

/** fast-png holds rows and compressed stream in single buffers with 32-bit positions. */
const MAX_RAW_BYTES = 2 ** 31 - 1;

/** @throws WasmogradError ERR_TOO_LARGE, ERR_OUT_OF_MEMORY */
export function encodePng(image: Image): Uint8Array {
  const bytes = image.data.byteLength + image.height;
  check(bytes <= MAX_RAW_BYTES, "ERR_TOO_LARGE", () => {
    return `image: ${bytes} bytes of pixels exceed the limit of ${MAX_RAW_BYTES} for a PNG`;
  });
  try {
    return encode(image);
  } catch (cause) {
    throw new WasmogradError("ERR_OUT_OF_MEMORY", `cannot encode a PNG of ${image.width} x ${image.height}`, { cause });
  }
}
