/**
 * wasmograd by its public entry: single layers by `conv2d`, the network by `compile`. Results go into an array that is used again, as its API
 * allows; the peers return new ones.
 */
import { compile, loadKernels } from "../../../dist/index.js";
import { attentionModel } from "../attention.mjs";
import { sesrInt8, sesrModel } from "../sesr.mjs";
import { prepareAttentionInt8 } from "./wasmograd-attention.mjs";

/** @typedef {import("./contract.js").Prepared} Prepared */

/** What algorithms the layers got, each once. */
function algorithmsOf(network) {
  return [...new Set([...network.algorithms.values()].map(({ algorithm }) => algorithm))].join(", ");
}

async function prepareLayer(kernels, { case: c, variant, graph }) {
  const [step] = graph.steps;
  if (variant.name === "winograd" && (step.kernel === 1 || step.groups > 1)) {
    throw new Error("there is no Winograd algorithm for this layer");
  }
  const options = {
    input: [1, c.height, c.width, c.ic],
    kernel: [c.kernel, c.kernel],
    weights: step.weights,
    bias: step.bias,
    ...(step.groups > 1 && { groups: step.groups }),
    ...(variant.name === "winograd" && { algorithm: "winograd" }),
  };
  const outputs = c.height * c.width * c.oc;
  if (graph.dtype === "f32") {
    const conv = kernels.conv2d(options);
    checkOutputs(conv, c);
    const y = new Float32Array(outputs);
    return {
      run: () => conv.run(graph.data, y),
      encoding: "real",
      detail: conv.algorithm,
      dispose: () => conv.dispose(),
    };
  }
  const inputQuantization = graph.tensors[graph.input].quantization;
  const outputQuantization = graph.tensors[graph.output].quantization;
  const quantization = { weightScales: step.weightScales, inputQuantization, outputQuantization };
  const conv = kernels.conv2d({ ...options, ...quantization });
  checkOutputs(conv, c);
  const common = { detail: conv.algorithm, dispose: () => conv.dispose() };
  const y = new Int8Array(outputs);
  if (variant.name === "auto") return { run: () => conv.run(graph.data, y), encoding: "int8", ...common };
  const reals = kernels.dequantize(graph.data, inputQuantization);
  const run = () => kernels.dequantize(conv.run(kernels.quantize(reals, inputQuantization), y), outputQuantization);
  return { run, encoding: "real", ...common };
}

/** A library without grouped convolution must not be timed on another layer that happens to fit the weights. */
function checkOutputs({ outputShape }, { oc }) {
  if (outputShape[2] !== oc) throw new Error(`this version has no convolution in groups`);
}

async function prepareNetwork(_kernels, { case: c, variant, graph }) {
  const shape = [c.height, c.width, c.ic];
  const model = graph.dtype === "int8" ? sesrInt8() : sesrModel();
  const network = await compile(model, variant.name === "winograd" ? { algorithm: "winograd" } : {});
  const common = { detail: algorithmsOf(network), dispose: () => network.dispose() };
  if (graph.dtype === "int8" && variant.name === "auto") {
    const output = new Int8Array(4 * c.height * c.width);
    return { run: () => network.runInt8({ shape, data: graph.data }, output).data, encoding: "int8", ...common };
  }
  let data = graph.data;
  if (graph.dtype === "int8") {
    const { scale, zeroPoint } = graph.tensors[graph.input].quantization;
    data = Float32Array.from(graph.data, (q) => (q - zeroPoint) * scale);
  }
  const output = new Float32Array(4 * c.height * c.width);
  return { run: () => network.run({ shape, data }, output).data, encoding: "real", ...common };
}

/** f32 by a network of one attention. */
async function prepareAttention(kernels, { case: c, variant, graph }) {
  if (graph.dtype === "int8") return prepareAttentionInt8(kernels, variant, graph);
  const network = await compile(attentionModel(c));
  const { shape } = graph.tensors[graph.input];
  const output = new Float32Array(graph.data.length);
  return {
    run: () => network.run({ shape, data: graph.data }, output).data,
    encoding: "real",
    dispose: () => network.dispose(),
  };
}

/** @type {import("./contract.js").Open} */
export async function open() {
  const kernels = await loadKernels();
  const prepare = { sesr: prepareNetwork, layer: prepareLayer, attention: prepareAttention };
  return {
    prepare: async (task) => ({ layout: "NHWC", ...(await prepare[task.case.kind](kernels, task)) }),
  };
}
