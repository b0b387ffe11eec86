/**
 * What is timed, in suites that have a results' file each: "convolutions", single layers of common networks and SESR-M5 x2 on a 640x360 luma
 * plane; "attention", a layer of softmax attention with its projections at the size of DeiT-Ti, and the same with fewer projections.
 * @typedef {"layer" | "sesr" | "attention"} Kind
 * @typedef {object} Size
 * @property {string} name as in the tables and for --case
 * @property {"convolutions" | "attention"} suite
 * @property {number} height of the input; of attention 1
 * @property {number} width of attention the tokens
 * @property {number} ic input channels
 * @property {number} oc output channels
 * @property {number} macs multiply-accumulates of direct convolution: Winograd gets no discount
 * @typedef {Size & { kind: "layer" | "sesr", kernel: number, groups: number }} ConvolutionCase with the kernel's side, stride 1, padding "same";
 *   groups 1, or as many as channels (depthwise)
 * @typedef {Size & { kind: "attention", heads: number, k: "q" | "k", v: "k" | "v", int8Tolerance: number }} AttentionCase with the
 *   projections that keys and values are, and the steps by which int8 outputs may differ from ours
 * @typedef {ConvolutionCase | AttentionCase} Case
 */

export const SUITES = /** @type {const} */ (["convolutions", "attention"]);

/** @typedef {"int8" | "f32"} DType */
/** @type {readonly DType[]} */
export const DTYPES = ["int8", "f32"];

/** @returns {ConvolutionCase} */
function layer(name, [height, width], ic, oc, kernel, groups = 1) {
  const macs = (height * width * ic * oc * kernel ** 2) / groups;
  return { name, suite: "convolutions", kind: "layer", height, width, ic, oc, kernel, groups, macs };
}

/** SESR-M5: 5x5 to 16 channels, five 3x3, 5x5 to 4 channels. @returns {ConvolutionCase} */
function sesr(name, [height, width]) {
  const macs = height * width * (25 * 16 + 5 * 9 * 16 * 16 + 25 * 16 * 4);
  return { name, suite: "convolutions", kind: "sesr", height, width, ic: 1, oc: 4, kernel: 5, groups: 1, macs };
}

/**
 * The peers round scores and map to 8 bits, which ours does not, LiteRT.js the map to 1/256, where 197 equal shares would be 1.3 of that. The
 * largest that was seen is 10; a wrong projection differs by more than 100.
 */
const ATTENTION_STEPS = 16;

/** As many projections of all channels as there are different ones, two products of the map. @returns {AttentionCase} */
function attention(note, k, v) {
  const [tokens, channels, heads] = [197, 192, 3];
  const projections = 1 + new Set(["q", k, v]).size;
  const macs = projections * tokens * channels ** 2 + 2 * tokens ** 2 * channels;
  const name = `attention ${tokens}x${channels}, ${heads} heads${note}`;
  const size = { suite: "attention", height: 1, width: tokens, ic: channels, oc: channels };
  return { name, kind: "attention", ...size, heads, k, v, macs, int8Tolerance: ATTENTION_STEPS };
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
  attention("", "k", "v"),
  attention(", Q = K", "q", "v"),
  attention(", K = V", "k", "k"),
];

/** @returns {Case} */
export function caseNamed(name) {
  const found = CASES.find((c) => c.name === name);
  if (!found) throw new Error(`case: expected one of ${CASES.map((c) => c.name).join(", ")}, got ${name}`);
  return found;
}
