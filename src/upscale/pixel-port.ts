/** Where the pixels of a picture come from and go to. */
import type { Image, Region, Size } from "../image/types.ts";

export interface PixelPort {
  /** Copies a region of the input to `to`, row by row without gaps. Beyond the input it has the nearest of its pixels. */
  read(region: Region, to: Uint8Array): void;
  /** Takes a region of the output, which is valid during the call only. */
  write(region: Region, from: Uint8Array): void;
}

/** A picture without its pixels. */
export type PictureForm = Size & Pick<Image, "channels" | "depth">;

/** Bytes of a pixel. */
export function pixelBytes({ channels, depth }: PictureForm): number {
  return channels * (depth / 8);
}

/** From one picture to another of the same form. */
export function picturePort(input: Image, output: Image): PixelPort {
  const bytes = pixelBytes(input);
  const [from, to] = [bytesOf(input), bytesOf(output)];
  return {
    read: (region, rows) => readReplicated(from, input, bytes, region, rows),
    write: (region, rows) => {
      forEachRow(region, output.width * bytes, bytes, (at, start, length) => {
        to.set(rows.subarray(start, start + length), at);
      });
    },
  };
}

/** A region of which a column at least lies inside the picture `from`; the rest repeats the border. */
function readReplicated(from: Uint8Array, size: Size, bytes: number, region: Region, to: Uint8Array): void {
  const { x, y, width, height } = region;
  const first = Math.max(0, x);
  const last = Math.min(size.width, x + width);
  const length = width * bytes;
  const left = (first - x) * bytes;
  const right = (last - x) * bytes;
  for (let row = 0; row < height; row++) {
    const at = (Math.min(Math.max(y + row, 0), size.height - 1) * size.width + first) * bytes;
    const start = row * length;
    to.set(from.subarray(at, at + right - left), start + left);
    for (let i = left - 1; i >= 0; i--) to[start + i] = to[start + i + bytes]!;
    for (let i = right; i < length; i++) to[start + i] = to[start + i - bytes]!;
  }
}

/** `at`: where a row of the region begins in a picture with rows of `rowBytes`; `start`: where without gaps. */
export function forEachRow(
  { x, y, width, height }: Region,
  rowBytes: number,
  bytes: number,
  each: (at: number, start: number, length: number) => void,
): void {
  const length = width * bytes;
  for (let row = 0; row < height; row++) each((y + row) * rowBytes + x * bytes, row * length, length);
}

function bytesOf({ data }: Image): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}
