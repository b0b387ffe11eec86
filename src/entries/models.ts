/**
 * Networks by name and of your own, passes, weights, quantising and running: `import { buildModel } from "wasmograd/models"`.
 * @module wasmograd/models
 */
export { type CompactOptions, compactAttention } from "../attention/compact.ts";
export { compactAttentionModel } from "../attention/compact-model.ts";
export {
  ATTENTION_MEMBERS,
  type AttentionFields,
  type AttentionMember,
  type AttentionOption,
  type AttentionSpec,
  type Role,
} from "../attention/family.ts";
export type { Padding } from "../conv-axis.ts";
export { type CompileOptions, compile } from "../engine/compile.ts";
export type { CompiledNetwork, LayerAlgorithm } from "../engine/compiled-network.ts";
export { type ErrorCode, WasmogradError } from "../errors.ts";
export {
  parseSafetensors,
  type SafeTensor,
  type SafetensorsFile,
  serialiseSafetensors,
  type TensorToWrite,
} from "../formats/safetensors.ts";
export { loadWeights, saveWeights } from "../formats/weights-file.ts";
export type { AlgorithmId, AlgorithmOption } from "../kernels/convolution/choice.ts";
export type { KernelInstance } from "../kernels/load.ts";
export type { BinaryName, WasmOptions } from "../kernels/wasm-options.ts";
export { convnextNetwork } from "../models/convnext.ts";
export { type ConvNextSizes, type Multipliers, type Stages, sizesOf } from "../models/convnext-sizes.ts";
export type { InputSize, ModelOptions, Task } from "../models/family.ts";
export { type RanEOptions, type RanERow, ranEChains, ranENetwork } from "../models/ran-e.ts";
export type { RanEBlock, RanEExpansion } from "../models/ran-e-blocks.ts";
export { buildModel, type ModelInfo, modelIds, modelInfo } from "../models/registry.ts";
export { type SesrOptions, type SesrVariant, sesr } from "../models/sesr.ts";
export {
  countNetwork,
  type LayerCounts as NetworkLayerCounts,
  type NetworkCounts,
  type ParameterCounts,
  type TrainingMacs,
  trainingMacs,
} from "../network/counts.ts";
export type * from "../network/description.ts";
export { nonLinearUnits } from "../network/non-linear-units.ts";
export { collapse, collapseNetwork } from "../network/passes/collapse.ts";
export { foldBatchNorms, foldLayerScales } from "../network/passes/fold-batch-norm.ts";
export { fuse, fuseNetwork } from "../network/passes/fuse.ts";
export { lowerMixed } from "../network/passes/lower-mixed.ts";
export { lowerPivots } from "../network/passes/lower-pivots.ts";
export { lowerTransposed } from "../network/passes/lower-transposed.ts";
export { mergeBranches } from "../network/passes/merge-branches.ts";
export { prepare } from "../network/passes/prepare.ts";
export { type LinearChain, restructure } from "../network/passes/restructure.ts";
export { takeTokensEarly } from "../network/passes/take-tokens-early.ts";
export { type Halo, halo, type Margin } from "../network/receptive-field.ts";
export { inferShapes } from "../network/shapes.ts";
export { validate } from "../network/validate.ts";
export { checkWeights, weightShapes } from "../network/weights.ts";
export type { Limits as QuantisedLimits } from "../quantization/assign.ts";
export { type CalibrateOptions, calibrate } from "../quantization/calibrate.ts";
export { type Equalisation, equalise } from "../quantization/equalise.ts";
export { type EqualisationOptions, findEqualisation } from "../quantization/find-equalisation.ts";
export type { Executor } from "../quantization/observe.ts";
export {
  type QuantisedActivation,
  type QuantisedAdd,
  type QuantisedClip,
  type QuantisedFilter,
  type QuantisedModel,
  type QuantisedSums,
  type QuantiseOptions,
  quantise,
  type RealFilter,
} from "../quantization/quantise.ts";
export type {
  QuantisedAttention,
  QuantisedNorm,
  QuantisedPositions,
  QuantisedTokens,
} from "../quantization/quantise-tokens.ts";
export type { RangeMethod } from "../quantization/range-methods.ts";
export type { Calibration, Range as TensorRange } from "../quantization/ranges.ts";
export type { QuantizationParams } from "../quantization/requantize.ts";
export { measuredSize, type SizedOperation } from "../quantization/weight-entropy.ts";
export type { FilterScaling, Granularity } from "../winograd/filter-scaling.ts";
