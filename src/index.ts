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
export { type CompactOptions, compactAttention } from "./attention/compact.ts";
export { compactAttentionModel } from "./attention/compact-model.ts";
export {
  ATTENTION_MEMBERS,
  type AttentionFields,
  type AttentionMember,
  type AttentionOption,
  type AttentionSpec,
  attentionNotes,
  attentionSpec,
  type Role,
} from "./attention/family.ts";
export { type GaugeReport, gaugeFix } from "./attention/gauge-fix.ts";
export { simplifyBiases } from "./attention/simplify-biases.ts";
export type { Padding } from "./conv-axis.ts";
export type { DetectionOptions } from "./detection/detections.ts";
export type { Detection, DetectorOptions } from "./detection/detector.ts";
export type { ProposalOptions } from "./detection/proposals.ts";
export type { ResizeRule } from "./detection/resize.ts";
export type { CreateDetectorOptions, PictureDetector } from "./detector/assemble.ts";
export { createDetector } from "./detector/create-detector.ts";
export { type CompileOptions, compile } from "./engine/compile.ts";
export type { CompiledNetwork, LayerAlgorithm } from "./engine/compiled-network.ts";
export { type ErrorCode, WasmogradError } from "./errors.ts";
export {
  parseSafetensors,
  type SafeTensor,
  type SafetensorsFile,
  serialiseSafetensors,
  type TensorToWrite,
} from "./formats/safetensors.ts";
export { loadWeights, saveWeights } from "./formats/weights-file.ts";
export { type MetricOptions, psnrY, ssimY } from "./image/metrics.ts";
export { resize } from "./image/resize.ts";
export type { Border } from "./image/resize-axis.ts";
export type { ResizeOptions, ResizeTo } from "./image/resize-strips.ts";
export type { Channels, Depth, Image, ImageDataLike, ImageInput, Region, Samples, Size } from "./image/types.ts";
export type { Conv2d } from "./kernels/conv2d.ts";
export type { Conv2dActivation, Conv2dOptionsF32, Conv2dOptionsInt8, Conv2dShape } from "./kernels/conv2d-options.ts";
export type { AlgorithmId, AlgorithmOption } from "./kernels/convolution/choice.ts";
export { type Kernels, loadKernels } from "./kernels/kernels.ts";
export { type InstantiateOptions, instantiateKernels, type KernelInstance } from "./kernels/load.ts";
export type { BinaryName, WasmOptions } from "./kernels/wasm-options.ts";
export { convnextNetwork } from "./models/convnext.ts";
export { type ConvNextSizes, type Multipliers, type Stages, sizesOf } from "./models/convnext-sizes.ts";
export type { InputSize, ModelOptions, Task } from "./models/family.ts";
export { type RanEOptions, type RanERow, ranEChains, ranENetwork } from "./models/ran-e.ts";
export type { RanEBlock, RanEExpansion } from "./models/ran-e-blocks.ts";
export { buildModel, type ModelInfo, modelIds, modelInfo } from "./models/registry.ts";
export { type SesrOptions, type SesrVariant, sesr } from "./models/sesr.ts";
export { type AttentionCosts, attentionCosts, networkAttentionCosts } from "./network/attention-costs.ts";
export {
  countNetwork,
  type LayerCounts as NetworkLayerCounts,
  type NetworkCounts,
  type ParameterCounts,
  type TrainingMacs,
  trainingMacs,
} from "./network/counts.ts";
export type * from "./network/description.ts";
export { nonLinearUnits } from "./network/non-linear-units.ts";
export { collapse, collapseNetwork } from "./network/passes/collapse.ts";
export { foldBatchNorms, foldLayerScales } from "./network/passes/fold-batch-norm.ts";
export { fuse, fuseNetwork } from "./network/passes/fuse.ts";
export { lowerMixed } from "./network/passes/lower-mixed.ts";
export { lowerPivots } from "./network/passes/lower-pivots.ts";
export { lowerTransposed } from "./network/passes/lower-transposed.ts";
export { mergeBranches } from "./network/passes/merge-branches.ts";
export { prepare } from "./network/passes/prepare.ts";
export { type LinearChain, restructure } from "./network/passes/restructure.ts";
export { takeTokensEarly } from "./network/passes/take-tokens-early.ts";
export { type Halo, halo, type Margin } from "./network/receptive-field.ts";
export { inferShapes } from "./network/shapes.ts";
export { validate } from "./network/validate.ts";
export { checkWeights, weightShapes } from "./network/weights.ts";
export type { Limits as QuantisedLimits } from "./quantization/assign.ts";
export { type CalibrateOptions, calibrate } from "./quantization/calibrate.ts";
export { type Equalisation, equalise } from "./quantization/equalise.ts";
export { type EqualisationOptions, findEqualisation } from "./quantization/find-equalisation.ts";
export type { Executor } from "./quantization/observe.ts";
export {
  type QuantisedActivation,
  type QuantisedAdd,
  type QuantisedClip,
  type QuantisedFilter,
  type QuantisedModel,
  quantise,
} from "./quantization/quantise.ts";
export type {
  QuantisedAttention,
  QuantisedNorm,
  QuantisedPositions,
  QuantisedTokens,
} from "./quantization/quantise-tokens.ts";
export type { RangeMethod } from "./quantization/range-methods.ts";
export type { Calibration, Range as TensorRange } from "./quantization/ranges.ts";
export { dequantizeValue, type QuantizationParams, quantizeValue, requantize } from "./quantization/requantize.ts";
export { measuredSize, type SizedOperation } from "./quantization/weight-entropy.ts";
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
export { type ChromeTrace, chromeTrace, type TraceEvent } from "./timing/chrome-trace.ts";
export { parseCpu } from "./timing/devices/cpu-file.ts";
export type {
  CacheTier,
  Cpu,
  Dataflow,
  Device,
  EthosN,
  EthosNCore,
  EthosNMetric,
  EthosU,
  EthosUCore,
  EthosUMemory,
  EthosUSystem,
  HostCpu,
  KernelCosts,
  MemoryArea,
  MemoryPort,
  Systolic,
} from "./timing/devices/description.ts";
export { deviceFrom } from "./timing/devices/device-file.ts";
export { withOverrides } from "./timing/devices/overrides.ts";
export { type DeviceOptions, device, deviceIds } from "./timing/devices/registry.ts";
export type { LowerOptions } from "./timing/lower.ts";
export type { ActivationBits, FilterSize } from "./timing/operation.ts";
export type {
  Bytes,
  LayerReport,
  MemoryTraffic,
  SimulationReport,
  TileSize,
  TilesCost,
  TilesReport,
  TotalReport,
} from "./timing/report.ts";
export { type SimulateOptions, simulate, trace } from "./timing/simulate.ts";
export type { Counter, Lane, Slice, Timeline, Traced } from "./timing/timeline.ts";
export type { EncodedSize, Weighted as WeightedOperation } from "./timing/weights.ts";
export { type WhatIfReport, type WhatIfRow, whatIf } from "./timing/what-if.ts";
export { type NetworkOptions, shippedModels } from "./upscale/create-network.ts";
export { createUpscaler, type UpscalerOptions } from "./upscale/create-upscaler.ts";
export type { EnlargeTo } from "./upscale/target-size.ts";
export type { UpscaleOptions, UpscaleProgress, Upscaler } from "./upscale/upscaler.ts";
export { type Algorithm, type AlgorithmSpec, type Point, winograd } from "./winograd/algorithm.ts";
export type { Arithmetic, OperationCount } from "./winograd/arithmetic.ts";
export {
  type CountedLayer,
  type CountedResult,
  type DirectCounts,
  type LayerCounts,
  runCounted,
  runDirect,
  type StoredBytes,
} from "./winograd/counting.ts";
export type { FilterScaling, Granularity } from "./winograd/filter-scaling.ts";
export type { Gaussian } from "./winograd/gaussian.ts";
export {
  type ChannelLimits,
  channelLimits,
  type Factor,
  type Growth,
  growth,
  type Magnitudes,
  type OperandRanges,
  planeLimits,
  type Range as IntegerRange,
} from "./winograd/growth.ts";
export type { FormKind, IntegerForm, ResultScale } from "./winograd/integer-form.ts";
export type { Matrix, Vector } from "./winograd/matrix.ts";
export { type Doubling, isExact, type Nested, type NestedOptions, nest } from "./winograd/nested.ts";
export type { IntegerMatrix, RealForm } from "./winograd/real-form.ts";
export type { Operation, Schedule } from "./winograd/schedule.ts";
export type { Entry, Plane, Structure } from "./winograd/structure.ts";
export { type AlgorithmSummary, summarise } from "./winograd/summary.ts";
export {
  type Complex,
  countTransforms,
  type DirectionSchedules,
  type Entries,
  type TransformCounts,
  type Transforms,
  transforms,
} from "./winograd/transforms.ts";
