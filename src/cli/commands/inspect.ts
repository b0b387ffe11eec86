import { attentionNotes } from "../../attention/family.ts";
import { backboneOf } from "../../detector/networks.ts";
import { WasmogradError } from "../../errors.ts";
import { type Choice, chooseS8 } from "../../kernels/convolution/choice.ts";
import { modelIds } from "../../models/registry.ts";
import { type AttentionCosts, networkAttentionCosts } from "../../network/attention-costs.ts";
import { countNetwork } from "../../network/counts.ts";
import type { Network, Shape } from "../../network/description.ts";
import { nonLinearUnits } from "../../network/non-linear-units.ts";
import { collapseNetwork } from "../../network/passes/collapse.ts";
import { halo } from "../../network/receptive-field.ts";
import { FINE, QMAX, QMIN, type QuantizationParams } from "../../quantization/requantize.ts";
import { shippedInt8 } from "../../upscale/create-network.ts";
import { attentionOption } from "../attention-option.ts";
import type { Command } from "../command.ts";
import { DETECTOR_IDS, detectorCounts } from "../detector-counts.ts";
import { type Parsed, sizeOption, UsageError } from "../options.ts";
import { loadSubject, modelOptions, SUBJECT_OPTIONS } from "../subject.ts";
import { grouped, table } from "../terminal.ts";

/** Real values that a layer's output has in int8: min to max in steps of `scale`. */
interface Int8Range {
  readonly min: number;
  readonly max: number;
  readonly scale: number;
  readonly zeroPoint: number;
  /** Into how many parts steps are divided where convolutions read the tensor in two parts. */
  readonly parts?: number;
}

/** Receptive field in input pixels, or null where it is not bounded by a fixed margin. */
function receptiveField(network: Network): number | null {
  try {
    const { left, right } = halo(network);
    return left + right + 1;
  } catch (error) {
    if (error instanceof WasmogradError && error.code === "ERR_UNSUPPORTED") return null;
    throw error;
  }
}

/** What "auto" takes for each convolution of the collapsed network in int8, judged without weights: by the worst case over all. */
function choices(network: Network, shapes: ReadonlyMap<string, Shape>): ReadonlyMap<string, Choice> {
  const chosen = new Map<string, Choice>();
  for (const layer of collapseNetwork(network).layers) {
    if (layer.op !== "conv2d") continue;
    const [kh, kw] = layer.kernel;
    const ic = shapes.get(layer.input)![2];
    const { stride, channels: oc, depthwise = false } = layer;
    chosen.set(layer.name, chooseS8("auto", { kh, kw, stride, ic, oc, depthwise }));
  }
  return chosen;
}

/** Range, step and zero point of each tensor of the int8 network that ships for a model, by the name of the layer that computes it. */
async function shippedRanges(id: string, scale: number | undefined): Promise<ReadonlyMap<string, Int8Range>> {
  const shipped = await shippedInt8(id, scale ?? 2);
  const tensors = shipped?.tensors ?? new Map<string, QuantizationParams>();
  const split = new Set(shipped?.network.layers.flatMap((layer) => (layer.op === "split" ? [layer.input] : [])));
  return new Map(
    [...tensors].map(([name, { scale: step, zeroPoint }]) => {
      const range = { min: step * (QMIN - zeroPoint), max: step * (QMAX - zeroPoint), scale: step, zeroPoint };
      return [name, split.has(name) ? { ...range, parts: FINE } : range] as const;
    }),
  );
}

/** Scores and the map's product with the values, which the MACs have in full. */
function attentionLine({ scores, distinctScores, apply, exponentials }: AttentionCosts): string {
  const distinct = distinctScores === scores ? "" : ` (${grouped(distinctScores)} distinct)`;
  return `attention: of the MACs scores ${grouped(scores)}${distinct}, values ${grouped(apply)}; exponentials ${grouped(exponentials)}\n`;
}

