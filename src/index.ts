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
} from "./attention/family.ts";
export { type GaugeReport, gaugeFix } from "./attention/gauge-fix.ts";
export { simplifyBiases } from "./attention/simplify-biases.ts";
export type { Detection } from "./detection/detector.ts";
export type { CreateDetectorOptions, PictureDetector } from "./detector/assemble.ts";
export { createDetector } from "./detector/create-detector.ts";
export { type CompileOptions, compile } from "./engine/compile.ts";
export type { CompiledNetwork, LayerAlgorithm } from "./engine/compiled-network.ts";
export { type ErrorCode, WasmogradError } from "./errors.ts";
export { parseSafetensors, serialiseSafetensors } from "./formats/safetensors.ts";
export { loadWeights, saveWeights } from "./formats/weights-file.ts";
export { psnrY, ssimY } from "./image/metrics.ts";
export { resize } from "./image/resize.ts";
export type { ResizeOptions, ResizeTo } from "./image/resize-strips.ts";
export type { Image, ImageDataLike, ImageInput } from "./image/types.ts";
export type { Conv2d } from "./kernels/conv2d.ts";
export type { Conv2dActivation, Conv2dOptionsF32, Conv2dOptionsInt8 } from "./kernels/conv2d-options.ts";
export type { AlgorithmId, AlgorithmOption } from "./kernels/convolution/choice.ts";
export { type Kernels, loadKernels } from "./kernels/kernels.ts";
export { type InstantiateOptions, instantiateKernels, type KernelInstance } from "./kernels/load.ts";
export type { BinaryName, WasmOptions } from "./kernels/wasm-options.ts";
export { convnextNetwork } from "./models/convnext.ts";
export { type ConvNextSizes, type Multipliers, sizesOf } from "./models/convnext-sizes.ts";
export type { ModelOptions, Task } from "./models/family.ts";
export { type RanEOptions, type RanERow, ranEChains, ranENetwork } from "./models/ran-e.ts";
export type { RanEBlock, RanEExpansion } from "./models/ran-e-blocks.ts";
export { buildModel, type ModelInfo, modelIds, modelInfo } from "./models/registry.ts";
export { type SesrOptions, sesr } from "./models/sesr.ts";
export { type AttentionCosts, attentionCosts, networkAttentionCosts } from "./network/attention-costs.ts";
export { countNetwork, trainingMacs } from "./network/counts.ts";
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
export { halo } from "./network/receptive-field.ts";
export { inferShapes } from "./network/shapes.ts";
export { validate } from "./network/validate.ts";
export { checkWeights, weightShapes } from "./network/weights.ts";
export { calibrate } from "./quantization/calibrate.ts";
export { type Equalisation, equalise } from "./quantization/equalise.ts";
export { type EqualisationOptions, findEqualisation } from "./quantization/find-equalisation.ts";
export { type QuantisedModel, quantise } from "./quantization/quantise.ts";
export type { Calibration } from "./quantization/ranges.ts";
export { dequantizeValue, type QuantizationParams, quantizeValue, requantize } from "./quantization/requantize.ts";
export { measuredSize } from "./quantization/weight-entropy.ts";
export { type BlockCosts, parseCosts } from "./ran/block-costs.ts";
export type { BlockShape } from "./ran/block-shape.ts";
export { deviceCosts } from "./ran/device-costs.ts";
export { type ScaledNetwork, scaleBy, scaleTo } from "./ran/scale.ts";
export { priceNetwork, searchRanE } from "./ran/search.ts";
export { layOutSpace } from "./ran/search-space.ts";
export { runReference, runReferenceQuantised } from "./reference/run.ts";
export { type ReproductionReport, type ReproductionRow, reproduce } from "./reproduction/reproduce.ts";
export { type ChromeTrace, chromeTrace, type TraceEvent } from "./timing/chrome-trace.ts";
export { parseCpu } from "./timing/devices/cpu-file.ts";
export type { Device } from "./timing/devices/description.ts";
export { deviceFrom } from "./timing/devices/device-file.ts";
export { withOverrides } from "./timing/devices/overrides.ts";
export { type DeviceOptions, device, deviceIds } from "./timing/devices/registry.ts";
export type { LayerReport, SimulationReport, TilesReport } from "./timing/report.ts";
export { type SimulateOptions, simulate, trace } from "./timing/simulate.ts";
export type { Counter, Lane, Slice, Timeline, Traced } from "./timing/timeline.ts";
export { type WhatIfReport, type WhatIfRow, whatIf } from "./timing/what-if.ts";
export { type NetworkOptions, shippedModels } from "./upscale/create-network.ts";
export { createUpscaler, type UpscalerOptions } from "./upscale/create-upscaler.ts";
export type { EnlargeTo } from "./upscale/target-size.ts";
export type { UpscaleOptions, UpscaleProgress, Upscaler } from "./upscale/upscaler.ts";
export { type Algorithm, type AlgorithmSpec, winograd } from "./winograd/algorithm.ts";
export { type CountedLayer, type LayerCounts, runCounted, runDirect } from "./winograd/counting.ts";
export type { FilterScaling } from "./winograd/filter-scaling.ts";
export { channelLimits, type Growth, growth, planeLimits } from "./winograd/growth.ts";
export type { FormKind } from "./winograd/integer-form.ts";
export { isExact, type Nested, nest } from "./winograd/nested.ts";
export { type AlgorithmSummary, summarise } from "./winograd/summary.ts";
export { countTransforms, type Transforms, transforms } from "./winograd/transforms.ts";
