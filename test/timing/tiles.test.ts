import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { buildModel } from "../../src/models/registry.ts";
import type { Network } from "../../src/network/description.ts";
import { device, deviceIds } from "../../src/timing/devices/registry.ts";
import { simulate } from "../../src/timing/simulate.ts";
import { cutAxis } from "../../src/timing/tiles.ts";

const sesr = buildModel("sesr-m5");
/** Nothing reaches beyond its own pixel. */
const pointwise: Network = {
  name: "pointwise",
  layers: [
    { op: "input", name: "x", channels: 16 },
    {
      op: "conv2d",
      name: "y",
      input: "x",
      kernel: [1, 1],
      stride: 1,
      padding: "same",
      channels: 16,
      weights: "w",
    },
  ],
  output: "y",
};

describe("cutting an axis", () => {
  it("covers it, adds what a list of tiles says, and adds nothing without margins", () => {
    const side = fc.integer({ min: 1, max: 300 });
    const reach = fc.integer({ min: 0, max: 20 });
    fc.assert(
      fc.property(side, side, reach, reach, (length, tile, before, after) => {
        const slow = new Map<number, number>();
        for (let start = 0; start < length; start += tile) {
          let pixels = 0;
          for (let at = 0; at < length; at++) if (at >= start - before && at < start + tile + after) pixels++;
          slow.set(pixels, (slow.get(pixels) ?? 0) + 1);
        }
        expect(cutAxis(length, tile, before, after)).toEqual(slow);
        const sum = [...cutAxis(length, tile, 0, 0)].reduce((all, [extent, count]) => all + extent * count, 0);
        expect(sum).toBe(length);
      }),
    );
  });
});

// A kind of each.
const kinds = [...new Map(deviceIds().map((id) => [device(id).kind, id])).values()];

describe.each(kinds)("tiles on %s", (id) => {
  const target = device(id);

  test("one tile is the whole", () => {
    const whole = simulate(sesr, target, { input: [60, 80] });
    const { tiles, total, layers } = simulate(sesr, target, { input: [60, 80], tile: [60, 80] });
    expect(total).toEqual(whole.total);
    expect(layers.map(({ cycles }) => cycles)).toEqual(whole.layers.map(({ cycles }) => cycles));
    expect(tiles).toMatchObject({ count: 1, overUntiled: { ms: 1, macs: 1, dramBytes: 1 } });
  });

  test("MACs are those of the enlarged tiles, counted pixel by pixel; the total is the sum of tiles alone", () => {
    const [height, width, tile] = [70, 100, 32];
    const { tiles, total, layers } = simulate(sesr, target, { input: [height, width], tile: [tile, tile] });
    expect(tiles!.halo).toEqual({ top: 9, bottom: 9, left: 9, right: 9, scale: 2 });
    let [macs, ms, count] = [0, 0, 0];
    for (let y = 0; y < height; y += tile) {
      for (let x = 0; x < width; x += tile) {
        const h = Math.min(height, y + tile + 9) - Math.max(0, y - 9);
        const w = Math.min(width, x + tile + 9) - Math.max(0, x - 9);
        const alone = simulate(sesr, target, { input: [h, w] }).total;
        macs += alone.macs;
        ms += alone.ms;
        count++;
      }
    }
    expect(tiles!.count).toBe(count);
    expect(total.macs).toBe(macs);
    expect(total.ms).toBeCloseTo(ms, 9);
    expect(tiles!.overUntiled!.macs).toBeCloseTo(
      macs / simulate(sesr, target, { input: [height, width] }).total.macs,
      12,
    );
    expect(tiles!.overUntiled!.macs).toBeGreaterThan(1);
    for (const { bound, cyclesByResource } of layers) expect(cyclesByResource[bound]).toBeGreaterThan(0);
  });

  test("without a margin nothing is computed twice", () => {
    const { tiles } = simulate(pointwise, target, { input: [64, 64], tile: [16, 32] });
    expect(tiles).toMatchObject({ count: 8, overUntiled: { macs: 1 } });
    expect(tiles!.sizes.map(({ height, width, count }) => [height, width, count])).toEqual([[16, 32, 8]]);
  });
});

describe("what cannot be", () => {
  test.each([
    [sesr, [0, 4], /^tile: expected two positive integers, \[height, width\], got 0x4$/],
    [
      buildModel("resnet18"),
      [56, 56],
      /^layer "fc": expected stride 1 and same padding to run in tiles, got valid padding$/,
    ],
    [buildModel("deit-ti"), [56, 56], /cannot run in tiles|to run in tiles/],
  ] as const)("%# is one line", (network, tile, message) => {
    expect(() => simulate(network, device("ethos-u55-128"), { input: [224, 224], tile })).toThrow(message);
  });
});