/** What is allowed but rarely meant in the attention that was asked for, once for all layers. */
function notesOn(parsed: Parsed, network: Network): string[] {
  const spec = attentionOption(parsed);
  const heads = network.layers.flatMap((layer) => (layer.op === "attention" ? [layer.heads] : []));
  return spec ? attentionNotes(spec, Math.max(...heads)) : [];
}

const rangeText = ({ min, max, parts }: Int8Range): string =>
  `${min.toFixed(3)} to ${max.toFixed(3)}${parts === undefined ? "" : ` in 1/${parts} steps`}`;

export const command: Command = {
  spec: {
    name: "inspect",
    positionals: ["MODEL"],
    summary: `Counts parameters and multiply-accumulates of a network, layer by layer; of a detector part by part.\nMODEL: ${[...modelIds(), ...DETECTOR_IDS].join(", ")}, or a description as FILE.json`,
    options: SUBJECT_OPTIONS,
  },

  async run(parsed) {
    const [name] = parsed.positionals as [string];
    const backbone = backboneOf(name);
    if (backbone !== undefined) {
      const surplus = ["scale", "form", "attention"].find((option) => parsed.text(option) !== undefined);
      if (surplus !== undefined) throw new UsageError(`--${surplus}: expected none, as ${name} has one only`);
      process.stdout.write(detectorCounts(name, backbone, sizeOption(parsed, "input"), parsed.flag("json")));
      return;
    }
    const options = modelOptions(parsed, name);
    const { network, nnMass, ...subject } = await loadSubject(name, options);
    const input = sizeOption(parsed, "input") ?? subject.input;
    const counts = countNetwork(network, input);
    const shapes = new Map(counts.layers.map((layer) => [layer.name, layer.shape]));
    const chosen = choices(network, shapes);
    const ranges = await shippedRanges(name, options.scale);
    const layers = counts.layers.map((layer) => ({
      name: layer.name,
      op: layer.op,
      shape: layer.shape,
      params: layer.params,
      weights: layer.weights,
      macs: layer.macs,
      activations: layer.activations,
      ...chosen.get(layer.name),
      ...(ranges.has(layer.name) && { int8: ranges.get(layer.name) }),
    }));
    const { params, weights, macs, activations } = counts;
    const attention = networkAttentionCosts(network, input);
    const notes = notesOn(parsed, network);
    const report = {
      model: network.name,
      input,
      params,
      weights,
      macs,
      activations,
      nnMass,
      nonLinearUnits: nonLinearUnits(network, input),
      receptiveField: receptiveField(network),
      ...(attention && { attention }),
      ...(notes.length > 0 && { notes }),
      layers,
    };
    if (parsed.flag("json")) {
      process.stdout.write(`${JSON.stringify(report)}\n`);
      return;
    }
    const rows = layers.map((layer) => [
      layer.name,
      layer.op,
      layer.shape.join("x"),
      grouped(layer.params),
      grouped(layer.macs),
      layer.algorithm ?? "",
      ...(ranges.size > 0 ? [layer.int8 ? rangeText(layer.int8) : ""] : []),
      layer.reason ?? "",
    ]);
    const header = ["layer", "operator", "output", "parameters", "MACs", "int8 algorithm"];
    if (ranges.size > 0) header.push("int8 range");
    process.stdout.write(
      `${network.name} on ${input.join("x")}\n\n` +
        table([...header, "because"], rows, { lastLeft: true }) +
        `\nparameters ${grouped(params)}, of them weights ${grouped(weights)}\n` +
        `MACs ${grouped(macs)}, activations ${grouped(activations)}, receptive field ${report.receptiveField ?? "unbounded"}\n` +
        `non-linear units ${grouped(report.nonLinearUnits)}, NN-Mass ${nnMass === null ? "not defined" : grouped(nnMass)}\n` +
        (attention ? attentionLine(attention) : "") +
        notes.map((note) => `note: ${note}\n`).join(""),
    );
  },
};
