/**
 * The SESR peer network: SESR-M5 x2 with ReLU everywhere (no peer has PReLU in int8) and without the offset of the luma. Described for
 * wasmograd, quantised by wasmograd, and from there written out for the peers, so that all have the same int8 weights and scales.
 */
import { calibrate, quantise, runReference } from "../../dist/index.js";
import { reals } from "./values.mjs";

const FEATURES = 16;
const BLOCKS = 5;
/** Pixels a side of the cut-out that the ranges are taken from. */
const CALIBRATION_SIDE = 40;
const LUMA = { min: 0, max: 1 };
/** The details that the last layer adds: from -0.185 to 0.089 in f32, in half steps of the luma. */
const DETAILS = { scale: 1 / 510, zeroPoint: 0 };

const CONVOLUTIONS = [
  { name: "first", kernel: 5, ic: 1, oc: FEATURES },
  ...Array.from({ length: BLOCKS }, (_, i) => ({ name: `block${i}`, kernel: 3, ic: FEATURES, oc: FEATURES })),
  { name: "last", kernel: 5, ic: FEATURES, oc: 4 },
];

/** @returns {import("../../dist/index.js").Model} */
export function sesrModel() {
  const weights = new Map();
  /** @type {import("../../dist/index.js").Layer[]} */
  const layers = [{ op: "input", name: "x", channels: 1 }];
  let tensor = "x";
  for (const [i, { name, kernel, ic, oc }] of CONVOLUTIONS.entries()) {
    const isLast = name === "last";
    const fanIn = ic * kernel ** 2;
    // He's deviation keeps the features' size through the layers; the last layer adds details to the upsampled picture.
    const reach = (isLast ? 0.1 : Math.sqrt(6)) / Math.sqrt(fanIn);
    weights.set(`${name}.weight`, { shape: [oc, kernel, kernel, ic], data: reals(oc * fanIn, 10 + i, -reach, reach) });
    weights.set(`${name}.bias`, { shape: [oc], data: reals(oc, 30 + i, -0.01, 0.01) });
    if (isLast) {
      layers.push({ op: "add", name: "features", inputs: [tensor, "first"] });
      tensor = "features";
    }
    layers.push({
      op: "conv2d",
      name,
      input: tensor,
      kernel: [kernel, kernel],
      stride: 1,
      padding: "same",
      channels: oc,
      weights: `${name}.weight`,
      bias: `${name}.bias`,
      ...(isLast ? {} : { activation: { kind: "relu" } }),
    });
    tensor = name;
  }
  layers.push(
    { op: "add", name: "cells", inputs: ["last", "x"] },
    { op: "depth-to-space", name: "y", input: "cells", block: 2 },
  );
  return { network: { name: "sesr-m5-relu", layers, output: "y" }, weights };
}

/** A picture of soft waves and a little noise, in 0..1. */
export function luma(height, width) {
  const noise = reals(height * width, 50, -0.05, 0.05);
  return noise.map((value, i) => {
    const [row, column] = [Math.floor(i / width), i % width];
    return 0.5 + 0.22 * Math.sin(row / 9) + 0.22 * Math.cos(column / 13) + value;
  });
}

/** @type {import("../../dist/index.js").QuantisedModel | undefined} */
let quantisedOnce;

export function sesrInt8() {
  quantisedOnce ??= makeInt8();
  return quantisedOnce;
}

function makeInt8() {
  const model = sesrModel();
  const shape = [CALIBRATION_SIDE, CALIBRATION_SIDE, 1];
  const picture = { shape, data: luma(CALIBRATION_SIDE, CALIBRATION_SIDE) };
  return quantise(model, calibrate(model, [picture], runReference, { fixed: { x: LUMA, cells: LUMA } }));
}

/** Values in int8 of a tensor with these parameters. */
function quantised(values, { scale, zeroPoint }) {
  return Int8Array.from(values, (v) => Math.max(-128, Math.min(127, Math.round(v / scale) + zeroPoint)));
}

/**
 * The weights of one convolution in f32 or int8.
 * @param {import("../../dist/index.js").QuantisedModel | undefined} int8
 */
function filterOf(name, model, int8, fusedNames) {
  if (!int8) return { weights: model.weights.get(`${name}.weight`).data, bias: model.weights.get(`${name}.bias`).data };
  const { weights, weightScales, bias } = int8.filters.get(fusedNames.get(name));
  return { weights, weightScales, bias };
}

/** Layer of the fused network by the convolution that became part of it: both have the same weights. */
function namesAfterFusion(int8) {
  const convolutions = int8.network.layers.filter((layer) => layer.op === "conv2d");
  return new Map(convolutions.map((layer) => [layer.weights.replace(".weight", ""), layer.name]));
}

/**
 * Parameters of every tensor as the peers see them. wasmograd adds residuals before it rounds; the peers round what they add first, so
 * the operands need parameters of their own: the last block's are those of the sum, and `last` has half steps of the luma.
 */
function peersQuantization(int8) {
  const known = (name) => int8.tensors.get(name);
  const relus = CONVOLUTIONS.slice(0, -1).map(({ name }) => [name, known(name) ?? known("features")]);
  return new Map([
    ...relus,
    ["x", known("x")],
    ["features", known("features")],
    ["last", DETAILS],
    ["cells", known("y")],
    ["y", known("y")],
  ]);
}

/**
 * @param {import("./cases.mjs").Case} c
 * @param {import("./cases.mjs").DType} dtype
 * @returns {import("./graph.mjs").Graph}
 */
export function sesrGraph({ height, width }, dtype) {
  const model = sesrModel();
  const int8 = dtype === "int8" ? sesrInt8() : undefined;
  const parameters = int8 && peersQuantization(int8);
  const fusedNames = int8 && namesAfterFusion(int8);
  const tensor = (name, channels, factor = 1) => [
    name,
    { shape: [factor * height, factor * width, channels], ...(parameters && { quantization: parameters.get(name) }) },
  ];
  const steps = CONVOLUTIONS.map(({ name, kernel }, i) => ({
    op: "conv",
    input: i === 0 ? "x" : name === "last" ? "features" : CONVOLUTIONS[i - 1].name,
    output: name,
    kernel,
    groups: 1,
    relu: name !== "last",
    ...filterOf(name, model, int8, fusedNames),
  }));
  steps.splice(-1, 0, { op: "add", inputs: [`block${BLOCKS - 1}`, "first"], output: "features" });
  steps.push(
    { op: "add", inputs: ["last", "x"], output: "cells" },
    { op: "depth-to-space", input: "cells", output: "y", block: 2 },
  );
  const picture = luma(height, width);
  return {
    dtype,
    input: "x",
    output: "y",
    tensors: Object.fromEntries([
      tensor("x", 1),
      ...CONVOLUTIONS.map(({ name, oc }) => tensor(name, oc)),
      tensor("features", FEATURES),
      tensor("cells", 4),
      tensor("y", 1, 2),
    ]),
    steps,
    data: int8 ? quantised(picture, int8.tensors.get("x")) : picture,
  };
}
