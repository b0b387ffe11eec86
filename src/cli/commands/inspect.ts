import { readFile } from "node:fs/promises";
import { WasmogradError } from "../../errors.ts";
import { type Choice, chooseS8 } from "../../kernels/convolution/choice.ts";
import { buildModel, modelIds } from "../../models/registry.ts";
import { countNetwork } from "../../network/counts.ts";
import type { Network, Shape } from "../../network/description.ts";
import { collapseNetwork } from "../../network/passes/collapse.ts";
import { halo } from "../../network/receptive-field.ts";
import { validate } from "../../network/validate.ts";
import type { Command } from "../command.ts";
import { choiceOption, scaleOption, sizeOption, UsageError } from "../options.ts";
import { grouped, table } from "../terminal.ts";

/** Input that gives a 1280x720 result, for which the SESR paper counts. */
function defaultInput(scale: number): readonly [number, number] {
  return [720 / scale, 1280 / scale];
}

/** A built-in network by id, or a description from a JSON file. */
async function load(name: string, scale: 2 | 4, form: "collapsed" | "expanded"): Promise<Network> {
  if (!name.toLowerCase().endsWith(".json")) return buildModel(name, { scale, form });
  let text: string;
  try {
    text = await readFile(name, "utf8");
  } catch (cause) {
    throw new WasmogradError("ERR_IO", `${name}: cannot be read`, { cause });
  }
  let description: unknown;
  try {
    description = JSON.parse(text);
  } catch (cause) {
    throw new WasmogradError("ERR_FORMAT", `${name}: expected JSON: ${(cause as Error).message}`, { cause });
  }
  return validate(description as Network);
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
    chosen.set(layer.name, chooseS8("auto", { kh, kw, stride: layer.stride, ic, oc: layer.channels }));
  }
  return chosen;
}

export const command: Command = {
  spec: {
    name: "inspect",
    positionals: ["MODEL"],
    summary: `Counts parameters and multiply-accumulates of a network, layer by layer.\nMODEL: ${modelIds().join(", ")}, or a description as FILE.json`,
    options: {
      scale: { type: "string", value: "2|4", help: "upscaling factor, 2 by default" },
      input: { type: "string", value: "HxW", help: "input size; by default what comes out at 1280x720" },
      form: { type: "string", value: "FORM", help: "collapsed (default) or expanded, as it trains" },
    },
  },

  async run(parsed) {
    const [name] = parsed.positionals as [string];
    const scale = scaleOption(parsed);
    const ignored = ["scale", "form"].filter((option) => parsed.text(option) !== undefined);
    if (name.toLowerCase().endsWith(".json") && ignored.length > 0) {
      throw new UsageError(`--${ignored[0]}: expected with a built-in network only, not with a description`);
    }
    const form = choiceOption(parsed, "form", ["collapsed", "expanded"], "collapsed");
    const network = await load(name, scale, form);
    const input = sizeOption(parsed, "input") ?? defaultInput(scale);
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
    const report = {
      model: network.name,
      input,
      params,
      weights,
      macs,
      activations,
      receptiveField: receptiveField(network),
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
        `MACs ${grouped(macs)}, activations ${grouped(activations)}, receptive field ${report.receptiveField ?? "unbounded"}\n`,
    );
  },
};
