/** Files to pixels, by what the browser can read. */
import { createImage, type Image } from "../../src/image/types.ts";

/** Pixels of a picture at most: at twice the size its samples stay well below the 2 GiB of one buffer. */
const MOST_PIXELS = 2 ** 25;
/** Rows that are taken from the browser's picture at a time, so that it is never held twice. */
const ROWS = 256;

/**
 * RGB, or RGBA if a pixel is not opaque, 8 bits, in sRGB, turned as the file says.
 * @throws Error, one line, when the browser cannot read the file or the result would be too large
 */
export async function decode(file: Blob): Promise<Image> {
  const bitmap = await createImageBitmap(file).catch(() => {
    throw new Error("this browser cannot read that file as a picture");
  });
  try {
    const { width, height } = bitmap;
    if (width * height > MOST_PIXELS) {
      throw new Error(`${width} x ${height} is too large: expected at most ${Math.floor(MOST_PIXELS / 1e6)} Mpixel`);
    }
    return copy(bitmap, 3) ?? copy(bitmap, 4)!;
  } finally {
    bitmap.close();
  }
}

/** undefined when three channels were asked for and there is transparency. */
function copy(bitmap: ImageBitmap, channels: 3 | 4): Image | undefined {
  const { width, height } = bitmap;
  const context = new OffscreenCanvas(width, Math.min(ROWS, height)).getContext("2d", { willReadFrequently: true })!;
  const image = createImage(width, height, channels);
  const { data } = image;
  let to = 0;
  for (let y = 0; y < height; y += ROWS) {
    const rows = Math.min(ROWS, height - y);
    context.clearRect(0, 0, width, rows);
    context.drawImage(bitmap, 0, -y);
    const rgba = context.getImageData(0, 0, width, rows).data;
    if (channels === 4) {
      data.set(rgba, y * width * 4);
      continue;
    }
    for (let from = 0; from < rgba.length; from += 4) {
      if (rgba[from + 3] !== 255) return undefined;
      data[to++] = rgba[from]!;
      data[to++] = rgba[from + 1]!;
      data[to++] = rgba[from + 2]!;
    }
  }
  return image;
}
