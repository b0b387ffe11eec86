/** Exactness put to the test: whole layers of random int8 data by the algorithm and directly, compared value by value. */
import { randomSource } from "../../src/random.ts";
import { type CountedLayer, runCounted, runDirect } from "../../src/winograd/counting.ts";
import type { Transforms } from "../../src/winograd/transforms.ts";

/** Random data first, then the extremes, where sums are largest. */
const KINDS = ["random", "random", "random", "largest", "largest, signs at random", "random"] as const;
const CHANNELS = 5;

export interface Verification {
  readonly layers: number;
  readonly outputs: number;
  readonly different: number;
  readonly directMultiplications: number;
  readonly multiplications: number;
}

/** Yields what has been found after each layer. */
export function* verify(found: Transforms, seed: number): Generator<Verification, void> {
  const random = randomSource(seed);
  const { m, r } = found.nested.vertical.algorithm;
  const total = { layers: 0, outputs: 0, different: 0, directMultiplications: 0, multiplications: 0 };
  for (const kind of KINDS) {
    // Whole tiles, so that both count the same outputs.
    const tiles = 2 + Math.floor(random.uniform() * 3);
    const side = m * tiles + r - 1;
    const layer: CountedLayer = { height: side, width: side, ic: CHANNELS, oc: 3 };
    const value = (low: number): number => {
      if (kind === "random") return low + Math.floor(random.uniform() * (128 - low));
      if (kind === "largest") return low;
      return random.uniform() < 0.5 ? low : 127;
    };
    const input = Int8Array.from({ length: side * side * layer.ic }, () => value(-128));
    const filters = Int8Array.from({ length: layer.oc * r * r * layer.ic }, () => value(-127));
    const winograd = runCounted(found, layer, input, filters);
    const direct = runDirect(layer, [r, r], input, filters);
    total.layers++;
    total.outputs += direct.output.length;
    total.different += direct.output.reduce((count, x, i) => count + (x === winograd.output[i] ? 0 : 1), 0);
    total.directMultiplications += direct.counts.multiplications;
    total.multiplications += winograd.counts.multiplications;
    yield { ...total };
  }
}
