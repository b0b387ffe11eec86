/** RAN-e's part of docs/ran.md: its networks, and the search with costs that were measured once and are stored. */
import { readFileSync } from "node:fs";
import { frontChart } from "../../src/cli/front-chart.ts";
import { collapsedText, costText, thinned } from "../../src/cli/search-report.ts";
import { RAN_E_BLOCKS } from "../../src/models/ran-e-blocks.ts";
import { parseCosts } from "../../src/ran/block-costs.ts";
import { type PricedNetwork, priceNetwork, searchRanE } from "../../src/ran/search.ts";
import { layOutSpace, ranENetworks, rowsFrom, shapeAt } from "../../src/ran/search-space.ts";
import { absolute, type Blocks, table } from "../documents.ts";

export const COSTS = "docs/images/ran-e-costs.json";
export const FRONT = "docs/images/ran-e-front.svg";

const INPUT = [224, 224] as const;
const grouped = (x: number): string => x.toLocaleString("en-US");

/** The stored costs, the networks that a search is compared with, and what the search finds. */
export function stored() {
  const costs = parseCosts(readFileSync(absolute(COSTS), "utf8"), COSTS);
  const space = layOutSpace(INPUT);
  const named = ranENetworks().map(({ id, blocks }) => ({ id, network: priceNetwork(space, costs, blocks) }));
  const gt = named.find(({ id }) => id === "ran-e-gt")!.network;
  const free = searchRanE(space, costs, { units: gt.units });
  return { costs, space, named, gt, free };
}

export type Stored = ReturnType<typeof stored>;

function networks({ space, named, free }: Stored): string {
  const rows = [...named.map(({ network }) => network), free.best].map(({ blocks }) => rowsFrom(space.rows, blocks));
  return table(
    ["row", "channels", "stride", ...named.map(({ id }) => id), "found"],
    space.rows.map(({ channels, stride }, i) => [
      String(i),
      String(channels),
      String(stride),
      ...rows.map((all) => all[i]!.blocks.join(", ")),
    ]),
  );
}

function counts({ named, gt, free, costs }: Stored): string {
  const row = (name: string, network: PricedNetwork): string[] => [
    name,
    ...[network.params, network.macs, network.units].map(grouped),
    collapsedText(network),
    costText(network.cost, costs.unit),
    `${(network.cost / gt.cost).toFixed(2)}x`,
  ];
  return table(
    ["network", "parameters", "MACs", "units", "collapsed", `${costs.unit}, host`, "of ran-e-gt"],
    [
      ...named.map(({ id, network }) => row(id, network)),
      row("found", free.best),
      row("cheapest of all", free.front[0]!),
    ],
  );
}

function blockCosts({ costs, space }: Stored): string {
  const choices = RAN_E_BLOCKS;
  return table(
    ["position", "block", ...choices],
    space.positions.map((position) => {
      const { name, input, output, stride, residual, height, width } = position;
      const ends = `${input}->${output}${stride === 1 ? "" : ` /${stride}`}${residual ? " residual" : ""}`;
      const cells = choices.map((block) =>
        position.choices.includes(block) ? costText(costs.costOf(shapeAt(position, block)), costs.unit) : "",
      );
      return [name, `${ends} at ${height}x${width}`, ...cells];
    }),
  );
}

function front({ free, costs }: Stored): string {
  return table(
    [`${costs.unit}, host`, "units", "parameters", "MACs", "collapsed"],
    thinned(free.front).map((network) => [
      costText(network.cost, costs.unit),
      ...[network.units, network.params, network.macs].map(grouped),
      collapsedText(network),
    ]),
  );
}

export function ranEBlocks(found: Stored): Blocks {
  return new Map([
    ["ran-e-rows", networks(found)],
    ["ran-e-counts", counts(found)],
    ["ran-e-block-costs", blockCosts(found)],
    ["ran-e-front", front(found)],
  ]);
}

/** As `wasmograd search ran-e --costs docs/images/ran-e-costs.json --budget units=... --svg FILE` draws it. */
export function ranEFront({ costs: { device, unit }, named, free }: Stored): string {
  const points = [...named, { id: "best", network: free.best }].map(({ id, network }) => ({ name: id, ...network }));
  return frontChart({ device, unit, input: INPUT, front: free.front, named: points, script: "wasmograd search ran-e" });
}
