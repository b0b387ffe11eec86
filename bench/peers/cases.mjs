/**
 * What is timed: single layers of common networks, and SESR-M5 x2 on a 640x360 luma plane.
 * @typedef {object} Case
 * @property {string} name as in the tables and for --case
 * @property {"layer" | "sesr"} kind
 * @property {number} height of the input
 * @property {number} width
 * @property {number} ic input channels
 * @property {number} oc output channels
 * @property {number} kernel its side; stride 1, padding "same"
 * @property {number} groups 1, or as many as channels (depthwise)
 * @property {number} macs multiply-accumulates of direct convolution: Winograd gets no discount
 */

/** @typedef {"int8" | "f32"} DType */
/** @type {readonly DType[]} */
export const DTYPES = ["int8", "f32"];

/** @returns {Case} */
function layer(name, [height, width], ic, oc, kernel, groups = 1) {
  const macs = (height * width * ic * oc * kernel ** 2) / groups;
  return { name, kind: "layer", height, width, ic, oc, kernel, groups, macs };
}

/** SESR-M5: 5x5 to 16 channels, five 3x3, 5x5 to 4 channels. */
function sesr(name, [height, width]) {
  const macs = height * width * (25 * 16 + 5 * 9 * 16 * 16 + 25 * 16 * 4);
  return { name, kind: "sesr", height, width, ic: 1, oc: 4, kernel: 5, groups: 1, macs };
}

/** @type {readonly Case[]} */
export const CASES = [
  sesr("SESR-M5 x2 640x360", [360, 640]),
  layer("conv3x3 56x56x64", [56, 56], 64, 64, 3),
  layer("conv3x3 28x28x128", [28, 28], 128, 128, 3),
  layer("conv3x3 14x14x256", [14, 14], 256, 256, 3),
  layer("conv3x3 180x320x16", [180, 320], 16, 16, 3),
  layer("conv3x3 360x640x16", [360, 640], 16, 16, 3),
  layer("conv1x1 56x56 64->256", [56, 56], 64, 256, 1),
  layer("depthwise3x3 56x56x128", [56, 56], 128, 128, 3, 128),
  layer("depthwise7x7 56x56x96", [56, 56], 96, 96, 7, 96),
];

/** @returns {Case} */
export function caseNamed(name) {
  const found = CASES.find((c) => c.name === name);
  if (!found) throw new Error(`case: expected one of ${CASES.map((c) => c.name).join(", ")}, got ${name}`);
  return found;
}
