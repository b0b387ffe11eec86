/**
 * Picture files for Node: `import { readImage, writeImage } from "wasmograd/node"`.
 * @module wasmograd/node
 */

export type { Channels, Depth, Image, ImageDataLike, ImageInput, Samples, Size } from "../image/types.ts";
export { type DecodeOptions, decodeImage, type EncodeOptions, encodeImage, imageSize } from "./codec.ts";
export { checkOutput, readImage, writeImage } from "./files.ts";
export { type ImageFormat, outputFormat } from "./format.ts";
export { DEFAULT_MAX_PIXELS } from "./limits.ts";
