/**
 * One description of each case that all peers' models are made from, so that nobody computes anything else.
 *
 * Tensors are NHWC with batch 1, filters OHWI (depthwise: I = 1), all convolutions stride 1 and padding "same". In int8 a tensor has one
 * scale and one zero point, a filter one scale an output channel and zero point 0; biases count in units of input scale * weight scale.
 *
 * @typedef {{ scale: number, zeroPoint: number }} Quantization
 * @typedef {{ shape: [height: number, width: number, channels: number], quantization?: Quantization }} Tensor
 * @typedef {object} ConvStep
 * @property {"conv"} op
 * @property {string} input
 * @property {string} output
 * @property {number} kernel
 * @property {number} groups
 * @property {boolean} relu in int8 the output's zero point is then -128, so that saturation is the ReLU
 * @property {Float32Array | Int8Array} weights
 * @property {Float32Array} [weightScales] int8 only
 * @property {Float32Array | Int32Array} bias
 * @typedef {{ op: "add", inputs: [string, string], output: string }} AddStep one channel broadcasts
 * @typedef {{ op: "depth-to-space", input: string, output: string, block: number }} DepthToSpaceStep
 * @typedef {object} DenseStep a 1x1 convolution of tokens, a map of one row
 * @property {"dense"} op
 * @property {string} input
 * @property {string} output
 * @property {Float32Array | Int8Array} weights [outputs][inputs]
 * @property {Float32Array} [weightScales] int8 only
 * @property {Float32Array | Int32Array} bias
 * @typedef {object} AttentionStep softmax(q k^T / sqrt(channels a head)) v, head by head
 * @property {"attention"} op
 * @property {string} q
 * @property {string} k may be q
 * @property {string} v may be k
 * @property {string} output
 * @property {number} heads
 * @property {Quantization} [scores] int8 only, of what peers store: the divided products, and their softmax
 * @property {Quantization} [probabilities]
 * @typedef {object} Graph
 * @property {"int8" | "f32"} dtype
 * @property {string} input
 * @property {string} output
 * @property {Record<string, Tensor>} tensors
 * @property {(ConvStep | AddStep | DepthToSpaceStep)[] | (DenseStep | AttentionStep)[]} steps in order
 * @property {Float32Array | Int8Array} data the input's values
 */
import { attentionGraph } from "./attention.mjs";
import { sesrGraph } from "./sesr.mjs";
import { integers, reals } from "./values.mjs";

const SEEDS = { input: 1, weights: 2, bias: 3, scales: 4 };

/** @returns {Graph} */
function f32Layer({ height, width, ic, oc, kernel, groups }) {
  const fanIn = (ic / groups) * kernel ** 2;
  const reach = 1 / Math.sqrt(fanIn);
  return {
    dtype: "f32",
    input: "x",
    output: "y",
    tensors: { x: { shape: [height, width, ic] }, y: { shape: [height, width, oc] } },
    steps: [
      {
        op: "conv",
        input: "x",
        output: "y",
        kernel,
        groups,
        relu: false,
        weights: reals(oc * fanIn, SEEDS.weights, -reach, reach),
        bias: reals(oc, SEEDS.bias, -1, 1),
      },
    ],
    data: reals(height * width * ic, SEEDS.input, -1, 1),
  };
}

/** Activations and weights use the whole range of int8; the output's scale grows with the fan-in so that its values do, too. */
function int8Layer({ height, width, ic, oc, kernel, groups }) {
  const fanIn = (ic / groups) * kernel ** 2;
  const quantization = (scale) => ({ scale: Math.fround(scale), zeroPoint: 0 });
  return {
    dtype: "int8",
    input: "x",
    output: "y",
    tensors: {
      x: { shape: [height, width, ic], quantization: quantization(0.02) },
      y: { shape: [height, width, oc], quantization: quantization(0.004 * Math.sqrt(fanIn)) },
    },
    steps: [
      {
        op: "conv",
        input: "x",
        output: "y",
        kernel,
        groups,
        relu: false,
        weights: Int8Array.from(integers(oc * fanIn, SEEDS.weights, -127, 127)),
        weightScales: reals(oc, SEEDS.scales, 0.001, 0.002),
        bias: Int32Array.from(integers(oc, SEEDS.bias, -1000, 1000)),
      },
    ],
    data: Int8Array.from(integers(height * width * ic, SEEDS.input, -128, 127)),
  };
}

/**
 * @param {import("./cases.mjs").Case} c
 * @param {import("./cases.mjs").DType} dtype
 * @returns {Graph}
 */
export function graphOf(c, dtype) {
  if (c.kind === "sesr") return sesrGraph(c, dtype);
  if (c.kind === "attention") return attentionGraph(c, dtype);
  return dtype === "int8" ? int8Layer(c) : f32Layer(c);
}
