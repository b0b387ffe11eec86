/** TensorFlow.js on its WebAssembly back end: the operators of the graph one by one, convolutions fused with bias and ReLU. */
import { ohwiToHwio } from "../models/layouts.mjs";

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

/** @type {import("./contract.js").Open} */
export async function open(host) {
  const tf = await host.tfjs();
  return {
    async prepare({ graph }) {
      const shape = [1, ...graph.tensors[graph.input].shape];
      const filters = new Map(
        graph.steps.filter(({ op }) => op === "conv").map((step) => [step.output, loadFilter(tf, step)]),
      );
      const compute = () => {
        const tensors = new Map([[graph.input, tf.tensor(graph.data, shape)]]);
        for (const step of graph.steps) {
          const [first, second] = (step.inputs ?? [step.input]).map((name) => tensors.get(name));
          if (step.op === "conv") tensors.set(step.output, convolve(tf, first, filters.get(step.output)));
          else if (step.op === "add") tensors.set(step.output, tf.add(first, second));
          else tensors.set(step.output, tf.depthToSpace(first, step.block, "NHWC"));
        }
        return tensors.get(graph.output);
      };
      return {
        run: () => {
          const output = tf.tidy(compute);
          const values = output.dataSync();
          output.dispose();
          return values;
        },
        layout: "NHWC",
        encoding: "real",
        dispose: () => {
          for (const { filter, bias } of filters.values()) tf.dispose([filter, bias]);
        },
      };
    },
  };
}
