import type { Model, Network } from "../description.ts";
import { collapse, collapseNetwork } from "./collapse.ts";
import { foldBatchNorms, foldBatchNormsNetwork, foldLayerScales, foldLayerScalesNetwork } from "./fold-batch-norm.ts";
import { fuse, fuseNetwork } from "./fuse.ts";
import { lowerPivots, lowerPivotsNetwork } from "./lower-pivots.ts";
import { lowerTransposed, lowerTransposedNetwork } from "./lower-transposed.ts";
import { takeTokensEarly, takeTokensEarlyNetwork } from "./take-tokens-early.ts";

/** What follows lowerPivots, in this order: each pass with weights, and without. */
const PASSES: readonly (readonly [pass: (model: Model) => Model, withoutWeights: (network: Network) => Network])[] = [
  [collapse, collapseNetwork],
  [lowerTransposed, lowerTransposedNetwork],
  [takeTokensEarly, takeTokensEarlyNetwork],
  [foldBatchNorms, foldBatchNormsNetwork],
  [foldLayerScales, foldLayerScalesNetwork],
  [fuse, fuseNetwork],
];

/**
 * The form of a model that runs, that calibration observes and that quantisation starts from: collapsed, without transposed
 * convolutions, pivots, batch normalisations and layer scales that convolutions can take in, single tokens taken
 * early, and fused.
 * The order is ours.
 * @param model in any form; it is not changed
 * @throws WasmogradError as the passes: ERR_NETWORK, ERR_SHAPE, ERR_WEIGHTS, ERR_UNSUPPORTED
 */
export function prepare(model: Model): Model {
  return prepareKept(lowerPivots(model));
}

/** The same with the pivots that are there. */
export function prepareKept(model: Model): Model {
  return PASSES.reduce((before, [pass]) => pass(before), model);
}

/** `prepare` without weights: the layers that run. @throws WasmogradError as the passes */
export function prepareNetwork(network: Network): Network {
  return PASSES.reduce((before, [, withoutWeights]) => withoutWeights(before), lowerPivotsNetwork(network));
}
