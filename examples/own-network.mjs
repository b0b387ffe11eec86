// A network of one's own: described, calibrated, quantised to int8, compiled and run, beside the same in f32.
import { calibrate, compile, countNetwork, quantise, runReference, validate, weightShapes } from "wasmograd";

const conv = (name, input, channels, more) => ({
  op: "conv2d",
  name,
  input,
  kernel: [3, 3],
  stride: 1,
  padding: "same",
  channels,
  weights: `${name}.weight`,
  bias: `${name}.bias`,
  ...more,
});

// An edge detector with a residual path: 3 -> 16 -> 16 -> 1 channels.
const network = validate({
  name: "edges",
  layers: [
    { op: "input", name: "rgb", channels: 3 },
    conv("a", "rgb", 16, { activation: { kind: "relu" } }),
    conv("b", "a", 16),
    { op: "add", name: "sum", inputs: ["a", "b"] },
    { op: "activation", name: "sum.relu", input: "sum", activation: { kind: "relu" } },
    conv("edges", "sum.relu", 1),
  ],
  output: "edges",
});

let state = 7;
const random = () => {
  state = (Math.imul(state, 1664525) + 1013904223) | 0;
  return (state >>> 8) / 2 ** 24;
};

// Weights would come from training; OHWI, scaled so that the signal keeps its size.
const weights = new Map(
  [...weightShapes(network)].map(([name, shape]) => {
    const length = shape.reduce((a, b) => a * b, 1);
    const spread = Math.sqrt((3 * shape[0]) / length);
    return [name, { shape, data: Float32Array.from({ length }, () => (2 * random() - 1) * spread) }];
  }),
);
const model = { network, weights };
const picture = (size) => ({
  shape: [size, size, 3],
  data: Float32Array.from({ length: size * size * 3 }, (_, i) => 0.5 + 0.4 * Math.sin(i / 40) + 0.1 * random()),
});

const { params, macs } = countNetwork(network, [64, 64]);
console.log(`${network.name}: ${params} parameters, ${macs} multiply-accumulates at 64x64`);

const calibration = calibrate(model, [picture(32), picture(32)], runReference);
const float = await compile(model);
const int8 = await compile(quantise(model, calibration));
for (const [layer, { algorithm }] of int8.algorithms) console.log(`  ${layer}: ${algorithm}`);

const input = picture(64);
const exact = float.run(input).data;
const rounded = int8.run(input).data;
const mean = (values) => values.reduce((a, b) => a + b, 0) / values.length;
const signal = mean(exact.map((v) => v * v));
const noise = mean(exact.map((v, i) => (v - rounded[i]) ** 2));
console.log(`int8 against f32: ${(10 * Math.log10(signal / noise)).toFixed(1)} dB`);
float.dispose();
int8.dispose();
