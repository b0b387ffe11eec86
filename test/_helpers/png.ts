import { crc32, deflateSync } from "node:zlib";

export interface PngSpec {
  width: number;
  height: number;
  bits: number;
  /** 0 grey, 2 RGB, 3 palette, 4 grey + alpha, 6 RGBA. */
  colourType: number;
  /** Row-major samples, not packed. */
  samples: ArrayLike<number>;
  interlaced?: boolean;
  palette?: number[];
  transparency?: number[];
  /** Chunks put behind IHDR. */
  extra?: [type: string, data: Uint8Array][];
}

export const SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);

export function chunk(type: string, data: ArrayLike<number>): Uint8Array {
  const body = Buffer.concat([Buffer.from(type, "latin1"), Uint8Array.from(data)]);
  const framed = Buffer.alloc(body.length + 8);
  framed.writeUInt32BE(data.length, 0);
  body.copy(framed, 4);
  framed.writeUInt32BE(crc32(body), body.length + 4);
  return framed;
}

export function ihdr({ width, height, bits, colourType, interlaced }: Omit<PngSpec, "samples">): Uint8Array {
  const data = Buffer.alloc(13);
  data.writeUInt32BE(width, 0);
  data.writeUInt32BE(height, 4);
  data.set([bits, colourType, 0, 0, interlaced ? 1 : 0], 8);
  return chunk("IHDR", data);
}

/** A PNG of any form, with filter types 0 and 2 in turn: written from the specification, for tests only. */
export function makePng(spec: PngSpec): Uint8Array {
  const perPixel = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 }[spec.colourType]!;
  const grids = spec.interlaced
    ? [
        [0, 0, 8, 8],
        [4, 0, 8, 8],
        [0, 4, 4, 8],
        [2, 0, 4, 4],
        [0, 2, 2, 4],
        [1, 0, 2, 2],
        [0, 1, 1, 2],
      ]
    : [[0, 0, 1, 1]];
  const rows: Buffer[] = [];
  for (const [x0, y0, dx, dy] of grids as [number, number, number, number][]) {
    let before: Buffer | undefined;
    for (let y = y0; y < spec.height && x0 < spec.width; y += dy) {
      const bits: number[] = [];
      for (let x = x0; x < spec.width; x += dx) {
        for (let c = 0; c < perPixel; c++) {
          const value = spec.samples[(y * spec.width + x) * perPixel + c]!;
          for (let b = spec.bits - 1; b >= 0; b--) bits.push((value >> b) & 1);
        }
      }
      while (bits.length % 8) bits.push(0);
      const row = Buffer.alloc(bits.length / 8);
      for (const [i, bit] of bits.entries()) row[i >> 3]! |= bit << (7 - (i & 7));
      const up = rows.length % 2 === 1 && before !== undefined;
      rows.push(Buffer.concat([Uint8Array.of(up ? 2 : 0), row.map((v, i) => (up ? v - before![i]! : v))]));
      before = row;
    }
  }
  const packed = deflateSync(Buffer.concat(rows));
  const half = packed.length >> 1; // two IDAT chunks, as files have
  return Buffer.concat([
    SIGNATURE,
    ihdr(spec),
    ...(spec.extra ?? []).map(([type, data]) => chunk(type, data)),
    ...(spec.palette ? [chunk("PLTE", spec.palette)] : []),
    ...(spec.transparency ? [chunk("tRNS", spec.transparency)] : []),
    chunk("IDAT", packed.subarray(0, half)),
    chunk("IDAT", packed.subarray(half)),
    chunk("IEND", []),
  ]);
}
