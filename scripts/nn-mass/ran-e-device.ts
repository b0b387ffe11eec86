/** The search of docs/ran.md with costs of a simulated device: its networks, and the front. */
import { collapsedText, thinned } from "../../src/cli/search-report.ts";
import { ranENetwork } from "../../src/models/ran-e.ts";
import { deviceCosts } from "../../src/ran/device-costs.ts";
import { type PricedNetwork, priceNetwork, searchRanE } from "../../src/ran/search.ts";
import { layOutSpace, ranENetworks, rowsFrom } from "../../src/ran/search-space.ts";
import { device } from "../../src/timing/devices/registry.ts";
import { simulate } from "../../src/timing/simulate.ts";
import { type Blocks, table } from "../documents.ts";

const INPUT = [224, 224] as const;
const grouped = (x: number): string => x.toLocaleString("en-US");

export function ranEDeviceBlocks(): Blocks {
  const target = device("ethos-u55-256");
  const costs = deviceCosts(target);
  const space = layOutSpace(INPUT);
  const whole = ({ blocks }: PricedNetwork): number => {
    const network = ranENetwork({ name: "network", rows: rowsFrom(space.rows, blocks) });
    return simulate(network, target, { input: INPUT, mode: "analytic" }).total.ms;
  };
  const named = ranENetworks().map(({ id, blocks }) => [id, priceNetwork(space, costs, blocks)] as const);
  const gt = named.find(([id]) => id === "ran-e-gt")![1];
  const { best, front } = searchRanE(space, costs, { units: gt.units });
  const row = (network: PricedNetwork): string[] => [
    network.cost.toFixed(2),
    whole(network).toFixed(2),
    ...[network.units, network.params, network.macs].map(grouped),
    collapsedText(network),
  ];
  const header = ["sum of blocks, ms", "whole network, ms", "units", "parameters", "MACs", "collapsed"];
  const chosen = rowsFrom(space.rows, best.blocks).map(({ channels, blocks }) => `${channels}: ${blocks.join(", ")}`);
  const networks = [...named, ["found", best] as const];
  return new Map([
    [
      "ran-e-u55",
      table(
        ["network", ...header],
        networks.map(([id, network]) => [id, ...row(network)]),
      ),
    ],
    [
      "ran-e-u55-found",
      `Found, channels and blocks of each row: ${chosen.join("; ")}.`.replace(/(.{1,130})( |$)/g, "$1\n").trim(),
    ],
    ["ran-e-u55-front", table(header, thinned(front, 10).map(row))],
  ]);
}
