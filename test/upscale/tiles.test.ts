import fc from "fast-check";
import { expect, test } from "vitest";
import { cutTiles } from "../../src/upscale/tiles.ts";

test("cores cover the picture once; sources have one size, lie inside picture and margin, and hold core and halo", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 200 }),
      fc.integer({ min: 1, max: 200 }),
      fc.integer({ min: 1, max: 70 }),
      fc.integer({ min: 0, max: 15 }),
      fc.integer({ min: 0, max: 5 }),
      (width, height, edge, halo, margin) => {
        const tiles = cutTiles({ width, height }, { width: edge, height: edge }, { halo, margin });
        const [right, bottom] = [width + margin, height + margin];
        const seen = new Uint8Array(width * height);
        const size = tiles[0]!.source;
        for (const { core, source } of tiles) {
          expect(core.width <= edge && core.height <= edge).toBe(true);
          expect([source.width, source.height]).toEqual([size.width, size.height]);
          expect(source.x).toBeGreaterThanOrEqual(-margin);
          expect(source.y).toBeGreaterThanOrEqual(-margin);
          expect(source.x + source.width).toBeLessThanOrEqual(right);
          expect(source.y + source.height).toBeLessThanOrEqual(bottom);
          expect(source.x).toBeLessThanOrEqual(Math.max(-margin, core.x - halo));
          expect(source.y).toBeLessThanOrEqual(Math.max(-margin, core.y - halo));
          expect(source.x + source.width).toBeGreaterThanOrEqual(Math.min(right, core.x + core.width + halo));
          expect(source.y + source.height).toBeGreaterThanOrEqual(Math.min(bottom, core.y + core.height + halo));
          for (let y = core.y; y < core.y + core.height; y++) {
            for (let x = core.x; x < core.x + core.width; x++) seen[y * width + x]!++;
          }
        }
        expect(seen.every((n) => n === 1)).toBe(true);
      },
    ),
  );
});
