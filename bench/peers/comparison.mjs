/**
 * Outputs against ours.
 * @typedef {object} Int8Comparison in steps of the output
 * @property {number} outputs
 * @property {number} differing
 * @property {number} largest
 * @property {number} [tolerance] of `largest`, where the case has one
 * @property {boolean} [within]
 * @typedef {object} F32Comparison
 * @property {number} outputs
 * @property {number} relative largest difference over the largest value that was expected
 * @property {number} tolerance of `relative`
 * @property {boolean} within
 */

/**
 * f32 sums of up to 2304 products in another order, or by Winograd. The largest that was seen is below 1e-5; a wrong filter or a shifted
 * map differs by more than 0.1.
 */
export const F32_TOLERANCE = 1e-4;

/** Index in an NHWC array of the i-th value in NCHW order. */
function nchwOrder([height, width, channels]) {
  const area = height * width;
  return (i) => (i % area) * channels + Math.floor(i / area);
}

const sameOrder = (i) => i;

/**
 * @param {Int8Array} expected ours, NHWC
 * @param {ArrayLike<number>} actual
 * @param {{ layout: "NHWC" | "NCHW", encoding: "int8" | "uint8" | "real", shape: readonly number[],
 *   quantization: { scale: number, zeroPoint: number }, tolerance?: number }} form of `actual`; the quantization decodes real values
 * @returns {Int8Comparison}
 */
export function compareInt8(
  expected,
  actual,
  { layout, encoding, shape, quantization: { scale, zeroPoint }, tolerance },
) {
  checkLength(expected, actual);
  const index = layout === "NCHW" ? nchwOrder(shape) : sameOrder;
  const decode = {
    int8: (value) => value,
    uint8: (value) => value - 128,
    real: (value) => Math.round(value / scale) + zeroPoint,
  }[encoding];
  let differing = 0;
  let largest = 0;
  for (let i = 0; i < actual.length; i++) {
    const difference = Math.abs(decode(actual[i]) - expected[index(i)]);
    if (difference === 0) continue;
    differing++;
    largest = Math.max(largest, difference);
  }
  const found = { outputs: expected.length, differing, largest };
  return tolerance === undefined ? found : { ...found, tolerance, within: largest <= tolerance };
}

/**
 * @param {Float32Array} expected ours, NHWC
 * @param {ArrayLike<number>} actual
 * @param {{ layout: "NHWC" | "NCHW", shape: readonly number[] }} form of `actual`
 * @returns {F32Comparison}
 */
export function compareF32(expected, actual, { layout, shape }) {
  checkLength(expected, actual);
  const index = layout === "NCHW" ? nchwOrder(shape) : sameOrder;
  let difference = 0;
  let reach = 0;
  for (let i = 0; i < actual.length; i++) {
    const value = expected[index(i)];
    reach = Math.max(reach, Math.abs(value));
    const distance = Math.abs(actual[i] - value);
    // Math.max would answer NaN from here on, and NaN is written to JSON as null.
    if (!Number.isFinite(distance)) throw new Error(`output[${i}]: expected a finite number, got ${actual[i]}`);
    difference = Math.max(difference, distance);
  }
  const relative = Number((difference / reach).toPrecision(3));
  return { outputs: expected.length, relative, tolerance: F32_TOLERANCE, within: relative <= F32_TOLERANCE };
}

function checkLength(expected, actual) {
  if (expected.length !== actual.length) {
    throw new Error(`output: expected ${expected.length} values, got ${actual.length}`);
  }
}
