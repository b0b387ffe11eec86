import { createImage, type Image } from "../image/types.ts";

/**
 * EXIF's orientation: 1 upright, 2 mirrored, 3 turned by 180 degrees, 4 flipped, 5 to 8 the same with the axes
 * exchanged.
 */
export type Orientation = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8;

/**
 * The orientation in the body of a JPEG's APP1 segment: "Exif", two zeros, then a TIFF header and its first directory,
 * in which tag 0x0112 is one 16-bit value (EXIF 2.32, section 4.6). Anything that is not exactly that means upright.
 */
export function readOrientation(segment: Uint8Array): Orientation {
  const EXIF = [0x45, 0x78, 0x69, 0x66, 0, 0];
  if (segment.length < 14 || EXIF.some((byte, i) => segment[i] !== byte)) return 1;
  const tiff = new DataView(segment.buffer, segment.byteOffset + 6, segment.length - 6);
  const order = tiff.getUint16(0);
  if (order !== 0x4949 && order !== 0x4d4d) return 1;
  const little = order === 0x4949;
  const directory = tiff.getUint32(4, little);
  if (directory + 2 > tiff.byteLength) return 1;
  const entries = tiff.getUint16(directory, little);
  for (let i = 0; i < entries; i++) {
    const entry = directory + 2 + 12 * i;
    if (entry + 12 > tiff.byteLength) return 1;
    if (tiff.getUint16(entry, little) !== 0x0112) continue;
    const value = tiff.getUint16(entry + 8, little);
    return value >= 1 && value <= 8 ? (value as Orientation) : 1;
  }
  return 1;
}

/** Whether width and height change places. */
export function swapsAxes(orientation: Orientation): boolean {
  return orientation >= 5;
}

/** The picture as it is meant to be seen; the same object when it is upright already. */
export function upright(image: Image, orientation: Orientation): Image {
  if (orientation === 1) return image;
  const { width: w, height: h, channels } = image;
  const output = swapsAxes(orientation)
    ? createImage(h, w, channels, image.depth)
    : createImage(w, h, channels, image.depth);
  // Output pixel (x, y) is source pixel start + x * right + y * down.
  const [start, right, down] = (
    [
      [w - 1, -1, w],
      [w * h - 1, -1, -w],
      [w * (h - 1), 1, -w],
      [0, w, 1],
      [w * (h - 1), -w, 1],
      [w * h - 1, -w, -1],
      [w - 1, w, -1],
    ] as const
  )[orientation - 2]!;
  let to = 0;
  for (let y = 0; y < output.height; y++) {
    for (let x = 0; x < output.width; x++) {
      const from = (start + x * right + y * down) * channels;
      for (let c = 0; c < channels; c++) output.data[to++] = image.data[from + c]!;
    }
  }
  return output;
}
