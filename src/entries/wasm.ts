/**
 * What runs in WebAssembly, with the binaries as files instead of in the code: `import { createUpscaler } from "wasmograd/wasm"`. Everything
 * else is in the other entries, whose descriptions, weights and pictures are the same. Bundled with `own-files.ts` (scripts/bundle.mjs).
 */
export type { CreateDetectorOptions, PictureDetector } from "../detector/assemble.ts";
export { createDetector } from "../detector/create-detector.ts";
export { type CompileOptions, compile } from "../engine/compile.ts";
export type { CompiledNetwork, LayerAlgorithm } from "../engine/compiled-network.ts";
export { type ErrorCode, WasmogradError } from "../errors.ts";
export { resize } from "../image/resize.ts";
export type { ResizeOptions, ResizeTo } from "../image/resize-strips.ts";
export type { Image, ImageDataLike, ImageInput } from "../image/types.ts";
export type { Conv2d } from "../kernels/conv2d.ts";
export type { Conv2dActivation, Conv2dOptionsF32, Conv2dOptionsInt8 } from "../kernels/conv2d-options.ts";
export { type Kernels, loadKernels } from "../kernels/kernels.ts";
export { type InstantiateOptions, instantiateKernels, type KernelInstance } from "../kernels/load.ts";
export type { BinaryName, WasmOptions } from "../kernels/wasm-options.ts";
export { type NetworkOptions, shippedModels } from "../upscale/create-network.ts";
export { createUpscaler, type UpscalerOptions } from "../upscale/create-upscaler.ts";
export { serveUpscaler } from "../upscale/serve-upscaler.ts";
export type { UpscaleOptions, UpscaleProgress, Upscaler } from "../upscale/upscaler.ts";
