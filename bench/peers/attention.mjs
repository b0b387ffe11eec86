/**
 * The attention layer: projections with biases around softmax attention, described once in f32 and quantised here, so that all have the same
 * int8 weights and scales. All scales are symmetric, the map's apart, which has no negative values.
 */
import { quantiseWeights } from "../../dist/quantization/weights.js";
import { reals } from "./values.mjs";

const SEEDS = { input: 60, weights: 61, bias: 71 };
/** Queries and keys get a deviation of 1, so that the largest of a row's weights stand out and the others still count. */
const GAIN = 3;
const BIAS = 0.3;

/** Names of the projections, in order. @param {import("./cases.mjs").AttentionCase} c */
const projectionsOf = ({ k, v }) => [...new Set(["q", k, v]), "y"];

const inputOf = (name) => (name === "y" ? "a" : "x");

/** @param {import("./cases.mjs").AttentionCase} c @returns {{ name: string, weights: Float32Array, bias: Float32Array }[]} */
function realProjections(c) {
  const reach = GAIN / Math.sqrt(c.ic);
  return projectionsOf(c).map((name, i) => ({
    name,
    weights: reals(c.ic ** 2, SEEDS.weights + i, -reach, reach),
    bias: reals(c.ic, SEEDS.bias + i, -BIAS, BIAS),
  }));
}

const inputValues = ({ width, ic }) => reals(width * ic, SEEDS.input, -1, 1);

/** The same in wasmograd's terms. @returns {import("../../dist/index.js").Model} */
export function attentionModel(c) {
  const { ic: channels, heads, k, v } = c;
  const projections = realProjections(c);
  const dense = ({ name }) => ({
    op: "conv2d",
    name,
    input: inputOf(name),
    kernel: [1, 1],
    stride: 1,
    padding: "same",
    channels,
    weights: `${name}.weight`,
    bias: `${name}.bias`,
  });
  const layers = [
    { op: "input", name: "x", channels },
    ...projections.slice(0, -1).map(dense),
    { op: "attention", name: "a", q: "q", k, v, heads, map: "softmax" },
    dense(projections.at(-1)),
  ];
  const weights = projections.flatMap(({ name, weights: matrix, bias }) => [
    [`${name}.weight`, { shape: [channels, 1, 1, channels], data: matrix }],
    [`${name}.bias`, { shape: [channels], data: bias }],
  ]);
  return { network: { name: "attention", layers, output: "y" }, weights: new Map(weights) };
}

/** y = x W^T + b, W [outputs][inputs]. */
function project(x, { weights, bias }, channels) {
  return x.map((_, i) => {
    const [token, o] = [Math.floor(i / channels) * channels, i % channels];
    let sum = bias[o];
    for (let c = 0; c < channels; c++) sum += x[token + c] * weights[o * channels + c];
    return sum;
  });
}

/** The heads' results, and what lies between: the divided products and their softmax, [heads][queries][keys]. */
function attend({ q, k, v }, { width: tokens, ic: channels, heads }) {
  const own = channels / heads;
  const scores = new Float32Array(heads * tokens ** 2);
  const probabilities = new Float32Array(scores.length);
  const a = new Float32Array(tokens * channels);
  for (let head = 0; head < heads; head++) {
    for (let m = 0; m < tokens; m++) {
      const row = (head * tokens + m) * tokens;
      for (let n = 0; n < tokens; n++) {
        let sum = 0;
        for (let c = head * own; c < (head + 1) * own; c++) sum += q[m * channels + c] * k[n * channels + c];
        scores[row + n] = sum / Math.sqrt(own);
      }
      const most = Math.max(...scores.subarray(row, row + tokens));
      let total = 0;
      for (let n = row; n < row + tokens; n++) total += Math.exp(scores[n] - most);
      for (let n = 0; n < tokens; n++) {
        const p = Math.exp(scores[row + n] - most) / total;
        probabilities[row + n] = p;
        for (let c = head * own; c < (head + 1) * own; c++) a[m * channels + c] += p * v[n * channels + c];
      }
    }
  }
  return { scores, probabilities, a };
}

const largest = (values) => values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
const symmetric = (values) => ({ scale: Math.fround(largest(values) / 127), zeroPoint: 0 });

/** Every tensor's quantization, by its largest value. */
function quantizations(c, projections) {
  const by = new Map(projections.map((projection) => [projection.name, projection]));
  const x = inputValues(c);
  const tensors = { x };
  for (const { name } of projections.slice(0, -1)) tensors[name] = project(x, by.get(name), c.ic);
  const attended = attend({ q: tensors.q, k: tensors[c.k], v: tensors[c.v] }, c);
  const all = { ...tensors, a: attended.a, y: project(attended.a, by.get("y"), c.ic) };
  return {
    tensors: new Map(Object.entries(all).map(([name, values]) => [name, symmetric(values)])),
    scores: symmetric(attended.scores),
    probabilities: { scale: Math.fround(largest(attended.probabilities) / 255), zeroPoint: -128 },
  };
}

const saturated = (value) => Math.max(-128, Math.min(127, value));

function quantisedProjection({ name, weights, bias }, tensors, channels) {
  const { weights: bytes, scales } = quantiseWeights(weights, channels);
  const inputScale = tensors.get(inputOf(name)).scale;
  return {
    name,
    weights: bytes,
    weightScales: scales,
    bias: Int32Array.from(bias, (b, o) => Math.round(b / (inputScale * scales[o]))),
  };
}

const made = new Map();

/**
 * @param {import("./cases.mjs").AttentionCase} c
 * @param {import("./cases.mjs").DType} dtype
 * @returns {import("./graph.mjs").Graph}
 */
export function attentionGraph(c, dtype) {
  const key = `${c.name} ${dtype}`;
  if (!made.has(key)) made.set(key, makeGraph(c, dtype));
  return made.get(key);
}

function makeGraph(c, dtype) {
  const real = realProjections(c);
  const int8 = dtype === "int8" ? quantizations(c, real) : undefined;
  const projections = int8 ? real.map((projection) => quantisedProjection(projection, int8.tensors, c.ic)) : real;
  const dense = ({ name, ...parameters }) => ({ op: "dense", input: inputOf(name), output: name, ...parameters });
  const stored = int8 && { scores: int8.scores, probabilities: int8.probabilities };
  const tensor = (name) => {
    return [name, { shape: [1, c.width, c.ic], ...(int8 && { quantization: int8.tensors.get(name) }) }];
  };
  const x = inputValues(c);
  return {
    dtype,
    input: "x",
    output: "y",
    tensors: Object.fromEntries(["x", ...projectionsOf(c), "a"].map(tensor)),
    steps: [
      ...projections.slice(0, -1).map(dense),
      { op: "attention", q: "q", k: c.k, v: c.v, output: "a", heads: c.heads, ...stored },
      dense(projections.at(-1)),
    ],
    data: int8 ? Int8Array.from(x, (value) => saturated(Math.round(value / int8.tensors.get("x").scale))) : x,
  };
}
