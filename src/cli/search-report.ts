/** What `wasmograd search` says of networks: tables of a few of them, and JSON of all. */
import type { CostUnit } from "../ran/block-costs.ts";
import type { PricedNetwork } from "../ran/search.ts";
import { type LaidOutSpace, rowsFrom } from "../ran/search-space.ts";
import { grouped, table } from "./terminal.ts";

const ROWS = 16;

export function costText(cost: number, unit: CostUnit): string {
  return unit === "ms" ? cost.toFixed(3) : grouped(Math.round(cost));
}

/** At most `count` networks of a front, as evenly over the units as there are some, its ends among them. */
export function thinned(front: readonly PricedNetwork[], count = ROWS): readonly PricedNetwork[] {
  if (front.length <= count) return front;
  const [first, last] = [front[0]!.units, front.at(-1)!.units];
  const picked = Array.from({ length: count }, (_, i) => {
    const wanted = first + ((last - first) * i) / (count - 1);
    return front.reduce((a, b) => (Math.abs(b.units - wanted) < Math.abs(a.units - wanted) ? b : a));
  });
  return [...new Set(picked)];
}

/** How many blocks are collapsed: "12 of 16". */
export function collapsedText({ blocks }: PricedNetwork): string {
  return `${blocks.filter((block) => block === "collapsed").length} of ${blocks.length}`;
}

export function numbers(network: PricedNetwork, unit: CostUnit): string[] {
  const { cost, units, params, macs } = network;
  return [costText(cost, unit), ...[units, params, macs].map(grouped), collapsedText(network)];
}

export const NUMBERS = (unit: CostUnit): string[] => [unit, "units", "parameters", "MACs", "collapsed"];

/** Rows as people read them. */
export function rowsText({ rows }: LaidOutSpace, { blocks }: PricedNetwork): string {
  return table(
    ["row", "channels", "stride", "blocks"],
    rowsFrom(rows, blocks).map((row, i) => [
      String(i),
      String(row.channels),
      String(row.stride),
      `  ${row.blocks.join(", ")}`,
    ]),
    { lastLeft: true },
  );
}

/** A network in JSON; cost in the unit that the report names. */
export function networkJson({ rows }: LaidOutSpace, { cost, params, macs, units, blocks }: PricedNetwork): object {
  return { cost, params, macs, units, rows: rowsFrom(rows, blocks) };
}
