import type { Network } from "../description.ts";
import { collapseNetwork } from "./collapse.ts";
import { foldBatchNormsNetwork, foldLayerScalesNetwork } from "./fold-batch-norm.ts";
import { fuseNetwork } from "./fuse.ts";
import { lowerPivotsNetwork } from "./lower-pivots.ts";
import { lowerTransposedNetwork } from "./lower-transposed.ts";
import { takeTokensEarlyNetwork } from "./take-tokens-early.ts";

/** `prepare` without weights: the layers that run. @throws WasmogradError as the passes */
export function prepareNetwork(network: Network): Network {
  const plain = lowerTransposedNetwork(lowerPivotsNetwork(collapseNetwork(network)));
  return fuseNetwork(foldLayerScalesNetwork(foldBatchNormsNetwork(takeTokensEarlyNetwork(plain))));
}
