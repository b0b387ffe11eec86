/** int8 attention by its kernels: projections are pointwise convolutions, which write into the buffers that the attention kernel reads. */
import { instantiateAttentionKernels } from "../../../dist/kernels/attention/load.js";
import { attentionScratchBytes } from "../../../dist/kernels/attention/scratch.js";
import { specOf } from "../../../dist/kernels/conv2d-options.js";
import { ConvolutionCall } from "../../../dist/kernels/convolution/call.js";
import { PackedConvolution } from "../../../dist/kernels/convolution/packed.js";
import { MAGIC_BITS } from "../../../dist/kernels/convolution/params.js";
import { instantiateKernels } from "../../../dist/kernels/load.js";

/** Kernels may read so far past a buffer. */
const OVERREAD = 64;

/** @param {import("../graph.mjs").DenseStep} step; answers its call, not yet bound */
function projection(kernels, { tensors }, step) {
  const { shape, quantization: inputQuantization } = tensors[step.input];
  const { spec, geometry } = specOf({
    input: [1, ...shape],
    kernel: [1, 1],
    weights: step.weights,
    weightScales: step.weightScales,
    bias: step.bias,
    inputQuantization,
    outputQuantization: tensors[step.output].quantization,
  });
  const packed = new PackedConvolution(kernels, spec);
  return { packed, call: new ConvolutionCall(kernels, packed, geometry) };
}

/** @param {import("../graph.mjs").AttentionStep} step; answers what runs it */
function attention(exports, { tensors }, { q, k, v, output, heads }, at, scratch) {
  const [, tokens, channels] = tensors[q].shape;
  const [ofQ, ofK, ofV, to] = [q, k, v, output].map((name) => tensors[name].quantization);
  const scale = (ofQ.scale * ofK.scale) / Math.sqrt(channels / heads);
  const zero = MAGIC_BITS - to.zeroPoint;
  const quantization = [
    scale,
    ofQ.zeroPoint,
    ofK.zeroPoint,
    ofV.zeroPoint,
    ofV.scale / to.scale,
    zero,
    zero - 128,
    127,
  ];
  const pointers = [q, k, v, output].map((name) => at.get(name));
  const sizes = [tokens, tokens, heads, channels / heads, channels, channels, channels, channels];
  return () => exports.qs8_attention(...pointers, ...sizes, ...quantization, scratch);
}

/**
 * @param {import("../../../dist/index.js").Kernels} publicKernels for the form with float ends
 * @param {import("../graph.mjs").Graph} graph
 */
export async function prepareAttentionInt8(publicKernels, variant, graph) {
  const kernels = await instantiateKernels();
  const { memory } = kernels;
  const { exports } = await instantiateAttentionKernels(kernels);
  const { tensors } = graph;
  const at = new Map(
    Object.entries(tensors).map(([name, { shape }]) => {
      return [name, memory.allocate(shape.reduce((a, b) => a * b, 1) + OVERREAD)];
    }),
  );
  const projections = new Map(
    graph.steps.filter(({ op }) => op === "dense").map((step) => [step, projection(kernels, graph, step)]),
  );
  const attended = graph.steps.find(({ op }) => op === "attention");
  const [, tokens, channels] = tensors[graph.input].shape;
  const scratch = memory.allocate(
    Math.max(
      attentionScratchBytes("int8", tokens, channels / attended.heads),
      ...[...projections.values()].map(({ call }) => call.scratchBytes),
    ),
  );
  const steps = graph.steps.map((step) => {
    if (step.op === "attention") return attention(exports, graph, step, at, scratch);
    const { call } = projections.get(step);
    call.bind(at.get(step.input), at.get(step.output), 0, scratch);
    return () => call.run();
  });
  const [from, to] = [at.get(graph.input), at.get(graph.output)];
  const y = new Int8Array(tokens * channels);
  const compute = (x) => {
    memory.i8.set(x, from);
    for (const step of steps) step();
    y.set(memory.i8.subarray(to, to + y.length));
    return y;
  };
  const dispose = () => {
    for (const { call, packed } of projections.values()) {
      call.dispose();
      packed.dispose();
    }
    for (const pointer of [...at.values(), scratch]) memory.free(pointer);
  };
  if (variant.name === "auto") return { run: () => compute(graph.data), encoding: "int8", dispose };
  const [ofInput, ofOutput] = [graph.input, graph.output].map((name) => tensors[name].quantization);
  const reals = publicKernels.dequantize(graph.data, ofInput);
  const run = () => publicKernels.dequantize(compute(publicKernels.quantize(reals, ofInput)), ofOutput);
  return { run, encoding: "real", dispose };
}
