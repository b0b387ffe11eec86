/**
 * Writes a TensorFlow Lite model as its FlatBuffers schema has it (schema.fbs, file identifier TFL3). A table's fields are written by their
 * number in the schema; those left out have their default.
 */
import { Builder } from "flatbuffers";

const TENSOR_TYPES = { FLOAT32: 0, INT32: 2, INT8: 9 };
const SCHEMA_VERSION = 3;
const FILE_IDENTIFIER = "TFL3";
/** BuiltinOperator; number and type of its options in the union BuiltinOptions; version of the operator. */
const OPERATORS = {
  ADD: { code: 0, options: 11, version: 2 },
  CONV_2D: { code: 3, options: 1, version: 3 },
  DEPTHWISE_CONV_2D: { code: 4, options: 2, version: 3 },
  DEPTH_TO_SPACE: { code: 5, options: 94, version: 1 },
  DEQUANTIZE: { code: 6, options: 0, version: 2 },
  FULLY_CONNECTED: { code: 9, options: 8, version: 4 },
  MUL: { code: 18, options: 21, version: 1 },
  RESHAPE: { code: 22, options: 17, version: 1 },
  SOFTMAX: { code: 25, options: 9, version: 2 },
  TRANSPOSE: { code: 39, options: 26, version: 2 },
  BATCH_MATMUL: { code: 126, options: 101, version: 2 },
  QUANTIZE: { code: 114, options: 0, version: 1 },
};

/** A number that no field has as its default, so that every field that is given is written. */
const NEVER = -(2 ** 30);

export class TfliteWriter {
  #builder = new Builder(1 << 20);
  #tensors = [];
  /** The first buffer is empty by convention: that of tensors without constant values. */
  #buffers = [undefined];
  #operations = [];

  /**
   * @param {number[]} shape
   * @param {keyof typeof TENSOR_TYPES} type
   * @param {{ data?: ArrayBufferView, quantization?: { scales: ArrayLike<number>, zeroPoint: number, axis?: number } }} [options]
   * @returns {number} the tensor's number
   */
  tensor(shape, type, { data, quantization } = {}) {
    let buffer = 0;
    if (data) buffer = this.#buffers.push(new Uint8Array(data.buffer, data.byteOffset, data.byteLength)) - 1;
    return this.#tensors.push({ shape, type, buffer, quantization }) - 1;
  }

  /**
   * @param {keyof typeof OPERATORS} name
   * @param {number[]} inputs
   * @param {number[]} outputs
   * @param {readonly (readonly ["byte" | "int" | "float", number])[]} options the option table's fields in order
   */
  operation(name, inputs, outputs, options = []) {
    this.#operations.push({ name, inputs, outputs, options });
  }

  /** The model's bytes. */
  finish(inputs, outputs) {
    const names = [...new Set(this.#operations.map(({ name }) => name))];
    const operatorCodes = this.#vector(names.map((name) => this.#operatorCode(name)));
    const graph = this.#subgraph(names, inputs, outputs);
    const subgraphs = this.#vector([graph]);
    const buffers = this.#vector(this.#buffers.map((data) => this.#buffer(data)));
    const builder = this.#builder;
    const description = builder.createString("wasmograd-bench");
    builder.startObject(5);
    builder.addFieldInt32(0, SCHEMA_VERSION, 0);
    builder.addFieldOffset(1, operatorCodes, 0);
    builder.addFieldOffset(2, subgraphs, 0);
    builder.addFieldOffset(3, description, 0);
    builder.addFieldOffset(4, buffers, 0);
    builder.finish(builder.endObject(), FILE_IDENTIFIER);
    return builder.asUint8Array().slice();
  }

  #vector(offsets) {
    const builder = this.#builder;
    builder.startVector(4, offsets.length, 4);
    for (const offset of [...offsets].reverse()) builder.addOffset(offset);
    return builder.endVector();
  }

  #numbers(bytes, values, add) {
    this.#builder.startVector(bytes, values.length, bytes);
    for (const value of [...values].reverse()) add.call(this.#builder, value);
    return this.#builder.endVector();
  }

  #integers(values) {
    return this.#numbers(4, values, this.#builder.addInt32);
  }

