/**
 * The ONNX models of an attention layer on tokens [1, tokens, channels]: f32 by single operators, as PyTorch's exporter writes it, f32 by
 * onnxruntime's own fused operator, and int8 between QuantizeLinear and DequantizeLinear. Activations are uint8, 128 more than our int8.
 */
import { transposed } from "./layouts.mjs";
import { OnnxWriter } from "./onnx-writer.mjs";

/** @typedef {import("../graph.mjs").Graph} Graph */

/** From [tokens, heads, channels a head]. */
const HEADS_FIRST = [1, 0, 2];
const KEYS_LAST = [1, 2, 0];

const sizesOf = ({ tensors, input }) => {
  const [, tokens, channels] = tensors[input].shape;
  return { tokens, channels };
};

function finish(writer, graph, type) {
  const end = (name) => ({ name, type, dims: graph.tensors[name].shape });
  return writer.finish(end(graph.input), end(graph.output));
}

/** [tokens, channels] into heads, transposed. */
function heads(writer, x, { tokens, channels }, count, perm) {
  const shape = writer.constant("INT64", [3], [tokens, count, channels / count]);
  return writer.node("Transpose", [writer.node("Reshape", [x, shape])], { attributes: { perm } });
}

/** And back. */
function joined(writer, x, { tokens, channels }) {
  const together = writer.node("Transpose", [x], { attributes: { perm: HEADS_FIRST } });
  return writer.node("Reshape", [together, writer.constant("INT64", [3], [1, tokens, channels])]);
}

/** @param {import("../graph.mjs").DenseStep} step */
function dense(writer, input, { weights, bias }, options) {
  const outputs = bias.length;
  const inputs = weights.length / outputs;
  const matrix = writer.constant("FLOAT", [inputs, outputs], transposed(weights, outputs, inputs));
  const product = writer.node("MatMul", [input, matrix]);
  return writer.node("Add", [product, writer.constant("FLOAT", [outputs], bias)], options);
}

/**
 * Softmax attention by single operators: the name of its result, [1, tokens, channels].
 * @param {{ q: string, k: string, v: string }} operands of as many values, a leading 1 more or less
 * @param {{ tokens: number, channels: number, keys?: number }} sizes tokens of the queries, and of keys and values where those are others
 */
export function onnxAttention(writer, { q, k, v }, count, sizes) {
  const scale = writer.scalar("FLOAT", 1 / Math.sqrt(sizes.channels / count));
  const queries = heads(writer, writer.node("Mul", [q, scale]), sizes, count, HEADS_FIRST);
  const keySizes = { ...sizes, tokens: sizes.keys ?? sizes.tokens };
  const scores = writer.node("MatMul", [queries, heads(writer, k, keySizes, count, KEYS_LAST)]);
  const map = writer.node("Softmax", [scores], { attributes: { axis: -1 } });
  const attended = writer.node("MatMul", [map, heads(writer, v, keySizes, count, HEADS_FIRST)]);
  return joined(writer, attended, sizes);
}

/** @param {Graph} graph */
export function onnxAttentionF32(graph) {
  const writer = new OnnxWriter();
  for (const step of graph.steps) {
    if (step.op === "dense") dense(writer, step.input, step, { output: step.output });
    else writer.node("Identity", [onnxAttention(writer, step, step.heads, sizesOf(graph))], { output: step.output });
  }
  return finish(writer, graph, "FLOAT");
}

/** com.microsoft.Attention, which has the three projections in one matrix. @param {Graph} graph with all four projections */
export function onnxAttentionFused(graph) {
  const writer = new OnnxWriter();
  const { channels } = sizesOf(graph);
  const attended = graph.steps.find(({ op }) => op === "attention");
  const parts = [attended.q, attended.k, attended.v].map((name) => graph.steps.find(({ output }) => output === name));
  const rows = new Float32Array(3 * channels ** 2);
  const bias = new Float32Array(3 * channels);
  for (const [i, part] of parts.entries()) {
    rows.set(part.weights, i * channels ** 2);
    bias.set(part.bias, i * channels);
  }
  const matrix = writer.constant("FLOAT", [channels, 3 * channels], transposed(rows, 3 * channels, channels));
  const inputs = [graph.input, matrix, writer.constant("FLOAT", [3 * channels], bias)];
  const options = { attributes: { num_heads: attended.heads }, domain: "com.microsoft" };
  const y = graph.steps.at(-1);
  dense(writer, writer.node("Attention", inputs, options), y, { output: y.output });
  return finish(writer, graph, "FLOAT");
}

/**
 * Tensors are bytes; every operator that computes reads and writes real values between DequantizeLinear and QuantizeLinear, in which the
 * runtime finds its own integer operators. The scores' division lies in the scale that the queries are read with.
 * @param {Graph} graph
 */
export function onnxAttentionQdq(graph) {
  const writer = new OnnxWriter();
  const sizes = sizesOf(graph);
  const { tokens, channels } = sizes;
  const quantizationOf = (name) => graph.tensors[name].quantization;
  const real = (bytes, quantization) => writer.node("DequantizeLinear", [bytes, ...writer.quantization(quantization)]);
  const rounded = (value, quantization) => writer.node("QuantizeLinear", [value, ...writer.quantization(quantization)]);
  const flat = writer.constant("INT64", [2], [tokens, channels]);
  const bytes = new Map([[graph.input, writer.node("Reshape", [graph.input, flat])]]);
  for (const step of graph.steps) {
    if (step.op === "dense") {
      const { weights, weightScales, bias } = step;
      const input = quantizationOf(step.input);
      const matrix = writer.dequantised("INT8", [channels, channels], weights, weightScales);
      const biasScales = weightScales.map((scale) => scale * input.scale);
      const biases = writer.dequantised("INT32", [channels], bias, biasScales);
      const inputs = [real(bytes.get(step.input), input), matrix, biases];
      const product = writer.node("Gemm", inputs, { attributes: { transB: 1 } });
      bytes.set(step.output, rounded(product, quantizationOf(step.output)));
    } else {
      const { heads: count, scores, probabilities } = step;
      const [q, k, v] = [
        [step.q, HEADS_FIRST],
        [step.k, KEYS_LAST],
        [step.v, HEADS_FIRST],
      ].map(([name, perm]) => heads(writer, bytes.get(name), sizes, count, perm));
      const ofQ = quantizationOf(step.q);
      const divided = { ...ofQ, scale: ofQ.scale / Math.sqrt(channels / count) };
      const products = writer.node("MatMul", [real(q, divided), real(k, quantizationOf(step.k))]);
      const map = writer.node("Softmax", [real(rounded(products, scores), scores)], { attributes: { axis: -1 } });
      const operands = [real(rounded(map, probabilities), probabilities), real(v, quantizationOf(step.v))];
      const attended = rounded(writer.node("MatMul", operands), quantizationOf(step.output));
      bytes.set(step.output, writer.node("Reshape", [joined(writer, attended, sizes), flat]));
    }
  }
  const shape = writer.constant("INT64", [3], graph.tensors[graph.output].shape);
  writer.node("Reshape", [bytes.get(graph.output), shape], { output: graph.output });
  return finish(writer, graph, "UINT8");
}
