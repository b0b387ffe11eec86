/**
 * Who is timed, and in which forms.
 * @typedef {object} Variant
 * @property {string} name
 * @property {import("./cases.mjs").DType} dtype
 * @property {string} [model] file that it loads, made by models/write.mjs
 * @property {string} [note] what a reader must know
 * @property {(c: import("./cases.mjs").Case) => boolean} [ofCase] whether it is one of a case's forms; of all by default
 * @typedef {object} Peer
 * @property {string} name
 * @property {"ours" | "wasm" | "native"} kind
 * @property {string} module that makes it ready
 * @property {string} package that its version is read from; wasmograd's is the repository's own
 * @property {boolean} inPage whether it runs in a browser
 * @property {readonly Variant[]} variants
 */

const isConvolution = ({ kind }) => kind !== "attention";

/**
 * onnxruntime's operator for a whole layer, which has all three projections in one matrix.
 * @type {Variant}
 */
const FUSED_ATTENTION = {
  name: "fused",
  dtype: "f32",
  model: "fused.onnx",
  note: "by com.microsoft.Attention",
  ofCase: ({ kind, k, v }) => kind === "attention" && k === "k" && v === "v",
};

/** @type {readonly Peer[]} */
export const PEERS = [
  {
    name: "wasmograd",
    kind: "ours",
    module: "./contestants/wasmograd.mjs",
    package: "wasmograd",
    inPage: true,
    variants: [
      { name: "auto", dtype: "int8" },
      {
        name: "float ends",
        dtype: "int8",
        note: "quantises its f32 input and dequantises its output, as LiteRT.js does",
      },
      { name: "auto", dtype: "f32", note: "direct convolution" },
      {
        name: "winograd",
        dtype: "f32",
        note: "by name only: it rounds differently from direct convolution",
        ofCase: isConvolution,
      },
    ],
  },
  {
    name: "onnxruntime-web",
    kind: "wasm",
    module: "./contestants/onnxruntime.mjs",
    package: "onnxruntime-web",
    inPage: true,
    variants: [
      { name: "QLinear", dtype: "int8", model: "int8.qlinear.onnx", ofCase: isConvolution },
      { name: "QDQ", dtype: "int8", model: "int8.qdq.onnx" },
      { name: "f32", dtype: "f32", model: "f32.onnx" },
      FUSED_ATTENTION,
    ],
  },
  {
    name: "LiteRT.js",
    kind: "wasm",
    module: "./contestants/litert.mjs",
    package: "@litertjs/core",
    inPage: true,
    variants: [
      { name: "float ends", dtype: "int8", model: "int8.tflite", note: "its JavaScript tensors cannot hold int8" },
      { name: "f32", dtype: "f32", model: "f32.tflite" },
    ],
  },
  {
    name: "tfjs-wasm",
    kind: "wasm",
    module: "./contestants/tfjs.mjs",
    package: "@tensorflow/tfjs-backend-wasm",
    inPage: true,
    variants: [{ name: "f32", dtype: "f32", note: "it has no int8 convolution" }],
  },
  {
    name: "onnxruntime-node",
    kind: "native",
    module: "./contestants/onnxruntime.mjs",
    package: "onnxruntime-node",
    inPage: false,
    variants: [
      { name: "QDQ", dtype: "int8", model: "int8.qdq.onnx" },
      { name: "f32", dtype: "f32", model: "f32.onnx" },
      FUSED_ATTENTION,
    ],
  },
];

/** @returns {Peer} */
export function peerNamed(name) {
  const found = PEERS.find((peer) => peer.name === name);
  if (!found) throw new Error(`peer: expected one of ${PEERS.map((peer) => peer.name).join(", ")}, got ${name}`);
  return found;
}
