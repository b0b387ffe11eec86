import { expect, test } from "vitest";
import { buildModel } from "../../../src/models/registry.ts";
import type { Network } from "../../../src/network/description.ts";
import { lowerMixed, lowerMixedNetwork } from "../../../src/network/passes/lower-mixed.ts";
import { prepare, prepareNetwork } from "../../../src/network/passes/prepare.ts";
import { randomModel } from "../random-model.ts";

const MIXED: Network = {
  name: "mixed",
  layers: [
    { op: "input", name: "x", channels: 4 },
    { op: "channel-affine", name: "scaled", input: "x", scale: "s", offset: "o" },
    { op: "activation", name: "y", input: "scaled", activation: { kind: "mixed", of: "gelu", amount: 0.25 } },
  ],
  output: "y",
};

const PIVOTS: Network = {
  name: "pivots",
  layers: [
    { op: "input", name: "x", channels: 4 },
    { op: "pivot-projection", name: "y", input: "x", pivots: [[0, 2]], weights: "w" },
  ],
  output: "y",
};

const networks: readonly (readonly [string, () => Network])[] = [
  ...["sesr-m5", "fsrcnn", "ran-e-gt", "mobilenet-v2", "resnet20-cifar", "repvgg-a0", "xcit-n12"].map(
    (id) => [id, () => buildModel(id)] as const,
  ),
  ["expanded sesr-m3", () => buildModel("sesr-m3", { form: "expanded" })],
  ["pivots", () => PIVOTS],
  ["mixed", () => MIXED],
];

test.each(networks)("without weights %s has the layers that it has with them", (_, build) => {
  const network = build();
  const prepared = prepare(randomModel(network));
  expect(prepareNetwork(network)).toEqual(prepared.network);
  expect(lowerMixedNetwork(prepareNetwork(network))).toEqual(lowerMixed(prepared).network);
});
