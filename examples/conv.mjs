// One int8 convolution by every algorithm: the same bits from up to four times fewer multiplications.
import { loadKernels } from "wasmograd";

const kernels = await loadKernels();
const [height, width, channels] = [56, 56, 64];

let state = 1;
const random = (length) =>
  Int8Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return Math.max(-127, state >> 24);
  });

const x = random(height * width * channels);
const layer = {
  input: [1, height, width, channels],
  kernel: [3, 3],
  weights: random(channels * 3 * 3 * channels), // OHWI
  weightScales: new Float32Array(channels).fill(0.004), // one an output channel
  bias: new Int32Array(channels).fill(100), // in units of input scale * weight scale
  inputQuantization: { scale: 0.05, zeroPoint: 3 }, // real = scale * (q - zeroPoint)
  outputQuantization: { scale: 0.9, zeroPoint: -10 },
  activation: "relu",
};

/** Result and milliseconds of the fastest of 20 runs. */
function timed(algorithm) {
  const conv = kernels.conv2d({ ...layer, algorithm });
  const y = conv.run(x);
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 20; i++) {
    const start = performance.now();
    conv.run(x, y);
    best = Math.min(best, performance.now() - start);
  }
  conv.dispose();
  return { y, best };
}

const direct = timed("direct");
console.log(`direct            ${direct.best.toFixed(2)} ms`);
let different = 0;
for (const algorithm of ["f2x2-3x3", "f4x4-3x3-complex", "f4x4-3x3-rational"]) {
  const { y, best } = timed(algorithm);
  different += y.filter((v, i) => v !== direct.y[i]).length;
  console.log(`${algorithm.padEnd(17)} ${best.toFixed(2)} ms`);
}
console.log(`${different} of 3 x ${direct.y.length} outputs differ`);
process.exitCode = different === 0 ? 0 : 1;
