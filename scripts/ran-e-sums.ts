// Times whole RAN-e networks beside the sums of their blocks' costs, and EfficientNet-Lite0; processor time of one thread on this machine.
// usage: npx tsx scripts/ran-e-sums.ts COSTS.json     a table that `wasmograd search ran-e --save-costs COSTS.json` wrote on this machine
import { readFileSync } from "node:fs";
import { median } from "../src/bench/measure.ts";
import { timeNetworks } from "../src/bench/ran-e-costs.ts";
import { ranENetwork } from "../src/models/ran-e.ts";
import type { RanEBlock } from "../src/models/ran-e-blocks.ts";
import { buildModel } from "../src/models/registry.ts";
import { processorTime } from "../src/node/processor.ts";
import { parseCosts } from "../src/ran/block-costs.ts";
import { priceNetwork } from "../src/ran/search.ts";
import { layOutSpace, ranENetworks, ranESpace, rowsFrom } from "../src/ran/search-space.ts";

const [path] = process.argv.slice(2);
if (path === undefined) throw new Error("usage: npx tsx scripts/ran-e-sums.ts COSTS.json");
const costs = parseCosts(readFileSync(path, "utf8"), path);
const [height, width] = [224, 224];
const space = layOutSpace([height, width]);
const collapsed = space.positions.map((): RanEBlock => "collapsed");
const networks = [...ranENetworks(), { id: "all collapsed", blocks: collapsed }];
const timed = networks.map(({ id, blocks }) => {
  const network = ranENetwork({ name: id, rows: rowsFrom(ranESpace(), blocks) });
  return { network, height, width };
});
const others = ["efficientnet-lite0", "efficientnet-lite0-hswish"];
timed.push(...others.map((id) => ({ network: buildModel(id), height, width })));
timeNetworks(timed, { clock: processorTime }).then((samples) => {
  for (const [i, { id, blocks }] of networks.entries()) {
    const [whole, sum] = [median(samples[i]!), priceNetwork(space, costs, blocks).cost];
    console.log(
      `${id}: whole ${whole.toFixed(2)} ms, sum ${sum.toFixed(2)} ms, sum / whole ${(sum / whole).toFixed(3)}`,
    );
  }
  for (const [i, id] of others.entries()) {
    console.log(`${id}: whole ${median(samples[networks.length + i]!).toFixed(2)} ms`);
  }
});
