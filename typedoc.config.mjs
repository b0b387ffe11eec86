/** The API reference: `npm run docs` writes it to docs/api/, `npm run docs:check` fails on what is missing. */
import { readFileSync } from "node:fs";

/** What tells the members of a union apart needs no words: the type is all there is to say. */
const layers = [...readFileSync("src/network/description.ts", "utf8").matchAll(/^export interface (\w+Layer) /gm)];
const tags = [
  ...layers.map(([, name]) => `${name}.op`),
  ...["Cpu", "EthosN", "EthosU", "PlainActivation", "Systolic"].map((name) => `${name}.kind`),
];

/** Fields of objects within a type, which the comment of the type or of the field around them explains together. */
const explained = Object.entries({
  "ActivationLayer.affine": ["offset", "scale"],
  Activation: ["amount", "kind", "of", "slope"],
  "Counter.samples": ["cycle", "value"],
  "Cpu.peak": ["f32", "int8"],
  "EthosUCore.activationCycles": ["clamp", "none", "table"],
  "EthosUCore.granules": ["accumulator32", "accumulator40", "input16", "input8"],
  "EthosUCore.stepDelay": ["accumulator32", "accumulator40"],
  "EthosUSystem.second": ["area"],
  gaugeFix: ["model", "report"],
  "LinearBlockLayer.expand": ["bias", "weights"],
  "LinearBlockLayer.project": ["bias", "weights"],
  Operation: ["a", "b", "by", "op", "to"],
  SafeTensor: ["data", "dtype", "shape"],
  shippedModels: ["model", "scale"],
  "SizedOperation.filter": ["values"],
  "Structure.pairs": ["conjugate"],
  "Systolic.sram": ["filterBytes", "inputBytes", "outputBytes"],
  TraceEvent: ["args", "cat", "dur", "name", "ph", "pid", "tid", "ts"],
}).flatMap(([owner, fields]) => fields.map((field) => `${owner}.__type.${field}`));

/** @type {Partial<import("typedoc").TypeDocOptions>} */
export default {
  name: "wasmograd",
  entryPoints: [
    "src/index.ts",
    ...["kernels", "winograd", "models", "timing", "image", "wasm"].map((name) => `src/entries/${name}.ts`),
    "src/upscale/serve-upscaler.ts",
    "src/node/index.ts",
  ],
  tsconfig: "tsconfig.build.json",
  out: "docs/api",
  readme: "none",
  includeVersion: true,
  hideGenerator: true,
  disableSources: true,
  excludeInternal: true,
  excludePrivate: true,
  excludeExternals: true,
  // `npm run types` looks for errors.
  skipErrorChecking: true,
  treatWarningsAsErrors: true,
  treatValidationWarningsAsErrors: true,
  validation: { notExported: true, invalidLink: true, invalidPath: true, rewrittenLink: true, notDocumented: true },
  requiredToBeDocumented: [
    "Module",
    "Variable",
    "Function",
    "Class",
    "Interface",
    "Property",
    "Method",
    "Accessor",
    "TypeAlias",
  ],
  intentionallyNotDocumented: [
    ...[...tags, ...explained].map((name) => `wasmograd.${name}`),
    "wasmograd/node.imageSize.__type.format",
  ],
};
