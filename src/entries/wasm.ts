/**
 * What runs in WebAssembly, with the binaries as files instead of in the code: `import { createUpscaler } from "wasmograd/wasm"`. Everything
 * else is in the other entries, whose descriptions, weights and pictures are the same. Bundled with `own-files.ts` (scripts/bundle.mjs).
 * @module wasmograd/wasm
 */

export type { Padding } from "../conv-axis.ts";
export type { DetectionOptions } from "../detection/detections.ts";
export type { Detection, DetectorOptions } from "../detection/detector.ts";
export type { ProposalOptions } from "../detection/proposals.ts";
export type { ResizeRule } from "../detection/resize.ts";
export type { CreateDetectorOptions, PictureDetector } from "../detector/assemble.ts";
export { createDetector } from "../detector/create-detector.ts";
export { type CompileOptions, compile } from "../engine/compile.ts";
export type { CompiledNetwork, LayerAlgorithm } from "../engine/compiled-network.ts";
export { type ErrorCode, WasmogradError } from "../errors.ts";
export { resize } from "../image/resize.ts";
export type { Border } from "../image/resize-axis.ts";
export type { ResizeOptions, ResizeTo } from "../image/resize-strips.ts";
export type { Channels, Depth, Image, ImageDataLike, ImageInput, Region, Samples, Size } from "../image/types.ts";
export type { Conv2d } from "../kernels/conv2d.ts";
export type { Conv2dActivation, Conv2dOptionsF32, Conv2dOptionsInt8, Conv2dShape } from "../kernels/conv2d-options.ts";
export type { AlgorithmId, AlgorithmOption } from "../kernels/convolution/choice.ts";
export { type Kernels, loadKernels } from "../kernels/kernels.ts";
export { type InstantiateOptions, instantiateKernels, type KernelInstance } from "../kernels/load.ts";
export type { BinaryName, WasmOptions } from "../kernels/wasm-options.ts";
export type * from "../network/description.ts";
export type { Limits as QuantisedLimits } from "../quantization/assign.ts";
export type { Equalisation } from "../quantization/equalise.ts";
export type {
  QuantisedActivation,
  QuantisedAdd,
  QuantisedClip,
  QuantisedFilter,
  QuantisedModel,
  QuantisedSums,
  QuantiseOptions,
  RealFilter,
} from "../quantization/quantise.ts";
export type {
  QuantisedAttention,
  QuantisedNorm,
  QuantisedPositions,
  QuantisedTokens,
} from "../quantization/quantise-tokens.ts";
export type { Calibration, Range as TensorRange } from "../quantization/ranges.ts";
export type { QuantizationParams } from "../quantization/requantize.ts";
export { type NetworkOptions, shippedModels } from "../upscale/create-network.ts";
export { createUpscaler, type UpscalerOptions } from "../upscale/create-upscaler.ts";
export { serveUpscaler } from "../upscale/serve-upscaler.ts";
export type { EnlargeTo } from "../upscale/target-size.ts";
export type { UpscaleOptions, UpscaleProgress, Upscaler } from "../upscale/upscaler.ts";
export type { FilterScaling, Granularity } from "../winograd/filter-scaling.ts";
