import { check } from "../errors.ts";
import type { Size } from "../image/types.ts";
import { type Orientation, readOrientation } from "./exif.ts";

export interface JpegHeader extends Size {
  /** As stored: before the orientation is applied. */
  readonly components: number;
  /** Three components that are R, G, B rather than Y, Cb, Cr. */
  readonly rgb: boolean;
  readonly adobe: boolean;
  readonly orientation: Orientation;
  /** 8x8 blocks of all components, padding included. */
  readonly blocks: number;
  /** Offset behind the end-of-image marker. */
  readonly end: number;
}

interface Frame extends Size {
  readonly components: number;
  readonly ids: readonly number[];
  readonly blocks: number;
}

/**
 * Walks all segments of a JPEG to its end-of-image marker (ITU-T T.81, annex B) without decoding: what the decoder
 * needs to know, and proof that the file is whole.
 * @throws WasmogradError ERR_FORMAT for a damaged or truncated file, ERR_UNSUPPORTED for a coding that jpeg-js does not
 *   know
 */
export function jpegHeader(bytes: Uint8Array, name: string): JpegHeader {
  const truncated = () => `${name}: truncated JPEG: it ends before its end-of-image marker`;
  let frame: Frame | undefined;
  let orientation: Orientation = 1;
  let adobeTransform: number | undefined;
  let jfif = false;
  let scans = 0;
  let at = 2; // behind start-of-image
  for (;;) {
    check(at + 2 <= bytes.length, "ERR_FORMAT", truncated);
    check(bytes[at] === 0xff, "ERR_FORMAT", () => `${name}: damaged JPEG: expected a marker at byte ${at}`);
    const marker = bytes[at + 1]!;
    at += marker === 0xff ? 1 : 2; // any number of 0xff may fill up in front of a marker
    if (marker === 0xff || marker === 0x01 || (marker >= 0xd0 && marker <= 0xd7)) continue;
    if (marker === 0xd9) break;

    check(at + 2 <= bytes.length, "ERR_FORMAT", truncated);
    const length = (bytes[at]! << 8) | bytes[at + 1]!;
    check(length >= 2, "ERR_FORMAT", () => `${name}: damaged JPEG: empty segment at byte ${at}`);
    check(at + length <= bytes.length, "ERR_FORMAT", truncated);
    const body = bytes.subarray(at + 2, at + length);
    at += length;
    if (marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc) {
      check(frame === undefined, "ERR_UNSUPPORTED", () => `${name}: JPEG of several frames`);
      frame = readFrame(marker, body, name);
    } else if (marker === 0xe0) {
      jfif ||= String.fromCharCode(...body.subarray(0, 4)) === "JFIF";
    } else if (marker === 0xe1 && orientation === 1) {
      orientation = readOrientation(body);
    } else if (marker === 0xee && String.fromCharCode(...body.subarray(0, 5)) === "Adobe") {
      adobeTransform = body[11];
    } else if (marker === 0xda) {
      scans++;
      check(frame !== undefined, "ERR_FORMAT", () => `${name}: damaged JPEG: pixels before their frame`);
      at = endOfScan(bytes, at);
      check(at < bytes.length, "ERR_FORMAT", truncated);
    }
  }
  check(frame !== undefined && scans > 0, "ERR_FORMAT", () => `${name}: damaged JPEG: no pixels`);
  const { width, height, components, ids, blocks } = frame;
  // As libjpeg decides: JFIF means YCbCr, Adobe says it, else the component names may be the letters.
  const letters = ids.join() === "82,71,66";
  const rgb = components === 3 && !jfif && (adobeTransform === undefined ? letters : adobeTransform === 0);
  return { width, height, components, rgb, adobe: adobeTransform !== undefined, orientation, blocks, end: at };
}

function readFrame(marker: number, body: Uint8Array, name: string): Frame {
  check(marker <= 0xc2, "ERR_UNSUPPORTED", () => {
    return `${name}: JPEG coding SOF${marker - 0xc0}; expected baseline, extended or progressive Huffman (SOF0 to SOF2)`;
  });
  const components = body[5] ?? 0;
  check(
    body.length === 6 + 3 * components,
    "ERR_FORMAT",
    () => `${name}: damaged JPEG: wrong length of its frame header`,
  );
  check(body[0] === 8, "ERR_UNSUPPORTED", () => `${name}: JPEG of ${body[0]} bits; expected 8`);
  const known = components === 1 || components === 3 || components === 4;
  check(known, "ERR_UNSUPPORTED", () => `${name}: JPEG of ${components} components; expected 1, 3 or 4`);
  const height = (body[1]! << 8) | body[2]!;
  const width = (body[3]! << 8) | body[4]!;
  const parts = Array.from({ length: components }, (_, i) => body.subarray(6 + 3 * i, 9 + 3 * i));
  const factors = parts.map((part) => ({ h: part[1]! >> 4, v: part[1]! & 15 }));
  const legal = factors.every(({ h, v }) => h >= 1 && h <= 4 && v >= 1 && v <= 4);
  check(legal, "ERR_FORMAT", () => `${name}: damaged JPEG: sampling factor outside 1 to 4`);
  const across = Math.ceil(width / 8 / Math.max(...factors.map(({ h }) => h)));
  const down = Math.ceil(height / 8 / Math.max(...factors.map(({ v }) => v)));
  const blocks = factors.reduce((sum, { h, v }) => sum + across * h * down * v, 0);
  return { width, height, components, ids: parts.map((part) => part[0]!), blocks };
}

/** The next marker behind entropy-coded bytes, in which 0xff is followed by 0 or is a restart marker. */
function endOfScan(bytes: Uint8Array, from: number): number {
  for (let at = from; ; at += 2) {
    at = bytes.indexOf(0xff, at);
    const next = bytes[at + 1];
    if (at < 0 || next === undefined) return bytes.length;
    if (next !== 0 && !(next >= 0xd0 && next <= 0xd7)) return at;
  }
}
