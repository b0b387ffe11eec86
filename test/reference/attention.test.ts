import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { FeatureMap, Shape } from "../../src/network/description.ts";
import { fourierPosition, fourierPositions } from "../../src/network/fourier-positions.ts";
import { crossCovarianceAttention, softmaxAttention } from "../../src/reference/attention.ts";
import { addPositions, classToken, pivotProjection, replaceToken, takeToken } from "../../src/reference/tokens.ts";
import { random } from "../_helpers/random.ts";

const make = (length: number) => new Float64Array(length);

function map(seed: number, shape: Shape): FeatureMap<Float64Array> {
  const next = random(seed);
  return { shape, data: Float64Array.from({ length: shape[0] * shape[1] * shape[2] }, () => 4 * next() - 2) };
}

const distance = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Math.max(...Array.from(a, (x, i) => Math.abs(x - b[i]!)));

/** heads, heads that share keys and values, channels a head, sizes. */
const cases = fc.record({
  shared: fc.integer({ min: 1, max: 3 }),
  grouping: fc.integer({ min: 1, max: 3 }),
  channels: fc.integer({ min: 1, max: 5 }),
  valueChannels: fc.integer({ min: 1, max: 4 }),
  height: fc.integer({ min: 1, max: 3 }),
  width: fc.integer({ min: 1, max: 4 }),
  queries: fc.integer({ min: 1, max: 4 }),
  seed: fc.nat(),
});

describe("softmaxAttention", () => {
  it("is the published sum, written with whole matrices", () => {
    fc.assert(
      fc.property(cases, ({ shared, grouping, channels, valueChannels, height, width, queries, seed }) => {
        const heads = shared * grouping;
        const q = map(seed, [1, queries, heads * channels]);
        const k = map(seed + 1, [height, width, shared * channels]);
        const v = map(seed + 2, [height, width, shared * valueChannels]);
        const { shape, data } = softmaxAttention({ q, k, v }, { heads, keyHeads: shared, valueHeads: shared }, make);
        expect(shape).toEqual([1, queries, heads * valueChannels]);
        for (let m = 0; m < queries; m++) {
          for (let h = 0; h < heads; h++) {
            const group = Math.floor(h / grouping);
            const raw = Array.from({ length: height * width }, (_, n) => {
              let score = 0;
              for (let c = 0; c < channels; c++)
                score += q.data[(m * heads + h) * channels + c]! * k.data[(n * shared + group) * channels + c]!;
              return Math.exp(score / Math.sqrt(channels));
            });
            const total = raw.reduce((a, b) => a + b);
            for (let c = 0; c < valueChannels; c++) {
              const sum = raw.reduce((s, e, n) => s + e * v.data[(n * shared + group) * valueChannels + c]!, 0) / total;
              expect(data[(m * heads + h) * valueChannels + c]!).toBeCloseTo(sum, 12);
            }
          }
        }
      }),
    );
  });

  it("does not see a constant added to all keys, and keeps constant values", () => {
    fc.assert(
      fc.property(cases, ({ shared: heads, channels, height, width, seed }) => {
        const counts = { heads, keyHeads: heads, valueHeads: heads };
        const [q, k, v] = [0, 1, 2].map((i) => map(seed + i, [height, width, heads * channels])) as [
          FeatureMap<Float64Array>,
          FeatureMap<Float64Array>,
          FeatureMap<Float64Array>,
        ];
        const bias = map(seed + 3, [1, 1, heads * channels]).data;
        const biased = (x: FeatureMap<Float64Array>) => ({
          ...x,
          data: x.data.map((value, i) => value + bias[i % bias.length]!),
        });
        const plain = softmaxAttention({ q, k, v }, counts, make).data;
        expect(distance(softmaxAttention({ q, k: biased(k), v }, counts, make).data, plain)).toBeLessThanOrEqual(1e-12);
        const moved = softmaxAttention({ q, k, v: biased(v) }, counts, make).data;
        expect(
          distance(
            moved,
            plain.map((x, i) => x + bias[i % bias.length]!),
          ),
        ).toBeLessThanOrEqual(1e-12);
      }),
    );
  });

  it("bears scores that overflow the exponential", () => {
    const q = { shape: [1, 1, 1] as const, data: Float64Array.of(1000) };
    const k = { shape: [1, 2, 1] as const, data: Float64Array.of(1, -1000) };
    const v = { shape: [1, 2, 1] as const, data: Float64Array.of(3, 5) };
    expect([...softmaxAttention({ q, k, v }, { heads: 1, keyHeads: 1, valueHeads: 1 }, make).data]).toEqual([3]);
  });
});

