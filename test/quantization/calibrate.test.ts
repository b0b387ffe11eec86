import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { sesr } from "../../src/models/sesr.ts";
import type { FeatureMap, Model, Network } from "../../src/network/description.ts";
import { prepare } from "../../src/network/passes/prepare.ts";
import { calibrate } from "../../src/quantization/calibrate.ts";
import { Histogram } from "../../src/quantization/histogram.ts";
import type { Executor } from "../../src/quantization/observe.ts";
import { rangeFrom } from "../../src/quantization/range-methods.ts";
import { paramsFromRange } from "../../src/quantization/ranges.ts";
import { dequantizeValue, quantizeValue } from "../../src/quantization/requantize.ts";
import { runReference } from "../../src/reference/run.ts";
import { randomMap, randomModel, seeded, uniform } from "../network/random-model.ts";

/** A network that is its input. */
const identity: Network = { name: "id", layers: [{ op: "input", name: "x", channels: 1 }], output: "x" };
const model: Model = { network: identity, weights: new Map() };
const row = (values: Float32Array): FeatureMap<Float32Array> => ({ shape: [1, values.length, 1], data: values });
const values = fc.array(fc.float({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 50 });

function histogramOf(...lists: Float32Array[]): Histogram {
  const histogram = new Histogram();
  for (const list of lists) histogram.add(list, "x");
  return histogram;
}

describe("Histogram", () => {
  it("counts everything once, whatever the order and the growth of the range", () => {
    fc.assert(
      fc.property(values, values, (a, b) => {
        const [first, second] = [Float32Array.from(a), Float32Array.from(b)];
        const histogram = histogramOf(first, second);
        expect(histogram.counts.reduce((x, y) => x + y, 0)).toBe(a.length + b.length);
        expect(histogramOf(second, first).counts).toEqual(histogram.counts);
        expect(histogram.range).toEqual({ min: Math.min(...first, ...second), max: Math.max(...first, ...second) });
      }),
    );
  });

  it("finds quantiles to a bin's width", () => {
    const histogram = histogramOf(uniform(seeded(1), 20000, -1, 3));
    for (const share of [0, 0.01, 0.25, 0.5, 0.99, 1]) {
      expect(Math.abs(histogram.quantile(share) - (-1 + 4 * share))).toBeLessThan(0.03);
    }
    expect(histogram.quantile(0)).toBe(histogram.min);
    expect(histogram.quantile(1)).toBe(histogram.max);
  });
});

describe("rangeFrom", () => {
  const random = seeded(7);
  /** Roughly normal, with one far outlier on the positive side. */
  const bell = Float32Array.from({ length: 20000 }, (_, i) => (i === 0 ? 40 : random() + random() + random() - 1.5));
  const histogram = histogramOf(bell);

  const squaredError = (range: { min: number; max: number }) => {
    const params = paramsFromRange(range);
    return bell.reduce((sum, x) => sum + (dequantizeValue(quantizeValue(x, params), params) - x) ** 2, 0);
  };

  it("percentile leaves the outlier out", () => {
    const { min, max } = rangeFrom(histogram, "percentile", 99.9);
    expect(max).toBeLessThan(2);
    expect(min).toBeGreaterThan(-1.5);
    expect(rangeFrom(histogram, "percentile", 100)).toEqual(histogram.range);
  });

  it("mean-squared-error errs less than both others, and near the least of a fine search", () => {
    const best = squaredError(rangeFrom(histogram, "mean-squared-error", 0));
    expect(best).toBeLessThan(squaredError(histogram.range));
    expect(best).toBeLessThan(squaredError(rangeFrom(histogram, "percentile", 99.9)));
    let least = Number.POSITIVE_INFINITY;
    for (let max = 1; max <= 40; max += 0.5) least = Math.min(least, squaredError({ min: histogram.min, max }));
    expect(best).toBeLessThanOrEqual(least * 1.05);
  });

  it("mean-squared-error keeps a range without outliers nearly whole, and one-sided ranges one-sided", () => {
    const { min, max } = rangeFrom(histogramOf(uniform(seeded(2), 20000, 0, 1)), "mean-squared-error", 0);
    expect(min).toBe(0);
    expect(max).toBeGreaterThan(0.97);
    expect(rangeFrom(histogramOf(new Float32Array(5)), "mean-squared-error", 0)).toEqual({ min: 0, max: 0 });
  });
});

describe("calibrate", () => {
  it("gives the range of every tensor of the fused network over all pictures", () => {
    const expanded = randomModel(sesr({ variant: "m3", scale: 2, form: "expanded" }), 1);
    const random = seeded(2);
    const pictures = [randomMap(random, [6, 5, 1]), randomMap(random, [4, 9, 1], 0.2, 0.3)];
    const fused = prepare(expanded);
    const calibration = calibrate(expanded, pictures, runReference);
    expect(Object.keys(calibration)).toEqual(fused.network.layers.map(({ name }) => name));
    const all = pictures.flatMap((picture) => [...runReference(fused, picture).get("features")!]);
    expect(calibration.features).toEqual({ min: Math.min(...all), max: Math.max(...all) });
    expect(JSON.parse(JSON.stringify(calibration))).toEqual(calibration);
  });

  it("takes prescribed ranges for observed ones", () => {
    const calibration = calibrate(model, [row(Float32Array.of(0.2, 0.7))], runReference, {
      fixed: { x: { min: 0, max: 1 } },
    });
    expect(calibration).toEqual({ x: { min: 0, max: 1 } });
  });

  it.each<[string, () => unknown, string, string]>([
    [
      "no pictures",
      () => calibrate(model, [], runReference),
      "ERR_ARGUMENT",
      "inputs: expected at least one calibration input",
    ],
    [
      "an unknown method",
      () => calibrate(model, [], runReference, { method: "max" as "min-max" }),
      "ERR_ARGUMENT",
      "method: expected one of min-max, percentile, mean-squared-error, got max",
    ],
    [
      "a percentile of 50",
      () => calibrate(model, [], runReference, { percentile: 50 }),
      "ERR_ARGUMENT",
      "percentile: expected above 50 up to 100, got 50",
    ],
    [
      "NaN",
      () => calibrate(model, [row(Float32Array.of(1, Number.NaN))], runReference),
      "ERR_ARGUMENT",
      "tensor x: expected finite values, got NaN at index 1",
    ],
    [
      "an executor that leaves tensors out",
      () => {
        const run: Executor = () => new Map();
        return calibrate(randomModel(sesr({ variant: "m3", scale: 2 })), [randomMap(seeded(1), [2, 2, 1])], run);
      },
      "ERR_ARGUMENT",
      "run: expected the values of tensor x.centred, got none",
    ],
    [
      "a prescribed range upside down",
      () => calibrate(model, [row(Float32Array.of(1))], runReference, { fixed: { x: { min: 1, max: 0 } } }),
      "ERR_QUANTIZATION",
      "fixed: x: expected finite min <= max",
    ],
    [
      "a prescribed range of an unknown tensor",
      () => calibrate(model, [row(Float32Array.of(1))], runReference, { fixed: { z: { min: 0, max: 1 } } }),
      "ERR_ARGUMENT",
      "fixed: expected names of tensors of the fused network, got z",
    ],
  ])("refuses %s", (_, act, code, message) => {
    expect(act).toThrow(expect.objectContaining({ code, message: expect.stringContaining(message) }));
  });
});
