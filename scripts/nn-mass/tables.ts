/** The computed tables of docs/ran.md. */

import { TEMPLATE, VARIANTS } from "../../src/models/convnext-sizes.ts";
import type { JacobianPoint } from "../../src/ran/jacobian.ts";
import { measure } from "../../src/ran/ran-i.ts";
import { IMAGENET_INPUT, scaleBy, scaleTo } from "../../src/ran/scale.ts";
import { type Blocks, table } from "../documents.ts";
import { correlations, DEPTHS, SKIPS, WIDTHS } from "./study.ts";

const grouped = (x: number): string => x.toLocaleString("en-US");

function variants(): string {
  return table(
    ["network", "width x", "depth x", "blocks", "channels", "parameters", "MACs at 224x224", "NN-Mass", "GELU units"],
    VARIANTS.map((variant) => {
      const { params, macs, nnMass, geluUnits } = measure(variant, IMAGENET_INPUT);
      const { width = "", depth = "" } = variant.multipliers ?? {};
      const counts = [params, macs, nnMass, geluUnits].map(grouped);
      return [
        variant.title,
        String(width),
        String(depth),
        variant.depths.join(", "),
        variant.dims.join(", "),
        ...counts,
      ];
    }),
  );
}

function ratios(): string {
  return table(
    ["network", "depth x width", "NN-Mass", "depth x width^2", "MACs", "parameters"],
    VARIANTS.filter(({ multipliers }) => multipliers !== undefined).map(({ title, multipliers }) => {
      const { width, depth } = multipliers!;
      const found = scaleBy(multipliers!).ratios;
      const cells = [depth * width, found.nnMass, depth * width ** 2, found.macs, found.params];
      return [title, ...cells.map((x) => x.toFixed(5))];
    }),
  );
}

/** What the search gives for the cost and mass of each named network, beside the rule. */
function recovered(): string {
  const template = measure(TEMPLATE, IMAGENET_INPUT);
  return table(
    ["budget and mass of", "by the rule: width, depth", "found: blocks", "channels", "NN-Mass", "MACs of the budget"],
    VARIANTS.map((variant) => {
      const target = measure(variant, IMAGENET_INPUT);
      const found = scaleTo(target);
      const { width, depth } = found.estimate;
      const same = found.depths.join() === variant.depths.join() && found.dims.join() === variant.dims.join();
      return [
        variant.title,
        `${width.toFixed(4)}, ${depth.toFixed(4)}`,
        same ? `the same, ${found.depths.join(", ")}` : found.depths.join(", "),
        found.dims.join(", "),
        `${grouped(found.nnMass)} (${(found.nnMass / template.nnMass).toFixed(3)}x)`,
        `${((100 * found.macs) / target.macs).toFixed(1)} %`,
      ];
    }),
  );
}

function points(study: readonly JacobianPoint[]): string {
  const at = (width: number, depth: number, maxSkips: number): JacobianPoint =>
    study.find((p) => p.width === width && p.depth === depth && p.maxSkips === maxSkips)!;
  return table(
    ["width", "depth", ...SKIPS.map((skips) => (skips === 0 ? "no skips" : `up to ${skips} width`))],
    WIDTHS.flatMap((width) =>
      DEPTHS.map((depth) => [
        String(width),
        String(depth),
        ...SKIPS.map((skips) => {
          const { nnMass, meanSingularValue } = at(width, depth, skips * width);
          return `${nnMass.toFixed(1)}: ${meanSingularValue.toFixed(3)}`;
        }),
      ]),
    ),
  );
}

function found(study: readonly JacobianPoint[]): string {
  return table(
    ["width", "NN-Mass", "weights", "NN-Mass, of ranks", "weights, of ranks"],
    correlations(study).map(({ width, mass, params, massRanks, paramsRanks }) => [
      width === undefined ? "all three" : String(width),
      ...[mass, params, massRanks, paramsRanks].map((r) => r.toFixed(2)),
    ]),
  );
}

export function blocks(study: readonly JacobianPoint[]): Blocks {
  return new Map([
    ["ran-i-networks", variants()],
    ["ran-i-ratios", ratios()],
    ["ran-i-recovered", recovered()],
    ["nn-mass-points", points(study)],
    ["nn-mass-correlations", found(study)],
  ]);
}
