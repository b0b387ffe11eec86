/**
 * A PNG writer on the browser's own deflate. A canvas would do it in one call, but it multiplies colours by alpha, has a size limit and
 * needs the whole picture a second time; this one takes the samples as they are, some rows at a time (PNG specification, sections 4 to 10).
 */
import type { Image } from "../../src/image/types.ts";

const SIGNATURE = [137, 80, 78, 71, 13, 10, 26, 10];
/** By channels: grey, grey with alpha, RGB, RGBA. */
const COLOUR_TYPES = [0, 4, 2, 6];
/** Filtered bytes that go to the compressor at a time. */
const BATCH = 2 ** 20;
const PAETH = 4;

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
  return c;
});

function crc(bytes: Uint8Array): number {
  let c = 0xffffffff;
  for (let i = 0; i < bytes.length; i++) c = CRC_TABLE[(c ^ bytes[i]!) & 255]! ^ (c >>> 8);
  return ~c >>> 0;
}

function chunk(type: string, data: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(data.length + 12);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, data.length);
  for (let i = 0; i < 4; i++) bytes[4 + i] = type.charCodeAt(i);
  bytes.set(data, 8);
  view.setUint32(8 + data.length, crc(bytes.subarray(4, 8 + data.length)));
  return bytes;
}

function header({ width, height, channels }: Image): Uint8Array {
  const bytes = new Uint8Array(13);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  bytes[8] = 8;
  bytes[9] = COLOUR_TYPES[channels - 1]!;
  return bytes;
}

/** One row by the Paeth predictor, `above` being the row before it or zeros. */
function filterRow(row: Uint8Array, above: Uint8Array, channels: number, to: Uint8Array): void {
  for (let i = 0; i < row.length; i++) {
    const a = i < channels ? 0 : row[i - channels]!;
    const b = above[i]!;
    const c = i < channels ? 0 : above[i - channels]!;
    const pa = Math.abs(b - c);
    const pb = Math.abs(a - c);
    const pc = Math.abs(a + b - 2 * c);
    to[i] = row[i]! - (pa <= pb && pa <= pc ? a : pb <= pc ? b : c);
  }
}

/**
 * @param image 8 bits a sample
 * @param progress told how much of it is done, 0 to 1
 */
export async function encodePng(image: Image, progress: (fraction: number) => void = () => {}): Promise<Blob> {
  const { width, height, channels } = image;
  const data = new Uint8Array(image.data.buffer, image.data.byteOffset, image.data.byteLength);
  const stride = width * channels;
  const { readable, writable } = new CompressionStream("deflate");
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  const collected = (async () => {
    const reader = readable.getReader();
    for (let step = await reader.read(); !step.done; step = await reader.read()) chunks.push(chunk("IDAT", step.value));
  })();
  const writer = writable.getWriter();
  const rows = Math.max(1, Math.floor(BATCH / (stride + 1)));
  let above: Uint8Array = new Uint8Array(stride);
  for (let y = 0; y < height; y += rows) {
    const count = Math.min(rows, height - y);
    const filtered = new Uint8Array(count * (stride + 1));
    for (let i = 0; i < count; i++) {
      const row = data.subarray((y + i) * stride, (y + i + 1) * stride);
      const start = i * (stride + 1);
      filtered[start] = PAETH;
      filterRow(row, above, channels, filtered.subarray(start + 1, start + 1 + stride));
      above = row;
    }
    await writer.write(filtered);
    progress((y + count) / height);
  }
  await writer.close();
  await collected;
  const parts = [Uint8Array.from(SIGNATURE), chunk("IHDR", header(image)), ...chunks, chunk("IEND", new Uint8Array(0))];
  return new Blob(parts, { type: "image/png" });
}
