// Bias correction (Nagel et al. 2019, section 4.2), measured by `calibrate.mjs --compare` and not shipped, as it gains nothing here.
import { inferChannels } from "../../dist/network/shapes.js";
import { quantise } from "../../dist/quantization/quantise.js";
import { dequantizeValue, quantizeValue } from "../../dist/quantization/requantize.js";
import { runReferenceQuantised } from "../../dist/reference/run.js";

/** Mean of each channel over all values of several maps; `value` turns what is stored into a real number. */
function channelMeans(maps, channels, value = (v) => v) {
  const sums = new Float64Array(channels);
  let pixels = 0;
  for (const data of maps) {
    for (let i = 0; i < data.length; i++) sums[i % channels] += value(data[i]);
    pixels += data.length / channels;
  }
  return sums.map((sum) => sum / pixels);
}

/** sum over the taps of weights[o] * mean of the input channel: the mean of the convolution, borders aside. */
function meanOutput(weights, perOutput, o, means) {
  let sum = 0;
  for (let j = 0; j < perOutput; j++) sum += weights[o * perOutput + j] * means[j % means.length];
  return sum;
}

/**
 * The model with biases that cancel the mean error of every convolution's sum in int8, one layer after the other, so that each sees
 * what is left of the errors before it. `model` is fused; `inputs` are its feature maps, `run` the f32 executor.
 */
export function correctBiases(model, ranges, inputs, run) {
  const channels = inferChannels(model.network);
  const exact = inputs.map((input) => run(model, input));
  const weights = new Map(model.weights);
  for (const layer of model.network.layers) {
    if (layer.op !== "conv2d") continue;
    const int8 = quantise({ network: model.network, weights }, ranges);
    const [first] = int8.network.layers;
    const rounded = inputs.map(({ shape, data }) => {
      const bytes = Int8Array.from(data, (v) => quantizeValue(v, int8.tensors.get(first.name)));
      return runReferenceQuantised(int8, { shape, data: bytes }).get(layer.input);
    });
    const count = channels.get(layer.input);
    const params = int8.tensors.get(layer.input);
    const real = channelMeans(
      exact.map((tensors) => tensors.get(layer.input)),
      count,
    );
    const seen = channelMeans(rounded, count, (q) => dequantizeValue(q, params));
    const { data } = weights.get(layer.weights);
    const filter = int8.filters.get(layer.name);
    const perOutput = data.length / layer.channels;
    const bias = weights.get(layer.bias);
    const corrected = bias.data.map((b, o) => {
      const got = filter.weightScales[o] * meanOutput(filter.weights, perOutput, o, seen);
      return b + meanOutput(data, perOutput, o, real) - got;
    });
    weights.set(layer.bias, { ...bias, data: corrected });
  }
  return { network: model.network, weights };
}
