// The table of docs/quantization.md: what int8 loses against f32 by way of quantising.
import { existsSync, readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { table } from "../../dist/cli/terminal.js";
import { compile } from "../../dist/engine/compile.js";
import { luma, psnr } from "../../dist/image/metrics.js";
import { inputLayer } from "../../dist/network/graph.js";
import { prepare } from "../../dist/network/passes/prepare.js";
import { readImage } from "../../dist/node/files.js";
import { calibrate } from "../../dist/quantization/calibrate.js";
import { equalise } from "../../dist/quantization/equalise.js";
import { findEqualisation } from "../../dist/quantization/find-equalisation.js";
import { quantise } from "../../dist/quantization/quantise.js";
import { dequantizeValue, quantizeValue } from "../../dist/quantization/requantize.js";
import { runReference } from "../../dist/reference/run.js";
import { correctBiases } from "./bias-correction.mjs";
import { PEAK } from "./tiles.mjs";

/** What a picture without error counts as, in dB. */
const PERFECT = 80;
/** Calibration tiles that the biases are corrected on: one in so many. */
const CORRECTION_STRIDE = 4;

/** `runReference` that runs each picture once; for one model only. */
function remembering() {
  const known = new Map();
  return (model, input) => {
    if (!known.has(input)) known.set(input, runReference(model, input));
    return known.get(input);
  };
}

/** A folder of HR/ and LRx<scale>/ as the evaluate command reads it: pairs of luma planes. */
async function loadSet(directory, scale) {
  const pairs = [];
  for (const name of readdirSync(join(directory, "HR")).sort()) {
    const low = await readImage(join(directory, `LRx${scale}`, name));
    const high = await readImage(join(directory, "HR", name));
    const size = { width: low.width * scale, height: low.height * scale };
    const full = luma(high);
    const target = new Float64Array(size.width * size.height);
    for (let y = 0; y < size.height; y++) {
      target.set(full.subarray(y * high.width, y * high.width + size.width), y * size.width);
    }
    const data = Float32Array.from(luma(low), (v) => v / PEAK);
    pairs.push({ target, size, input: { shape: [low.height, low.width, 1], data } });
  }
  return pairs;
}

/** The pairs with inputs as int8 would hold them, in real values: what remains if all but the input is exact. */
function withRoundedInputs(pairs, params) {
  const rounded = ({ shape, data }) => ({
    shape,
    data: data.map((v) => dequantizeValue(quantizeValue(v, params), params)),
  });
  return pairs.map(({ input, ...rest }) => ({ ...rest, input: rounded(input) }));
}

/** Luma in 0..255, not rounded, of every pair. */
function enlarge(compiled, pairs) {
  return pairs.map(({ input }) => compiled.run(input).data.map((v) => v * PEAK));
}

/** Mean PSNR of rounded results in dB. */
function quality(planes, pairs, scale) {
  const one = (plane, { target, size }) => Math.min(PERFECT, psnr(target, plane.map(Math.round), size, scale));
  const each = planes.map((plane, i) => one(plane, pairs[i]));
  return each.reduce((a, b) => a + b, 0) / each.length;
}

/** Largest difference of two lists of planes, in levels. */
function peak(a, b) {
  return Math.max(...a.map((plane, i) => plane.reduce((most, v, k) => Math.max(most, Math.abs(v - b[i][k])), 0)));
}

/** The scales rounded to powers of two, with which f32 results would not change by a bit. */
function powersOfTwo(equalisation) {
  const round = (scales) => scales.map((scale) => 2 ** Math.round(Math.log2(scale)));
  return Object.fromEntries(Object.entries(equalisation).map(([name, scales]) => [name, round(scales)]));
}

/** [label, fused model, ranges] of every way, each made when its turn comes. */
function* ways(model, { inputs, edges }, fixed) {
  const plain = remembering();
  const ranges = (subject, seen, run = runReference, method = {}) =>
    calibrate(subject, seen, run, { ...method, fixed });
  yield ["min-max", model, ranges(model, inputs, plain)];
  for (const strength of [0.5, 1]) {
    const subject = equalise(model, findEqualisation(model, inputs, plain, { strength }));
    yield [`equalised ${strength}, min-max`, subject, ranges(subject, inputs)];
  }
  const scales = findEqualisation(model, inputs, plain);
  const even = equalise(model, scales);
  const run = remembering();
  const minMax = ranges(even, inputs, run);
  yield ["equalised 0.75, min-max", even, minMax];
  yield ["+ ranges over hard edges too", even, ranges(even, [...inputs, ...edges], run)];
  const some = inputs.filter((_, i) => i % CORRECTION_STRIDE === 0);
  yield ["+ biases corrected", correctBiases(even, minMax, some, run), minMax];
  const binary = equalise(model, powersOfTwo(scales));
  yield ["+ powers of two", binary, ranges(binary, inputs)];
  const percentile = ranges(even, inputs, run, { method: "percentile", percentile: 99.999 });
  yield ["+ percentile 99.999", even, percentile];
  yield ["+ mean squared error", even, ranges(even, inputs, run, { method: "mean-squared-error" })];
}

/**
 * Prints, for every way, the loss in dB and the largest difference from f32 in levels, on unseen tiles, as they
 * are and in two levels, and on each set of pictures.
 * @param model trained; @param tiles as `loadTiles` returns them; @param directories of HR/ and LRx<scale>/, those that exist are used
 */
export async function compare(kernels, model, tiles, { scale, fixed, directories }) {
  const sets = [
    ["tiles", tiles.unseen],
    ["two-level", tiles.graphics],
  ];
  for (const directory of directories) {
    if (existsSync(join(directory, "HR"))) sets.push([basename(directory), await loadSet(directory, scale)]);
  }
  const measure = async (subject, change = (pairs) => pairs) => {
    const compiled = await compile(subject, { kernels });
    const results = sets.map(([, pairs]) => enlarge(compiled, change(pairs)));
    compiled.dispose();
    return results;
  };
  const fused = prepare(model);
  const exact = await measure(fused);
  const best = exact.map((planes, i) => quality(planes, sets[i][1], scale));
  const against = (planes, i) => [
    (quality(planes, sets[i][1], scale) - best[i]).toFixed(3),
    peak(planes, exact[i]).toFixed(1),
  ];
  const rows = [["f32", ...best.flatMap((db) => [db.toFixed(2), ""])]];
  const inputsOf = (pairs) => pairs.map(({ input }) => input);
  const observed = { inputs: inputsOf(tiles.seen), edges: inputsOf(tiles.edges) };
  for (const [label, subject, ranges] of ways(fused, observed, fixed)) {
    const int8 = quantise(subject, ranges);
    if (rows.length === 1) {
      const params = int8.tensors.get(inputLayer(int8.network).name);
      const results = await measure(fused, (pairs) => withRoundedInputs(pairs, params));
      rows.push(["f32 behind an int8 input", ...results.flatMap(against)]);
    }
    rows.push([label, ...(await measure(int8)).flatMap(against)]);
  }
  process.stdout.write(table(["int8 by", ...sets.flatMap(([name]) => [`${name} dB`, "peak"])], rows));
}
