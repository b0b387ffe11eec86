/**
 * The ONNX models of a graph: f32, and int8 in the two forms that onnxruntime's own quantiser writes, QLinearConv (operators on bytes) and
 * QDQ (f32 operators between QuantizeLinear and DequantizeLinear, which the runtime fuses). Maps are NCHW. Activations are uint8, 128 more
 * than our int8; weights are int8, a scale an output channel.
 */
import { ohwiToOihw } from "./layouts.mjs";
import { OnnxWriter } from "./onnx-writer.mjs";

/** @typedef {import("../graph.mjs").Graph} Graph */
/** @typedef {import("../graph.mjs").ConvStep} ConvStep */

const nchw = ({ shape: [height, width, channels] }) => [1, channels, height, width];

function filterDims({ kernel, groups, weights, bias }) {
  const outputs = bias.length;
  const inputs = weights.length / outputs / kernel ** 2;
  return { dims: [outputs, inputs, kernel, kernel], outputs, inputs, groups };
}

function convAttributes({ kernel, groups }) {
  const pad = (kernel - 1) / 2;
  return { kernel_shape: [kernel, kernel], pads: [pad, pad, pad, pad], strides: [1, 1], group: groups };
}

function filterValues(step) {
  const { outputs, inputs } = filterDims(step);
  return ohwiToOihw(step.weights, outputs, step.kernel, inputs);
}

const depthToSpace = (block) => ({ blocksize: block, mode: "DCR" });

/** Scale and zero point of a tensor as constants of the model. */
function parametersOf(writer, graph) {
  const made = new Map();
  return (tensor) => {
    if (!made.has(tensor)) made.set(tensor, writer.quantization(graph.tensors[tensor].quantization));
    return made.get(tensor);
  };
}

function finish(writer, { tensors, input, output }, type) {
  const end = (name) => ({ name, type, dims: nchw(tensors[name]) });
  return writer.finish(end(input), end(output));
}

/** @param {Graph} graph */
export function onnxF32(graph) {
  const writer = new OnnxWriter();
  for (const step of graph.steps) {
    const { output } = step;
    if (step.op === "conv") {
      const weights = writer.constant("FLOAT", filterDims(step).dims, filterValues(step));
      const bias = writer.constant("FLOAT", [step.bias.length], step.bias);
      const inputs = [step.input, weights, bias];
      const attributes = convAttributes(step);
      if (step.relu) writer.node("Relu", [writer.node("Conv", inputs, { attributes })], { output });
      else writer.node("Conv", inputs, { attributes, output });
    } else if (step.op === "add") {
      writer.node("Add", step.inputs, { output });
    } else {
      writer.node("DepthToSpace", [step.input], { output, attributes: depthToSpace(step.block) });
    }
  }
  return finish(writer, graph, "FLOAT");
}

/** ReLU needs no node: the output's smallest byte is its zero. @param {Graph} graph */
export function onnxQLinear(graph) {
  const writer = new OnnxWriter();
  const parameters = parametersOf(writer, graph);
  for (const step of graph.steps) {
    const { output } = step;
    if (step.op === "conv") {
      const { dims, outputs } = filterDims(step);
      const weights = writer.constant("INT8", dims, filterValues(step));
      const scales = writer.constant("FLOAT", [outputs], step.weightScales);
      const zeros = writer.constant("INT8", [outputs], new Int8Array(outputs));
      const bias = writer.constant("INT32", [outputs], step.bias);
      const inputs = [step.input, ...parameters(step.input), weights, scales, zeros, ...parameters(output), bias];
      writer.node("QLinearConv", inputs, { output, attributes: convAttributes(step) });
    } else if (step.op === "add") {
      const operands = step.inputs.flatMap((name) => [name, ...parameters(name)]);
      writer.node("QLinearAdd", [...operands, ...parameters(output)], { output, domain: "com.microsoft" });
    } else {
      writer.node("DepthToSpace", [step.input], { output, attributes: depthToSpace(step.block) });
    }
  }
  return finish(writer, graph, "UINT8");
}

/** Weights and bias as DequantizeLinear gives them. @param {ConvStep} step */
function dequantisedFilter(writer, step, inputScale) {
  const { dims, outputs } = filterDims(step);
  const biasScales = step.weightScales.map((scale) => scale * inputScale);
  return [
    writer.dequantised("INT8", dims, filterValues(step), step.weightScales),
    writer.dequantised("INT32", [outputs], step.bias, biasScales),
  ];
}

/** @param {Graph} graph */
export function onnxQdq(graph) {
  const writer = new OnnxWriter();
  const parameters = parametersOf(writer, graph);
  /** Name of each tensor's real values. */
  const real = new Map();
  const dequantise = (tensor, bytes) => {
    real.set(tensor, writer.node("DequantizeLinear", [bytes, ...parameters(tensor)]));
  };
  dequantise(graph.input, graph.input);
  for (const step of graph.steps) {
    let values;
    if (step.op === "conv") {
      const filter = dequantisedFilter(writer, step, graph.tensors[step.input].quantization.scale);
      values = writer.node("Conv", [real.get(step.input), ...filter], { attributes: convAttributes(step) });
      if (step.relu) values = writer.node("Relu", [values]);
    } else if (step.op === "add") {
      values = writer.node(
        "Add",
        step.inputs.map((name) => real.get(name)),
      );
    } else {
      values = writer.node("DepthToSpace", [real.get(step.input)], { attributes: depthToSpace(step.block) });
    }
    const last = step.output === graph.output;
    const bytes = writer.node("QuantizeLinear", [values, ...parameters(step.output)], last ? { output: "y" } : {});
    if (!last) dequantise(step.output, bytes);
  }
  return finish(writer, graph, "UINT8");
}
