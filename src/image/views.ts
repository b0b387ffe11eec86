/** Buffers in kernel memory, by byte offset. Whoever allocated them frees them. */
import type { KernelInstance } from "../kernels/load.ts";
import type { Channels, Depth, Size } from "./types.ts";

/** An f32 plane. */
export interface PlaneView {
  readonly pointer: number;
  readonly rowBytes: number;
}

/** Interleaved pixels. */
export interface PixelView {
  readonly pointer: number;
  readonly rowBytes: number;
  readonly channels: Channels;
  readonly depth: Depth;
}

/**
 * A row stride for `columns` f32 samples: whole vectors, and not a multiple of 2 KiB, at which neighbouring rows would
 * compete for the same cache sets.
 */
export function planeRowBytes(columns: number): number {
  const bytes = Math.ceil(columns / 4) * 16;
  return bytes % 2048 === 0 ? bytes + 64 : bytes;
}

/** Allocates a plane; free it with `kernels.memory.free(plane.pointer)`. @throws WasmogradError ERR_OUT_OF_MEMORY */
export function allocatePlane(kernels: KernelInstance, { width, height }: Size): PlaneView {
  const rowBytes = planeRowBytes(width);
  return { pointer: kernels.memory.allocate(rowBytes * height), rowBytes };
}

/** Allocates rows of pixels without padding. @throws WasmogradError ERR_OUT_OF_MEMORY */
export function allocatePixels(
  kernels: KernelInstance,
  { width, height }: Size,
  channels: Channels,
  depth: Depth,
): PixelView {
  const rowBytes = width * channels * (depth / 8);
  return { pointer: kernels.memory.allocate(rowBytes * height), rowBytes, channels, depth };
}