describe("crossCovarianceAttention", () => {
  it("mixes the channels of each head by the cosines of queries and keys", () => {
    fc.assert(
      fc.property(cases, ({ shared, grouping, channels, height, width, seed }) => {
        const heads = shared * grouping;
        const tokens = height * width;
        const q = map(seed, [height, width, heads * channels]);
        const [k, v] = [
          map(seed + 1, [height, width, shared * channels]),
          map(seed + 2, [height, width, shared * channels]),
        ];
        const temperatures = map(seed + 3, [1, 1, heads]).data;
        const counts = { heads, keyHeads: shared, valueHeads: shared };
        const { data } = crossCovarianceAttention({ q, k, v }, counts, temperatures, make);
        const column = (x: FeatureMap<Float64Array>, c: number) =>
          Array.from({ length: tokens }, (_, n) => x.data[n * x.shape[2] + c]!);
        for (let h = 0; h < heads; h++) {
          const first = Math.floor(h / grouping) * channels;
          for (let a = 0; a < channels; a++) {
            const query = column(q, h * channels + a);
            const raw = Array.from({ length: channels }, (_, b) => {
              const key = column(k, first + b);
              const cosine =
                query.reduce((s, x, n) => s + x * key[n]!, 0) / (Math.hypot(...query) * Math.hypot(...key));
              return Math.exp(temperatures[h]! * cosine);
            });
            const total = raw.reduce((x, y) => x + y);
            for (let n = 0; n < tokens; n++) {
              const sum = raw.reduce((s, e, b) => s + e * v.data[n * shared * channels + first + b]!, 0) / total;
              expect(data[n * heads * channels + h * channels + a]!).toBeCloseTo(sum, 11);
            }
          }
        }
      }),
    );
  });

  it("leaves channels of zeros without a direction, not NaN", () => {
    const zeros = { shape: [1, 2, 2] as const, data: new Float64Array(4) };
    const v = { shape: [1, 2, 2] as const, data: Float64Array.of(1, 3, 5, 9) };
    const counts = { heads: 1, keyHeads: 1, valueHeads: 1 };
    const { data } = crossCovarianceAttention({ q: zeros, k: zeros, v }, counts, Float64Array.of(7), make);
    expect([...data]).toEqual([2, 2, 7, 7]);
  });
});

describe("queries that are the keys", () => {
  const pairs = fc.record({
    channels: fc.integer({ min: 1, max: 6 }),
    tokens: fc.integer({ min: 1, max: 6 }),
    seed: fc.nat(),
  });
  const one = { heads: 1, keyHeads: 1, valueHeads: 1 };
  /** Rows of the identity as values give the map itself. */
  const unit = (rows: number, columns: number): FeatureMap<Float64Array> => ({
    shape: [1, rows, columns],
    data: Float64Array.from({ length: rows * columns }, (_, i) => (Math.floor(i / columns) === i % columns ? 1 : 0)),
  });

  it("softmax: scores are symmetric, though the map is not", () => {
    fc.assert(
      fc.property(pairs, ({ channels, tokens, seed }) => {
        const q = map(seed, [1, tokens, channels]);
        const { data } = softmaxAttention({ q, k: q, v: unit(tokens, tokens) }, one, make);
        const own = (m: number) =>
          q.data.subarray(m * channels, (m + 1) * channels).reduce((sum, x) => sum + x * x, 0) / Math.sqrt(channels);
        const score = (m: number, n: number) =>
          Math.log(data[m * tokens + n]!) - Math.log(data[m * tokens + m]!) + own(m);
        for (let m = 0; m < tokens; m++) {
          for (let n = 0; n < tokens; n++) expect(Math.abs(score(m, n) - score(n, m))).toBeLessThanOrEqual(1e-9);
        }
      }),
    );
  });

  it("xca: cosines are a Gram matrix: symmetric, with ones on the diagonal, positive semidefinite", () => {
    fc.assert(
      fc.property(pairs, ({ channels, tokens, seed }) => {
        const q = map(seed, [1, tokens, channels]);
        const temperature = 1.5;
        const cosines = Array.from({ length: channels }, () => new Float64Array(channels));
        // Of channels b, value one and all others zero: out[a] = C[a, b].
        const entry = (a: number, b: number): number => {
          const v = { shape: q.shape, data: Float64Array.from(q.data, (_, i) => (i % channels === b ? 1 : 0)) };
          return crossCovarianceAttention({ q, k: q, v }, one, Float64Array.of(temperature), make).data[a]!;
        };
        for (let a = 0; a < channels; a++) {
          for (let b = 0; b < channels; b++) cosines[a]![b] = 1 + Math.log(entry(a, b) / entry(a, a)) / temperature;
        }
        const next = random(seed + 1);
        const x = Array.from({ length: channels }, () => 2 * next() - 1);
        let form = 0;
        for (let a = 0; a < channels; a++) {
          for (let b = 0; b < channels; b++) {
            expect(Math.abs(cosines[a]![b]! - cosines[b]![a]!)).toBeLessThanOrEqual(1e-12);
            expect(cosines[a]![b]!).toBeLessThanOrEqual(1 + 1e-12);
            form += x[a]! * cosines[a]![b]! * x[b]!;
          }
        }
        expect(form).toBeGreaterThanOrEqual(-1e-12);
      }),
    );
  });
});

