import type { Model } from "../description.ts";
import { collapse } from "./collapse.ts";
import { foldBatchNorms, foldLayerScales } from "./fold-batch-norm.ts";
import { fuse } from "./fuse.ts";
import { lowerPivots } from "./lower-pivots.ts";
import { lowerTransposed } from "./lower-transposed.ts";
import { takeTokensEarly } from "./take-tokens-early.ts";

/**
 * The form of a model that runs, that calibration observes and that quantisation starts from: collapsed, without transposed
 * convolutions, pivots, batch normalisations and layer scales that convolutions can take in, single tokens taken
 * early, and fused.
 */
export function prepare(model: Model): Model {
  return prepareKept(lowerPivots(model));
}

/** The same with the pivots that are there. */
export function prepareKept(model: Model): Model {
  return fuse(foldLayerScales(foldBatchNorms(takeTokensEarly(lowerTransposed(collapse(model))))));
}
