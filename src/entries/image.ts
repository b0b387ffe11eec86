/** Pictures: `import { resize } from "wasmograd/image"`. Files are in "wasmograd/node". */
export { type ErrorCode, WasmogradError } from "../errors.ts";
export { psnrY, ssimY } from "../image/metrics.ts";
export { resize } from "../image/resize.ts";
export type { ResizeOptions, ResizeTo } from "../image/resize-strips.ts";
export type { Image, ImageDataLike, ImageInput } from "../image/types.ts";
