import { check, WasmogradError } from "../errors.ts";

/** 1 grey, 2 grey + alpha, 3 RGB, 4 RGBA. Alpha is straight (not premultiplied). */
export type Channels = 1 | 2 | 3 | 4;
/** Bits of a sample: values 0..255 or 0..65535. */
export type Depth = 8 | 16;
/** 8 or 16 bits a sample. */
export type Samples = Uint8Array | Uint8ClampedArray | Uint16Array;

/** Width and height, in pixels. */
export interface Size {
  /** Positive integer. */
  readonly width: number;
  /** Positive integer. */
  readonly height: number;
}

/** A rectangle in pixels: columns [x, x + width), rows [y, y + height). */
export interface Region extends Size {
  /** Leftmost column. */
  readonly x: number;
  /** Topmost row. */
  readonly y: number;
}

/**
 * A picture. Samples are interleaved row by row from the top left, without padding: sample c of pixel (x, y) is
 * data[(y * width + x) * channels + c]. Colours are sRGB (gamma-encoded), as files hold them.
 */
export interface Image extends Size {
  /** 1 grey, 2 grey + alpha, 3 RGB, 4 RGBA. */
  readonly channels: Channels;
  /** Bits a sample. */
  readonly depth: Depth;
  /** 8 bits: Uint8Array or Uint8ClampedArray; 16 bits: Uint16Array. */
  readonly data: Samples;
}

/** What a canvas gives (`ImageData` and anything like it): RGBA, 8 bits. */
export interface ImageDataLike extends Size {
  /** RGBA, 4 bytes a pixel, row by row. */
  readonly data: Uint8Array | Uint8ClampedArray;
}

/** What every function of the library that takes a picture accepts. */
export type ImageInput = Image | ImageDataLike;

/** The greatest width and height: coordinates and row strides in bytes stay inside 31 bits. */
export const MAX_SIDE = 1 << 20;

function describe(value: unknown): string {
  if (value === null || typeof value !== "object") return typeof value === "string" ? `"${value}"` : String(value);
  return value.constructor?.name ?? "object";
}

/** @throws WasmogradError ERR_SHAPE unless 1 <= value <= MAX_SIDE and whole */
export function checkSide(value: unknown, name: string): asserts value is number {
  const whole = typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= MAX_SIDE;
  check(whole, "ERR_SHAPE", () => `${name}: expected an integer from 1 to ${MAX_SIDE}, got ${describe(value)}`);
}

/**
 * Validates a picture and completes an ImageData-like one to RGBA, 8 bits. Samples are not copied.
 * @param name  what messages call the argument
 * @throws WasmogradError ERR_ARGUMENT for a wrong type, ERR_SHAPE for a wrong size
 */
export function checkImage(input: unknown, name = "image"): Image {
  check(typeof input === "object" && input !== null, "ERR_ARGUMENT", () => {
    return `${name}: expected { width, height, channels, depth, data }, got ${describe(input)}`;
  });
  const { width, height, channels = 4, depth = 8, data } = input as Partial<Image>;
  checkSide(width, `${name}.width`);
  checkSide(height, `${name}.height`);
  check(channels === 1 || channels === 2 || channels === 3 || channels === 4, "ERR_SHAPE", () => {
    return `${name}.channels: expected 1 (grey), 2 (grey, alpha), 3 (RGB) or 4 (RGBA), got ${describe(channels)}`;
  });
  check(depth === 8 || depth === 16, "ERR_ARGUMENT", () => `${name}.depth: expected 8 or 16, got ${describe(depth)}`);
  const fits =
    depth === 8 ? data instanceof Uint8Array || data instanceof Uint8ClampedArray : data instanceof Uint16Array;
  check(fits && data !== undefined, "ERR_ARGUMENT", () => {
    const wanted = depth === 8 ? "Uint8Array or Uint8ClampedArray" : "Uint16Array";
    return `${name}.data: expected ${wanted} for depth ${depth}, got ${describe(data)}`;
  });
  const length = width * height * channels;
  check(data.length === length, "ERR_SHAPE", () => {
    return `${name}.data: expected ${length} samples (${width} x ${height} x ${channels}), got ${data.length}`;
  });
  return { width, height, channels, depth, data };
}

/**
 * A picture of the given form with all samples zero.
 * @throws WasmogradError ERR_SHAPE for a wrong size, ERR_OUT_OF_MEMORY when the engine cannot hold it
 */
export function createImage(width: number, height: number, channels: Channels, depth: Depth = 8): Image {
  checkSide(width, "width");
  checkSide(height, "height");
  const length = width * height * channels;
  try {
    return { width, height, channels, depth, data: depth === 8 ? new Uint8Array(length) : new Uint16Array(length) };
  } catch (cause) {
    const message = `cannot hold a picture of ${width} x ${height} x ${channels} samples`;
    throw new WasmogradError("ERR_OUT_OF_MEMORY", message, { cause });
  }
}

/** Whether the last channel is alpha. */
export function hasAlpha(image: Pick<Image, "channels">): boolean {
  return image.channels === 2 || image.channels === 4;
}
