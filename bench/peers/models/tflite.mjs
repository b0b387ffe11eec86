/**
 * The TensorFlow Lite models of a graph: f32, and int8 between a QUANTIZE and a DEQUANTIZE, because tensors of LiteRT.js hold float32,
 * int32 and uint8 only and float ends are the faster of the two.
 */
import { ohwiToHwio } from "./layouts.mjs";
import { TfliteWriter } from "./tflite-writer.mjs";

/** @typedef {import("../graph.mjs").Graph} Graph */
/** @typedef {import("../graph.mjs").ConvStep} ConvStep */

const PADDING_SAME = 0;
const NO_ACTIVATION = 0;
const RELU = 1;

const nhwc = ({ shape }) => [1, ...shape];
const isDepthwise = ({ groups }) => groups > 1;

/** The option table's fields; depthwise has the depth multiplier between stride and activation. */
function convOptions(step) {
  const activation = step.relu ? RELU : NO_ACTIVATION;
  const one = ["int", 1];
  const depthMultiplier = isDepthwise(step) ? [one] : [];
  return [["byte", PADDING_SAME], one, one, ...depthMultiplier, ["byte", activation], one, one];
}

/** Number of the filter's tensor. @param {ConvStep} step */
function filter(writer, step) {
  const { kernel, weights, bias, weightScales } = step;
  const outputs = bias.length;
  const depthwise = isDepthwise(step);
  const inputs = weights.length / outputs / kernel ** 2;
  const shape = depthwise ? [1, kernel, kernel, outputs] : [outputs, kernel, kernel, inputs];
  const data = depthwise ? ohwiToHwio(weights, outputs) : weights;
  if (!weightScales) return writer.tensor(shape, "FLOAT32", { data });
  const quantization = { scales: weightScales, zeroPoint: 0, axis: depthwise ? 3 : 0 };
  return writer.tensor(shape, "INT8", { data, quantization });
}

function biasTensor(writer, { bias, weightScales }, inputScale) {
  if (!weightScales) return writer.tensor([bias.length], "FLOAT32", { data: bias });
  const quantization = { scales: weightScales.map((scale) => scale * inputScale), zeroPoint: 0 };
  return writer.tensor([bias.length], "INT32", { data: bias, quantization });
}

/** @param {Graph} graph in f32 or int8 */
export function tflite(graph) {
  const writer = new TfliteWriter();
  const int8 = graph.dtype === "int8";
  const numbers = new Map(
    Object.entries(graph.tensors).map(([name, tensor]) => {
      if (!int8) return [name, writer.tensor(nhwc(tensor), "FLOAT32")];
      const { scale, zeroPoint } = tensor.quantization;
      return [name, writer.tensor(nhwc(tensor), "INT8", { quantization: { scales: [scale], zeroPoint } })];
    }),
  );
  const number = (name) => numbers.get(name);
  const end = (name) => (int8 ? writer.tensor(nhwc(graph.tensors[name]), "FLOAT32") : number(name));
  const [input, output] = [end(graph.input), end(graph.output)];
  if (int8) writer.operation("QUANTIZE", [input], [number(graph.input)]);
  for (const step of graph.steps) {
    const outputs = [number(step.output)];
    if (step.op === "conv") {
      const inputScale = graph.tensors[step.input].quantization?.scale;
      const inputs = [number(step.input), filter(writer, step), biasTensor(writer, step, inputScale)];
      writer.operation(isDepthwise(step) ? "DEPTHWISE_CONV_2D" : "CONV_2D", inputs, outputs, convOptions(step));
    } else if (step.op === "add") {
      writer.operation("ADD", step.inputs.map(number), outputs, [["byte", NO_ACTIVATION]]);
    } else {
      writer.operation("DEPTH_TO_SPACE", [number(step.input)], outputs, [["int", step.block]]);
    }
  }
  if (int8) writer.operation("DEQUANTIZE", [number(graph.output)], [output]);
  return writer.finish([input], [output]);
}
