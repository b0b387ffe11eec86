/** Where the pixels of a picture come from and go to. */
import type { Image, Region, Size } from "../image/types.ts";

export interface PixelPort {
  /** Copies a region of the input to `to`, row by row without gaps. */
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
    read: (region, rows) => {
      forEachRow(region, input.width * bytes, bytes, (at, start, length) => {
        rows.set(from.subarray(at, at + length), start);
      });
    },
    write: (region, rows) => {
      forEachRow(region, output.width * bytes, bytes, (at, start, length) => {
        to.set(rows.subarray(start, start + length), at);
      });
    },
  };
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
