import { rm } from "node:fs/promises";
import { resolve } from "node:path";
import type { GaugeReport } from "../../attention/gauge-fix.ts";
import { compile } from "../../engine/compile.ts";
import { check } from "../../errors.ts";
import { loadWeights, saveWeights } from "../../formats/weights-file.ts";
import { countNetwork } from "../../network/counts.ts";
import type { FeatureMap, Model } from "../../network/description.ts";
import { inferShapes } from "../../network/shapes.ts";
import { checkDestination, writeWhole } from "../../node/files.ts";
import { randomSource } from "../../random.ts";
import { ATTENTION_OPTION } from "../attention-option.ts";
import type { Command } from "../command.ts";
import { readBytes } from "../input-files.ts";
import { isNetworkFile } from "../network-file.ts";
import { type Parsed, sizeOption, UsageError } from "../options.ts";
import { loadSubject, modelOptions } from "../subject.ts";
import { grouped, pause, table } from "../terminal.ts";
import { TRANSFORMATION_NAMES, transform, transformationsOf } from "../transformations.ts";

const WEIGHTS_FILE = /\.safetensors$/i;
/** Of the largest output: what rounding may do to outputs, beyond which a result is not written. */
const MOST_DIFFERENCE = 1e-3;
/** Of descriptions, whose authors are not known. */
const DESCRIPTION_INPUT = [224, 224] as const;

function required(parsed: Parsed, option: string, expected: string): string {
  const text = parsed.text(option);
  if (text === undefined) throw new UsageError(`--${option}: expected ${expected}, got none`);
  return text;
}

async function outputs(model: Model, input: FeatureMap<Float32Array>): Promise<Float32Array> {
  const compiled = await compile(model);
  try {
    return compiled.run(input).data.slice();
  } finally {
    compiled.dispose();
  }
}

/** Largest difference of the f32 outputs for one random input, relative to the largest output. */
async function difference(before: Model, after: Model, input: FeatureMap<Float32Array>): Promise<number> {
  const [a, b] = [await outputs(before, input), await outputs(after, input)];
  const size = a.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
  const apart = a.reduce((most, x, i) => Math.max(most, Math.abs(x - b[i]!)), 0);
  return apart === 0 ? 0 : apart / size;
}

function randomInput(model: Model, size: readonly [number, number]): FeatureMap<Float32Array> {
  const { layers } = model.network;
  const { name } = layers.find(({ op }) => op === "input")!;
  const shape = inferShapes(model.network, size).get(name)!;
  const source = randomSource(1);
  return { shape, data: Float32Array.from({ length: shape[0] * shape[1] * shape[2] }, () => 2 * source.uniform() - 1) };
}

/** Both files or none. */
async function write(out: string, description: string, { network, weights }: Model): Promise<void> {
  await writeWhole(out, saveWeights(weights));
  try {
    await writeWhole(description, new TextEncoder().encode(`${JSON.stringify(network)}\n`));
  } catch (error) {
    await rm(out, { force: true });
    throw error;
  }
}

/** One row a projection. */
function gaugeTable(gauge: readonly GaugeReport[]): string {
  if (gauge.length === 0) return "";
  const projections = [...new Set(gauge.map(({ projection }) => projection))];
  const rows = projections.map((projection) => {
    const conditions = gauge.flatMap((head) => (head.projection === projection ? [head.condition] : []));
    const shown = [Math.min(...conditions), Math.max(...conditions)].map((x) => x.toPrecision(3));
    return [projection, String(conditions.length), ...shown];
  });
  return `gauge fixing: condition of the blocks that became the identity, by which rounding may grow\n${table(["projection", "heads", "least", "most"], rows)}\n`;
}

export const command: Command = {
  spec: {
    name: "compact",
    positionals: ["MODEL"],
    summary:
      "Makes attention in a trained network smaller without changing what it computes (docs/compact-attention.md).\n" +
      "MODEL: a network with attention, see wasmograd models, or a description as FILE.json. Writes the weights, and beside them the description\n" +
      "that they belong to, as FILE.json.",
    options: {
      weights: { type: "string", value: "FILE", help: "its weights, safetensors by the names of PyTorch or timm" },
      apply: { type: "string", value: "LIST", help: `in this order, some of ${TRANSFORMATION_NAMES.join(", ")}` },
      out: { type: "string", value: "FILE", help: "where the weights go, FILE.safetensors" },
      input: { type: "string", value: "HxW", help: "input size of the counts and the comparison, 224x224 by default" },
      attention: ATTENTION_OPTION,
    },
  },

  async run(parsed, signal) {
    const [name] = parsed.positionals as [string];
    const file = required(parsed, "weights", "a safetensors file");
    const applied = transformationsOf(required(parsed, "apply", `some of ${TRANSFORMATION_NAMES.join(", ")}`));
    const out = required(parsed, "out", "FILE.safetensors");
    if (!WEIGHTS_FILE.test(out)) throw new UsageError(`--out: expected FILE.safetensors, got ${out}`);
    if (resolve(out) === resolve(file)) throw new UsageError("--out: expected another file than that of --weights");
    const description = out.replace(WEIGHTS_FILE, ".json");
    if (isNetworkFile(name) && resolve(description) === resolve(name)) {
      throw new UsageError(`--out: expected another name, as the description would replace ${name}`);
    }
    const { network, ...subject } = await loadSubject(name, modelOptions(parsed, name));
    if (!network.layers.some(({ op }) => op === "attention")) {
      throw new UsageError(`compact: expected a network with attention, got ${name} without`);
    }
    const input = sizeOption(parsed, "input") ?? (isNetworkFile(name) ? DESCRIPTION_INPUT : subject.input);
    const before = countNetwork(network, input);
    for (const path of [out, description]) await checkDestination(path);
    const model: Model = { network, weights: loadWeights(await readBytes(file), network) };
    await pause(signal);
    const { model: compact, gauge } = transform(model, applied);
    await pause(signal);
    const outputDifference = await difference(model, compact, randomInput(model, input));
    const largest = gauge.length === 0 ? null : Math.max(...gauge.map(({ condition }) => condition));
    check(outputDifference <= MOST_DIFFERENCE, "ERR_UNSUPPORTED", () => {
      const why = largest === null ? "" : `; the largest condition is ${largest.toPrecision(3)}`;
      return `${file}: expected outputs within ${MOST_DIFFERENCE} of the largest, got ${outputDifference.toExponential(1)}${why}`;
    });
    await pause(signal);
    await write(out, description, compact);

    const after = countNetwork(compact.network, input);
    const counts = (["params", "weights", "macs"] as const).map((key) => [key, before[key], after[key]] as const);
    if (parsed.flag("json")) {
      const report = {
        model: network.name,
        applied,
        input,
        ...Object.fromEntries(counts.map(([key, from, to]) => [key, { before: from, after: to }])),
        gauge,
        largestCondition: largest,
        outputDifference,
        out,
        description,
      };
      process.stdout.write(`${JSON.stringify(report)}\n`);
      return;
    }
    const titles = { params: "parameters", weights: "weights", macs: "MACs" };
    const rows = counts.map(([key, from, to]) => [
      titles[key],
      grouped(from),
      grouped(to),
      `${((100 * (to - from)) / from).toFixed(1)} %`,
    ]);
    process.stdout.write(
      `${network.name} on ${input.join("x")}: ${applied.join(", ")}\n\n` +
        `${table(["", "before", "after", ""], rows)}\n${gaugeTable(gauge)}` +
        `f32 outputs of a random input: ${outputDifference.toExponential(1)} of the largest apart\n` +
        `written: ${out}, ${description}\n`,
    );
  },
};
