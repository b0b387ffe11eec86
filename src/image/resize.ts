import { checkObject } from "../errors.ts";
import { instantiateKernels } from "../kernels/load.ts";
import { wasmOf } from "../kernels/wasm-options.ts";
import { type ResizeOptions, type ResizeTo, resizeSteadily } from "./resize-strips.ts";
import type { Image, ImageInput } from "./types.ts";

/**
 * Bicubic resize with MATLAB's imresize as the model: a = -0.5, antialiasing when downscaling, samples rounded after
 * each pass. Every channel is resized by itself, alpha too. Sums are formed in f32; against exact sums a sample may
 * differ by 1 where the exact value lies within rounding error of a half (never for the scales 1/2, 1/4, 2, 4 with 8
 * bits, where f32 is exact).
 *
 * @example
 * const half = await resize(picture, { scale: 0.5 });
 * const wide = await resize(picture, { width: 1920, height: 1080 });
 * @throws WasmogradError ERR_ARGUMENT, ERR_SHAPE, ERR_OUT_OF_MEMORY, ERR_WASM
 */
export async function resize(image: ImageInput, to: ResizeTo, options: ResizeOptions = {}): Promise<Image> {
  checkObject("options", options);
  options.signal?.throwIfAborted();
  return resizeSteadily(await instantiateKernels(wasmOf(options)), image, to, options);
}
