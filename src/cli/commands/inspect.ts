import { compactAttention } from "../../attention/compact.ts";
import { attentionNotes } from "../../attention/family.ts";
import { backboneOf } from "../../detector/networks.ts";
import { WasmogradError } from "../../errors.ts";
import { type Choice, chooseS8 } from "../../kernels/convolution/choice.ts";
import type { InputSize, ModelOptions } from "../../models/family.ts";
import { buildModel, familyOf, modelIds, modelInfo } from "../../models/registry.ts";
import { type AttentionCosts, networkAttentionCosts } from "../../network/attention-costs.ts";
import { countNetwork } from "../../network/counts.ts";
import type { Network, Shape } from "../../network/description.ts";
import { nonLinearUnits } from "../../network/non-linear-units.ts";
import { collapseNetwork } from "../../network/passes/collapse.ts";
import { halo } from "../../network/receptive-field.ts";
import { ATTENTION_OPTION, attentionOption } from "../attention-option.ts";
import type { Command } from "../command.ts";
import { DETECTOR_IDS, detectorCounts } from "../detector-counts.ts";
import { isNetworkFile, readNetwork } from "../network-file.ts";
import { choiceOption, type Parsed, sizeOption, UsageError } from "../options.ts";
import { grouped, table } from "../terminal.ts";

interface Subject {
  readonly network: Network;
  /** The default. */
  readonly input: InputSize;
  readonly nnMass: number | null;
}

/** Of networks whose authors are not known. */
const DESCRIPTION_INPUT: InputSize = [360, 640];

/** What --scale, --form and --attention say, within what the network has. @throws UsageError, WasmogradError ERR_ARGUMENT on an unknown id */
function modelOptions(parsed: Parsed, name: string): ModelOptions {
  const given = (["scale", "form"] as const).filter((option) => parsed.text(option) !== undefined);
  const attention = attentionOption(parsed);
  if (isNetworkFile(name)) {
    if (given.length > 0)
      throw new UsageError(`--${given[0]}: expected with a built-in network only, not with a description`);
    return { ...(attention && { attention }) };
  }
  const { scales, forms, hasAttention } = familyOf(name);
  if (attention && !hasAttention) throw new UsageError(`--attention: expected none, as ${name} has no attention`);
  const missing = given.find((option) => (option === "scale" ? scales : forms) === undefined);
  if (missing !== undefined) throw new UsageError(`--${missing}: expected none, as ${name} has one only`);
  return {
    ...(attention && { attention }),
    ...(scales && { scale: Number(choiceOption(parsed, "scale", scales.map(String), "2")) as 2 | 3 | 4 }),
    ...(forms && { form: choiceOption(parsed, "form", forms, forms[0]!) }),
  };
}

/** A built-in network by id, or a description from a file. */
async function load(name: string, options: ModelOptions): Promise<Subject> {
  if (isNetworkFile(name)) {
    const network = await readNetwork(name);
    const { attention } = options;
    return {
      network: attention ? compactAttention(network, attention) : network,
      input: DESCRIPTION_INPUT,
      nnMass: null,
    };
  }
  return { network: buildModel(name, options), ...modelInfo(name, options) };
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

export const command: Command = {
  spec: {
    name: "inspect",
    positionals: ["MODEL"],
    summary: `Counts parameters and multiply-accumulates of a network, layer by layer; of a detector part by part.\nMODEL: ${[...modelIds(), ...DETECTOR_IDS].join(", ")}, or a description as FILE.json`,
    options: {
      scale: { type: "string", value: "N", help: "upscaling factor of SESR and FSRCNN, 2 by default" },
      input: {
        type: "string",
        value: "HxW",
        help: "input size; by default 224x224, of CIFAR networks 32x32, of upscaling ones what comes out at 1280x720, of detectors 800x1088",
      },
      form: {
        type: "string",
        value: "FORM",
        help: "SESR: collapsed (default) or expanded; RepVGG: deployed (default) or train",
      },
      attention: ATTENTION_OPTION,
    },
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
    const { network, nnMass, ...subject } = await load(name, options);
    const input = sizeOption(parsed, "input") ?? subject.input;
    const counts = countNetwork(network, input);
    const shapes = new Map(counts.layers.map((layer) => [layer.name, layer.shape]));
    const chosen = choices(network, shapes);
    const layers = counts.layers.map((layer) => ({
      name: layer.name,
      op: layer.op,
      shape: layer.shape,
      params: layer.params,
      weights: layer.weights,
      macs: layer.macs,
      activations: layer.activations,
      ...chosen.get(layer.name),
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
      layer.reason ?? "",
    ]);
    process.stdout.write(
      `${network.name} on ${input.join("x")}\n\n` +
        table(["layer", "operator", "output", "parameters", "MACs", "int8 algorithm", "because"], rows, {
          lastLeft: true,
        }) +
        `\nparameters ${grouped(params)}, of them weights ${grouped(weights)}\n` +
        `MACs ${grouped(macs)}, activations ${grouped(activations)}, receptive field ${report.receptiveField ?? "unbounded"}\n` +
        `non-linear units ${grouped(report.nonLinearUnits)}, NN-Mass ${nnMass === null ? "not defined" : grouped(nnMass)}\n` +
        (attention ? attentionLine(attention) : "") +
        notes.map((note) => `note: ${note}\n`).join(""),
    );
  },
};
