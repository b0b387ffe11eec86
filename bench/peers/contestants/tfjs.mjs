/** TensorFlow.js on its WebAssembly back end: the operators of the graph one by one, convolutions fused with bias and ReLU. */
import { ohwiToHwio, transposed } from "../models/layouts.mjs";

/** @returns {{ step: import("../graph.mjs").ConvStep, filter: object, bias: object }} */
function loadFilter(tf, step) {
  const { kernel, groups, weights, bias } = step;
  const outputs = bias.length;
  const inputs = weights.length / outputs / kernel ** 2;
  const shape = groups > 1 ? [kernel, kernel, outputs, 1] : [kernel, kernel, inputs, outputs];
  return { step, filter: tf.tensor(ohwiToHwio(weights, outputs), shape), bias: tf.tensor(bias, [outputs]) };
}

function convolve(tf, x, { step, filter, bias }) {
  const options = { x, filter, strides: 1, pad: "same", bias, activation: step.relu ? "relu" : "linear" };
  return step.groups > 1 ? tf.fused.depthwiseConv2d(options) : tf.fused.conv2d(options);
}

/** @param {import("../graph.mjs").DenseStep} step */
function loadMatrix(tf, step) {
  const outputs = step.bias.length;
  const inputs = step.weights.length / outputs;
  return {
    step,
    filter: tf.tensor(transposed(step.weights, outputs, inputs), [inputs, outputs]),
    bias: tf.tensor(step.bias, [outputs]),
  };
}

/** @param {import("../graph.mjs").AttentionStep} step; of tokens [tokens, channels] */
function attend(tf, { q, k, v }, { heads }) {
  const [tokens, channels] = q.shape;
  const size = channels / heads;
  const headsFirst = (x, shape) => tf.transpose(tf.reshape(x, shape), [1, 0, 2]);
  const apart = (x) => headsFirst(x, [tokens, heads, size]);
  const scores = tf.matMul(apart(tf.mul(q, 1 / Math.sqrt(size))), apart(k), false, true);
  const attended = tf.matMul(tf.softmax(scores), apart(v));
  return tf.reshape(tf.transpose(attended, [1, 0, 2]), [tokens, channels]);
}

/** @returns {{ shape: readonly number[], layers: { filter: object, bias: object }[], compute: (x: object) => object }} */
function attentionLayer(tf, graph) {
  const matrices = new Map(
    graph.steps.filter(({ op }) => op === "dense").map((step) => [step.output, loadMatrix(tf, step)]),
  );
  const compute = (x) => {
    const tensors = new Map([[graph.input, x]]);
    for (const step of graph.steps) {
      const of = (name) => tensors.get(name);
      if (step.op === "dense") {
        const { filter: b, bias } = matrices.get(step.output);
        tensors.set(step.output, tf.fused.matMul({ a: of(step.input), b, bias }));
      } else tensors.set(step.output, attend(tf, { q: of(step.q), k: of(step.k), v: of(step.v) }, step));
    }
    return tensors.get(graph.output);
  };
  return { shape: graph.tensors[graph.input].shape.slice(1), layers: [...matrices.values()], compute };
}

/** The same of a graph of convolutions. */
function convolutions(tf, graph) {
  const filters = new Map(
    graph.steps.filter(({ op }) => op === "conv").map((step) => [step.output, loadFilter(tf, step)]),
  );
  const compute = (x) => {
    const tensors = new Map([[graph.input, x]]);
    for (const step of graph.steps) {
      const [first, second] = (step.inputs ?? [step.input]).map((name) => tensors.get(name));
      if (step.op === "conv") tensors.set(step.output, convolve(tf, first, filters.get(step.output)));
      else if (step.op === "add") tensors.set(step.output, tf.add(first, second));
      else tensors.set(step.output, tf.depthToSpace(first, step.block, "NHWC"));
    }
    return tensors.get(graph.output);
  };
  return { shape: [1, ...graph.tensors[graph.input].shape], layers: [...filters.values()], compute };
}

/** @type {import("./contract.js").Open} */
export async function open(host) {
  const tf = await host.tfjs();
  return {
    async prepare({ case: c, graph }) {
      const { shape, layers, compute } = (c.kind === "attention" ? attentionLayer : convolutions)(tf, graph);
      return {
        run: () => {
          const output = tf.tidy(() => compute(tf.tensor(graph.data, shape)));
          const values = output.dataSync();
          output.dispose();
          return values;
        },
        layout: "NHWC",
        encoding: "real",
        dispose: () => {
          for (const { filter, bias } of layers) tf.dispose([filter, bias]);
        },
      };
    },
  };
}
