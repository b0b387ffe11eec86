/**
 * Exact int8 and f32 convolutions: `import { loadKernels } from "wasmograd/kernels"`.
 * @module wasmograd/kernels
 */
export { type ErrorCode, WasmogradError } from "../errors.ts";
export type { Conv2d } from "../kernels/conv2d.ts";
export type { Conv2dActivation, Conv2dOptionsF32, Conv2dOptionsInt8, Conv2dShape } from "../kernels/conv2d-options.ts";
export type { AlgorithmId, AlgorithmOption } from "../kernels/convolution/choice.ts";
export { type Kernels, loadKernels } from "../kernels/kernels.ts";
export { type InstantiateOptions, instantiateKernels, type KernelInstance } from "../kernels/load.ts";
export type { BinaryName, WasmOptions } from "../kernels/wasm-options.ts";
export {
  dequantizeValue,
  type QuantizationParams,
  quantizeValue,
  requantize,
  splitValue,
} from "../quantization/requantize.ts";
export type { FilterScaling, Granularity } from "../winograd/filter-scaling.ts";
