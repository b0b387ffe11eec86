import { variantOf } from "../../ran/ran-i.ts";
import { type FittedNetwork, IMAGENET_INPUT, type ScaledNetwork, scaleBy, scaleTo } from "../../ran/scale.ts";
import type { Command } from "../command.ts";
import { inputOption, type Parsed, positiveOption, UsageError } from "../options.ts";
import { grouped, table } from "../terminal.ts";

const FAMILY = "ran-i";

/** Either what it may cost and shall express, or the multipliers. @throws UsageError, WasmogradError */
function network(parsed: Parsed): ScaledNetwork | FittedNetwork {
  const [macs, nnMass, width, depth] = (["macs", "mass", "width", "depth"] as const).map((name) =>
    positiveOption(parsed, name),
  );
  const input = inputOption(parsed, "input") ?? IMAGENET_INPUT;
  const multipliers = width !== undefined || depth !== undefined;
  if (macs !== undefined && nnMass !== undefined && !multipliers) return scaleTo({ macs, nnMass, input });
  if (width !== undefined && depth !== undefined && macs === undefined && nnMass === undefined) {
    return scaleBy({ width, depth }, input);
  }
  const given = ["macs", "mass", "width", "depth"].filter((name) => parsed.text(name) !== undefined);
  const came = given.length === 0 ? "none of them" : given.map((name) => `--${name}`).join(", ");
  throw new UsageError(`scale: expected --macs with --mass, or --width with --depth, got ${came}`);
}

const times = (ratio: number): string => `${ratio.toFixed(3)}x`;

export const command: Command = {
  spec: {
    name: "scale",
    positionals: ["FAMILY"],
    summary:
      "Chooses depth and width of a network of a family, without training.\n" +
      "FAMILY: ran-i, ConvNeXt-T with its depths and widths multiplied. With --macs and --mass: the network of the fewest blocks that has\n" +
      "at least this NN-Mass and takes at most these multiply-accumulates (how: docs/ran.md).\n" +
      "Numbers may end in k, M or G for thousands, millions and thousands of millions.",
    options: {
      macs: { type: "string", value: "N", help: "multiply-accumulates for a picture, at most, such as 3.3G" },
      mass: { type: "string", value: "N", help: "NN-Mass, at least, such as 14.7k; ConvNeXt-T has 13,248" },
      width: { type: "string", value: "X", help: "instead of these: width multiplier, such as 0.666" },
      depth: { type: "string", value: "X", help: "and depth multiplier, such as 1.65" },
      input: { type: "string", value: "N|HxW", help: "input size, 224 by default" },
    },
  },

  async run(parsed) {
    const [family] = parsed.positionals as [string];
    if (family !== FAMILY) throw new UsageError(`scale: expected the family ${FAMILY}, got ${family}`);
    const found = network(parsed);
    const named = variantOf(found);
    const { input, multipliers, depths, dims, params, macs, nnMass, geluUnits, ratios } = found;
    const estimate = "estimate" in found ? found.estimate : undefined;
    if (parsed.flag("json")) {
      const report = {
        family,
        model: named?.id ?? null,
        input,
        widthMultiplier: multipliers.width,
        depthMultiplier: multipliers.depth,
        ...(estimate && { estimate: { widthMultiplier: estimate.width, depthMultiplier: estimate.depth } }),
        depths,
        dims,
        params,
        macs,
        nnMass,
        geluUnits,
        relativeTo: "convnext-t",
        relative: ratios,
      };
      process.stdout.write(`${JSON.stringify(report)}\n`);
      return;
    }
    const rule = estimate
      ? ` (before rounding, by the rule: ${estimate.width.toFixed(4)} and ${estimate.depth.toFixed(4)})`
      : "";
    process.stdout.write(
      `${named?.title ?? "RAN-i"} on ${input.join("x")}: width ${multipliers.width}, depth ${multipliers.depth}${rule}\n\n` +
        table(
          ["stage", "blocks", "channels"],
          dims.map((channels, i) => [String(i + 1), String(depths[i]!), String(channels)]),
        ) +
        "\n" +
        table(
          ["", "", "over ConvNeXt-T"],
          [
            ["parameters", grouped(params), times(ratios.params)],
            ["MACs", grouped(macs), times(ratios.macs)],
            ["NN-Mass", grouped(nnMass), times(ratios.nnMass)],
            ["GELU units", grouped(geluUnits), ""],
          ],
        ),
    );
  },
};
