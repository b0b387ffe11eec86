/// <reference lib="esnext.disposable" preserve="true" />
/**
 * wasmograd: small, efficient neural networks in plain WebAssembly.
 *
 * - `createUpscaler`: pictures in, larger pictures out.
 * - `loadKernels`: exact int8 and f32 convolutions to build upon.
 * - `createDetector`: RAN's object detector, with weights of your own.
 * - `sesr`, `collapse`, `fuse`, `equalise`, `calibrate`, `quantise`, `compile`: networks, passes, and running them.
 * - `simulate`, `device`: how long a network takes on an NPU that need not be there.
 * - `winograd`, `nest`, `transforms`, `summarise`: Winograd algorithms of your own points, exactly.
 * @module wasmograd
 */

export { attentionNotes, attentionSpec } from "./attention/family.ts";
export { type GaugeReport, gaugeFix } from "./attention/gauge-fix.ts";
export { simplifyBiases } from "./attention/simplify-biases.ts";
export type { DetectionOptions } from "./detection/detections.ts";
export type { Detection, DetectorOptions } from "./detection/detector.ts";
export type { ProposalOptions } from "./detection/proposals.ts";
export type { ResizeRule } from "./detection/resize.ts";
export type { CreateDetectorOptions, PictureDetector } from "./detector/assemble.ts";
export { createDetector } from "./detector/create-detector.ts";
export * from "./entries/image.ts";
export * from "./entries/kernels.ts";
export * from "./entries/models.ts";
export * from "./entries/timing.ts";
export * from "./entries/winograd.ts";
export type { Region } from "./image/types.ts";
export { type AttentionCosts, attentionCosts, networkAttentionCosts } from "./network/attention-costs.ts";
export { type BlockCost, type BlockCosts, type CostTable, type CostUnit, parseCosts } from "./ran/block-costs.ts";
export type { BlockCounts, BlockKind, BlockShape } from "./ran/block-shape.ts";
export { deviceCosts } from "./ran/device-costs.ts";
export type { SizedNetwork } from "./ran/ran-i.ts";
export {
  type FittedNetwork,
  type Ratios,
  type ScaledNetwork,
  type ScaleTarget,
  scaleBy,
  scaleTo,
} from "./ran/scale.ts";
export {
  type Limits as SearchLimits,
  type PricedNetwork,
  priceNetwork,
  type SearchOptions,
  type SearchResult,
  searchRanE,
} from "./ran/search.ts";
export {
  type LaidOutSpace,
  layOutSpace,
  type Position as SearchPosition,
  type SpaceRow,
  type Wishes,
} from "./ran/search-space.ts";
export { runReference, runReferenceQuantised } from "./reference/run.ts";
export type { Reading } from "./reproduction/ours.ts";
export type { Group as FigureGroup, PublishedFigure, Unit as FigureUnit } from "./reproduction/published.ts";
export { type ReproductionReport, type ReproductionRow, reproduce } from "./reproduction/reproduce.ts";
export { type NetworkOptions, shippedModels } from "./upscale/create-network.ts";
export { createUpscaler, type UpscalerOptions } from "./upscale/create-upscaler.ts";
export type { EnlargeTo } from "./upscale/target-size.ts";
export type { UpscaleOptions, UpscaleProgress, Upscaler } from "./upscale/upscaler.ts";