  #operatorCode(name) {
    const builder = this.#builder;
    const { code, version } = OPERATORS[name];
    builder.startObject(4);
    builder.addFieldInt8(0, code, NEVER); // deprecated_builtin_code, still read
    builder.addFieldInt32(2, version, NEVER);
    builder.addFieldInt32(3, code, NEVER);
    return builder.endObject();
  }

  #buffer(data) {
    const builder = this.#builder;
    let values = 0;
    if (data) {
      builder.startVector(1, data.length, 16);
      for (let i = data.length - 1; i >= 0; i--) builder.addInt8(data[i]);
      values = builder.endVector();
    }
    builder.startObject(1);
    if (data) builder.addFieldOffset(0, values, 0);
    return builder.endObject();
  }

  #quantization({ scales, zeroPoint, axis = 0 }) {
    const builder = this.#builder;
    const scale = this.#numbers(4, Array.from(scales), builder.addFloat32);
    const zeros = this.#numbers(8, new Array(scales.length).fill(BigInt(zeroPoint)), builder.addInt64);
    builder.startObject(7);
    builder.addFieldOffset(2, scale, 0);
    builder.addFieldOffset(3, zeros, 0);
    builder.addFieldInt32(6, axis, 0);
    return builder.endObject();
  }

  #tensor({ shape, type, buffer, quantization }, number) {
    const builder = this.#builder;
    const dims = this.#integers(shape);
    const name = builder.createString(`tensor${number}`);
    const parameters = quantization && this.#quantization(quantization);
    builder.startObject(5);
    builder.addFieldOffset(0, dims, 0);
    builder.addFieldInt8(1, TENSOR_TYPES[type], 0);
    builder.addFieldInt32(2, buffer, 0);
    builder.addFieldOffset(3, name, 0);
    if (parameters) builder.addFieldOffset(4, parameters, 0);
    return builder.endObject();
  }

  #options(fields) {
    const builder = this.#builder;
    builder.startObject(fields.length);
    for (const [i, [type, value]] of fields.entries()) {
      if (type === "byte") builder.addFieldInt8(i, value, NEVER);
      else if (type === "float") builder.addFieldFloat32(i, value, NEVER);
      else builder.addFieldInt32(i, value, NEVER);
    }
    return builder.endObject();
  }

  #operation({ name, inputs, outputs, options }, names) {
    const builder = this.#builder;
    const from = this.#integers(inputs);
    const to = this.#integers(outputs);
    const optionsType = OPERATORS[name].options;
    const table = optionsType ? this.#options(options) : 0;
    builder.startObject(5);
    builder.addFieldInt32(0, names.indexOf(name), 0);
    builder.addFieldOffset(1, from, 0);
    builder.addFieldOffset(2, to, 0);
    if (optionsType) {
      builder.addFieldInt8(3, optionsType, 0);
      builder.addFieldOffset(4, table, 0);
    }
    return builder.endObject();
  }

  #subgraph(names, inputs, outputs) {
    const builder = this.#builder;
    const tensors = this.#vector(this.#tensors.map((tensor, i) => this.#tensor(tensor, i)));
    const from = this.#integers(inputs);
    const to = this.#integers(outputs);
    const operations = this.#vector(this.#operations.map((operation) => this.#operation(operation, names)));
    const name = builder.createString("main");
    builder.startObject(5);
    builder.addFieldOffset(0, tensors, 0);
    builder.addFieldOffset(1, from, 0);
    builder.addFieldOffset(2, to, 0);
    builder.addFieldOffset(3, operations, 0);
    builder.addFieldOffset(4, name, 0);
    return builder.endObject();
  }
}
