// Training tiles for calibration, and others kept apart to measure on.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { decode } from "fast-png";
import { resizeWith } from "../../dist/image/resize-strips.js";

const TILE = 192;
/** The network's luma is Y / 255. */
export const PEAK = 255;

/** Every tile of every strip, in a fixed order: luma, 8 bits, studio range. */
function* allTiles(directory) {
  for (const name of readdirSync(directory).sort()) {
    const { width, height, data, channels } = decode(readFileSync(join(directory, name)));
    for (let top = 0; top + TILE <= height; top += TILE) {
      for (let left = 0; left + TILE <= width; left += TILE) {
        const tile = new Uint8Array(TILE * TILE);
        for (let y = 0; y < TILE; y++) {
          for (let x = 0; x < TILE; x++) tile[y * TILE + x] = data[((top + y) * width + left + x) * channels];
        }
        yield tile;
      }
    }
  }
}

/** A tile and what the network sees of it: { target: luma 0..255, size, input: feature map of the luma / 255 at 1/scale }. */
function pair(kernels, tile, scale) {
  const image = { width: TILE, height: TILE, channels: 1, depth: 8, data: tile };
  const small = resizeWith(kernels, image, { scale: 1 / scale });
  const input = { shape: [small.height, small.width, 1], data: Float32Array.from(small.data, (v) => v / PEAK) };
  return { target: tile, size: { width: TILE, height: TILE }, input };
}

/** A tile in two levels, black and white of studio range, parted at its mean: edges as hard as those of text and drawings. */
function inTwoLevels(tile) {
  const mean = tile.reduce((a, b) => a + b, 0) / tile.length;
  return tile.map((v) => (v < mean ? 16 : 235));
}

/**
 * `count` tiles spread evenly over all strips to calibrate with (`seen`), as many between them to measure on (`unseen`), and every
 * fourth of either in two levels: `edges`, which ranges may be observed on too so that hard edges do not saturate, and `graphics`, to see
 * how far int8 holds on them.
 */
export function loadTiles(kernels, directory, count, scale) {
  const tiles = [...allTiles(directory)];
  const step = Math.floor(tiles.length / count);
  const every = (offset) => Array.from({ length: count }, (_, i) => tiles[i * step + offset]);
  const pairs = (chosen) => chosen.map((tile) => pair(kernels, tile, scale));
  const apart = every(step >> 1);
  const someInTwoLevels = (chosen) => chosen.filter((_, i) => i % 4 === 0).map(inTwoLevels);
  return {
    seen: pairs(every(0)),
    edges: pairs(someInTwoLevels(every(0))),
    unseen: pairs(apart),
    graphics: pairs(someInTwoLevels(apart)),
  };
}
