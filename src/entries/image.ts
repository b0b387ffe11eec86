/**
 * Pictures: `import { resize } from "wasmograd/image"`. Files are in "wasmograd/node".
 * @module wasmograd/image
 */
export { type ErrorCode, WasmogradError } from "../errors.ts";
export { type MetricOptions, psnrY, ssimY } from "../image/metrics.ts";
export { resize } from "../image/resize.ts";
export type { Border } from "../image/resize-axis.ts";
export type { ResizeOptions, ResizeTo } from "../image/resize-strips.ts";
export type { Channels, Depth, Image, ImageDataLike, ImageInput, Samples, Size } from "../image/types.ts";
export type { BinaryName, WasmOptions } from "../kernels/wasm-options.ts";
