/**
 * The TensorFlow Lite models of an attention layer: f32, and int8 between a QUANTIZE and a DEQUANTIZE as in tflite.mjs. The scores' division
 * is a multiplication of the queries in f32 and lies in their scale in int8.
 */
import { TfliteWriter } from "./tflite-writer.mjs";

const NO_ACTIVATION = 0;
/** The only parameters that the format allows for the output of an int8 SOFTMAX. */
const PROBABILITIES = { scale: 1 / 256, zeroPoint: -128 };
/** From [tokens, heads, channels a head]. */
const HEADS_FIRST = [1, 0, 2];

/** @param {import("../graph.mjs").Graph} graph in f32 or int8 */
export function tfliteAttention(graph) {
  const writer = new TfliteWriter();
  const int8 = graph.dtype === "int8";
  const [, tokens, channels] = graph.tensors[graph.input].shape;
  const tensor = (shape, quantization) => {
    if (!quantization) return writer.tensor(shape, "FLOAT32");
    const { scale, zeroPoint } = quantization;
    return writer.tensor(shape, "INT8", { quantization: { scales: [scale], zeroPoint } });
  };
  const integers = (values) => writer.tensor([values.length], "INT32", { data: Int32Array.from(values) });
  const quantizationOf = (name) => graph.tensors[name].quantization;
  const flat = [tokens, channels];
  const numbers = new Map(Object.keys(graph.tensors).map((name) => [name, tensor(flat, quantizationOf(name))]));

  const reshape = (from, to, shape) => writer.operation("RESHAPE", [from, integers(shape)], [to]);
  const transpose = (from, to, permutation) => writer.operation("TRANSPOSE", [from, integers(permutation)], [to]);
  const heads = (from, count, quantization) => {
    const size = channels / count;
    const [parts, first] = [tensor([tokens, count, size], quantization), tensor([count, tokens, size], quantization)];
    reshape(from, parts, [tokens, count, size]);
    transpose(parts, first, HEADS_FIRST);
    return first;
  };

  const dense = ({ input, output, weights, weightScales, bias }) => {
    const filter = int8
      ? writer.tensor([channels, channels], "INT8", {
          data: weights,
          quantization: { scales: weightScales, zeroPoint: 0 },
        })
      : writer.tensor([channels, channels], "FLOAT32", { data: weights });
    const scales = int8 && weightScales.map((scale) => scale * quantizationOf(input).scale);
    const biases = int8
      ? writer.tensor([channels], "INT32", { data: bias, quantization: { scales, zeroPoint: 0 } })
      : writer.tensor([channels], "FLOAT32", { data: bias });
    const inputs = [numbers.get(input), filter, biases];
    const options = [
      ["byte", NO_ACTIVATION],
      ["byte", 0],
      ["byte", 0],
      ["byte", 0],
    ];
    writer.operation("FULLY_CONNECTED", inputs, [numbers.get(output)], options);
  };

  const attention = ({ q, k, v, output, heads: count, scores, probabilities }) => {
    const factor = 1 / Math.sqrt(channels / count);
    const ofQ = quantizationOf(q);
    let queries = numbers.get(q);
    if (!int8) {
      const scaled = tensor(flat);
      const scalar = writer.tensor([], "FLOAT32", { data: Float32Array.of(factor) });
      writer.operation("MUL", [queries, scalar], [scaled], [["byte", NO_ACTIVATION]]);
      queries = scaled;
    }
    const [first, keys, values] = [
      heads(queries, count, ofQ),
      heads(numbers.get(k), count, quantizationOf(k)),
      heads(numbers.get(v), count, quantizationOf(v)),
    ];
    const square = [count, tokens, tokens];
    // The quantised product divides by way of the scale that its output is said to have.
    const products = tensor(square, scores && { ...scores, scale: scores.scale / factor });
    writer.operation(
      "BATCH_MATMUL",
      [first, keys],
      [products],
      [
        ["byte", 0],
        ["byte", 1],
        ["byte", 0],
      ],
    );
    const map = tensor(square, probabilities && PROBABILITIES);
    writer.operation("SOFTMAX", [products], [map], [["float", int8 ? factor : 1]]);
    const attended = tensor([count, tokens, channels / count], quantizationOf(output));
    writer.operation(
      "BATCH_MATMUL",
      [map, values],
      [attended],
      [
        ["byte", 0],
        ["byte", 0],
        ["byte", 0],
      ],
    );
    const together = tensor([tokens, count, channels / count], quantizationOf(output));
    transpose(attended, together, HEADS_FIRST);
    reshape(together, numbers.get(output), flat);
  };

  const end = (name) => (int8 ? writer.tensor(flat, "FLOAT32") : numbers.get(name));
  const [input, output] = [end(graph.input), end(graph.output)];
  if (int8) writer.operation("QUANTIZE", [input], [numbers.get(graph.input)]);
  for (const step of graph.steps) {
    if (step.op === "dense") dense(step);
    else attention(step);
  }
  if (int8) writer.operation("DEQUANTIZE", [numbers.get(graph.output)], [output]);
  return writer.finish([input], [output]);
}