describe("tokens", () => {
  const sizes = fc.tuple(
    fc.integer({ min: 1, max: 4 }),
    fc.integer({ min: 1, max: 4 }),
    fc.integer({ min: 1, max: 5 }),
  );

  it("the class token is in front, and is the one that is taken and replaced", () => {
    fc.assert(
      fc.property(sizes, fc.nat(), ([h, w, c], seed) => {
        const x = map(seed, [h, w, c]);
        const token = map(seed + 1, [1, 1, c]);
        const tokens = classToken(x, token.data, make);
        expect(tokens.shape).toEqual([1, h * w + 1, c]);
        expect(tokens.data.subarray(c)).toEqual(x.data);
        expect(takeToken(tokens, make)).toEqual(token);
        const other = map(seed + 2, [1, 1, c]);
        const replaced = replaceToken(tokens, other, make);
        expect(takeToken(replaced, make)).toEqual(other);
        expect(replaced.data.subarray(c)).toEqual(x.data);
        expect([...addPositions(x, x.data, make).data]).toEqual([...x.data].map((value) => 2 * value));
      }),
    );
  });

  it("Fourier positions: y in the first half, x in the second, one full turn along each side", () => {
    const data = fourierPositions([3, 5], 64);
    expect(data).toHaveLength(3 * 5 * 64);
    for (let y = 0; y < 3; y++) {
      for (let x = 0; x < 5; x++) {
        const at = (y * 5 + x) * 64;
        const [py, px] = [((y + 1) / (3 + 1e-6)) * 2 * Math.PI, ((x + 1) / (5 + 1e-6)) * 2 * Math.PI];
        for (let i = 0; i < 16; i++) {
          const divisor = 10000 ** (i / 16);
          expect(data[at + 2 * i]).toBeCloseTo(Math.sin(py / divisor), 14);
          expect(data[at + 2 * i + 1]).toBeCloseTo(Math.cos(py / divisor), 14);
          expect(data[at + 32 + 2 * i]).toBeCloseTo(Math.sin(px / divisor), 14);
          expect(data[at + 32 + 2 * i + 1]).toBeCloseTo(Math.cos(px / divisor), 14);
        }
      }
    }
    expect(fourierPosition(2, 3, 0, 32)).toBeCloseTo(0, 5);
  });

  it("a projection with pivots passes those channels and adds the others", () => {
    const x = { shape: [1, 1, 4] as const, data: Float64Array.of(1, 10, 100, 1000) };
    const weights = Float64Array.of(2, 3, 4, 5, 6, 7, 8, 9);
    // Groups {3, 0} and {1, 2}: the others are {1, 2} and {0, 3}.
    const { shape, data } = pivotProjection(
      x,
      [
        [3, 0],
        [1, 2],
      ],
      weights,
      make,
    );
    expect(shape).toEqual([1, 1, 4]);
    expect([...data]).toEqual([1000 + 2 * 10 + 3 * 100, 1 + 4 * 10 + 5 * 100, 10 + 6 + 7 * 1000, 100 + 8 + 9 * 1000]);
  });
});
