/** Writes an ONNX model, node by node. The protocol buffers' schema is that of the package onnx-proto. */
import { createRequire } from "node:module";

const { onnx } = createRequire(import.meta.url)("onnx-proto");
const { DataType } = onnx.TensorProto;
const { AttributeType } = onnx.AttributeProto;

const IR_VERSION = 8;
const OPSETS = [
  { domain: "", version: 17 },
  { domain: "com.microsoft", version: 1 },
];
/** uint8 is our int8 shifted. */
const SHIFT = 128;
const ARRAYS = { FLOAT: Float32Array, UINT8: Uint8Array, INT8: Int8Array, INT32: Int32Array, INT64: BigInt64Array };

/** Integers, strings, arrays of integers, and reals as `{ float }`. */
function attribute([name, value]) {
  if (Array.isArray(value)) return { name, type: AttributeType.INTS, ints: value };
  if (typeof value === "string") return { name, type: AttributeType.STRING, s: new TextEncoder().encode(value) };
  if (typeof value === "object") return { name, type: AttributeType.FLOAT, f: value.float };
  return { name, type: AttributeType.INT, i: value };
}

function valueInfo(name, type, dims) {
  const shape = { dim: dims.map((dimValue) => ({ dimValue })) };
  return { name, type: { tensorType: { elemType: DataType[type], shape } } };
}

export class OnnxWriter {
  #nodes = [];
  #constants = [];

  /** @returns {string} the constant's name */
  constant(type, dims, values) {
    const name = `constant${this.#constants.length}`;
    const array =
      values instanceof ARRAYS[type] ? values : ARRAYS[type].from(type === "INT64" ? values.map(BigInt) : values);
    const rawData = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
    this.#constants.push({ name, dataType: DataType[type], dims, rawData });
    return name;
  }

  scalar(type, value) {
    return this.constant(type, [], [value]);
  }

  /** Scale and zero point of one of our int8 tensors, which are uint8 here. @returns {[scale: string, zeroPoint: string]} */
  quantization({ scale, zeroPoint }) {
    return [this.scalar("FLOAT", scale), this.scalar("UINT8", zeroPoint + SHIFT)];
  }

  /** A constant of integers as DequantizeLinear gives it, with a scale for each part along its first axis. */
  dequantised(type, dims, values, scales) {
    const zeros = this.constant(type, [scales.length], new Array(scales.length).fill(0));
    const inputs = [this.constant(type, dims, values), this.constant("FLOAT", [scales.length], scales), zeros];
    return this.node("DequantizeLinear", inputs, { attributes: { axis: 0 } });
  }

  /** @returns {string} the name of the node's output: `output`, or a new one */
  node(opType, input, { output = `${opType}${this.#nodes.length}`, attributes = {}, domain = "" } = {}) {
    const name = `node${this.#nodes.length}`;
    const attributeList = Object.entries(attributes).map(attribute);
    this.#nodes.push({ opType, input, output: [output], name, attribute: attributeList, domain });
    return output;
  }

  /**
   * The model's bytes.
   * @param {{ name: string, type: string, dims: number[] }} input
   * @param {{ name: string, type: string, dims: number[] }} output
   */
  finish(input, output) {
    const graph = {
      name: "peer",
      node: this.#nodes,
      initializer: this.#constants,
      input: [valueInfo(input.name, input.type, input.dims)],
      output: [valueInfo(output.name, output.type, output.dims)],
    };
    const model = { irVersion: IR_VERSION, producerName: "wasmograd-bench", opsetImport: OPSETS, graph };
    return onnx.ModelProto.encode(onnx.ModelProto.create(model)).finish();
  }
}
