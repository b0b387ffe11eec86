/**
 * What is timed, in suites that have a results' file each. The entries of a case take turns, so that each pair of them may be compared.
 * @typedef {object} Entry
 * @property {string} name
 * @property {"wasmograd" | "onnxruntime-web"} library
 * @property {"network" | "detector"} kind
 * @property {string} id of the network, or of the detector's backbone
 * @property {"f32" | "int8"} dtype
 * @property {string} [attention] member of the family of compact attentions; the network's own by default
 * @typedef {object} Case
 * @property {string} name
 * @property {"convolutions" | "transformers"} suite
 * @property {readonly Entry[]} entries
 * @property {boolean} [slow] a run takes seconds: it is warm after the first, and fewer rounds do
 * @property {readonly (readonly [string, string])[]} pairs entries whose ratio is reported: the first's time over the second's
 */

export const SUITES = /** @type {const} */ (["convolutions", "transformers"]);

/** @returns {Entry} */
const ours = (id, dtype) => ({ name: `${id} ${dtype}`, library: "wasmograd", kind: "network", id, dtype });

/** @returns {Entry} */
const ort = (id, dtype) => ({
  name: `${id} ${dtype} onnxruntime-web`,
  library: "onnxruntime-web",
  kind: "network",
  id,
  dtype,
});

/** @returns {Entry} */
const detector = (id) => ({ name: `${id}-detector f32`, library: "wasmograd", kind: "detector", id, dtype: "f32" });

/** DeiT-Ti with fewer projections. @returns {Entry} */
const compact = (attention) => ({ ...ours("deit-ti", "f32"), name: `deit-ti ${attention} f32`, attention });

/** By how many projections a block has: 3, 2 and 2 of d x d. */
const COMPACT = ["shared-kv", "lean", "single"];

const MOBILE = [
  "efficientnet-lite0",
  "efficientnet-lite0-hswish",
  "ran-e-gt",
  "ran-e-c",
  "mobilenet-v2",
  "repvgg-a0",
  "resnet18",
];
const BASELINES = MOBILE.slice(0, 2);

const mobile = (dtype) => ({
  name: `RAN-e and others, ${dtype}, 224x224`,
  suite: "convolutions",
  entries: [...MOBILE.map((id) => ours(id, dtype)), ort("efficientnet-lite0", dtype)],
  pairs: [
    ...["ran-e-gt", "ran-e-c"].flatMap((id) => BASELINES.map((base) => [`${id} ${dtype}`, `${base} ${dtype}`])),
    ...MOBILE.slice(4).map((id) => [`${id} ${dtype}`, `efficientnet-lite0 ${dtype}`]),
    [`efficientnet-lite0 ${dtype} onnxruntime-web`, `efficientnet-lite0 ${dtype}`],
  ],
});

/** @type {readonly Case[]} */
export const CASES = [
  {
    name: "RAN-i and ConvNeXt, f32, 224x224",
    suite: "convolutions",
    entries: [
      ...["convnext-t", "convnext-s", "convnext-b", "ran-i-t", "ran-i-s", "ran-i-b"].map((id) => ours(id, "f32")),
      ort("convnext-t", "f32"),
    ],
    pairs: [
      ["ran-i-t f32", "convnext-t f32"],
      ["ran-i-s f32", "convnext-t f32"],
      ["ran-i-s f32", "convnext-s f32"],
      ["ran-i-b f32", "convnext-s f32"],
      ["ran-i-b f32", "convnext-b f32"],
      ["convnext-t f32 onnxruntime-web", "convnext-t f32"],
    ],
  },
  mobile("int8"),
  mobile("f32"),
  {
    name: "Detectors, f32, one picture of 640x480",
    suite: "convolutions",
    slow: true,
    entries: ["ran-i-s", "convnext-t", "convnext-s"].map(detector),
    pairs: [
      ["ran-i-s-detector f32", "convnext-t-detector f32"],
      ["ran-i-s-detector f32", "convnext-s-detector f32"],
    ],
  },
  {
    name: "DeiT-Ti with 4, 3 and 2 projections, f32, 224x224",
    suite: "transformers",
    entries: [ours("deit-ti", "f32"), ...COMPACT.map(compact), ort("deit-ti", "f32")],
    pairs: [
      ...COMPACT.map((attention) => [`deit-ti ${attention} f32`, "deit-ti f32"]),
      ["deit-ti f32 onnxruntime-web", "deit-ti f32"],
    ],
  },
];
