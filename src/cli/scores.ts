/** PSNR and SSIM as `evaluate` defines them. */
import { check } from "../errors.ts";
import { luma, psnr, ssim } from "../image/metrics.ts";
import { PlaneResizer } from "../image/plane-resizer.ts";
import { resize } from "../image/resize.ts";
import type { Image, Size } from "../image/types.ts";
import { allocatePlane } from "../image/views.ts";
import { instantiateKernels } from "../kernels/load.ts";
import type { Upscaler } from "../upscale/upscaler.ts";
import type { Protocol } from "./protocol.ts";

export interface Score {
  readonly psnr: number;
  readonly ssim: number;
}

/** Luma, row by row, of 0..255. */
export interface LumaPlane extends Size {
  readonly data: ArrayLike<number>;
}

/** What a method sees, and what its result is compared with. */
export interface LumaPair {
  readonly high: LumaPlane;
  readonly low: LumaPlane;
}

/** Edge of SSIM's window, which has to fit inside the border. */
const WINDOW = 11;

/** @throws WasmogradError ERR_SHAPE for a picture too small to be scored, named as `name` */
export function checkScorable(name: string, high: Size, border: number): void {
  const smallest = WINDOW + 2 * border;
  check(Math.min(high.width, high.height) >= smallest, "ERR_SHAPE", () => {
    return `${name}: expected at least ${smallest}x${smallest} pixels, got ${high.width}x${high.height}`;
  });
}

const toLevel = (v: number): number => Math.min(255, Math.max(0, Math.floor(v + 0.5)));

function lumaPlane(image: Image, grey: Protocol["grey"]): LumaPlane {
  const { width, height, channels, depth, data } = image;
  if (grey === "rgb" || channels > 2) return { width, height, data: luma(image) };
  const unit = 255 / (2 ** depth - 1);
  return { width, height, data: Float64Array.from({ length: width * height }, (_, i) => data[i * channels]! * unit) };
}

/** Bicubic in f32, without rounding. */
async function resizePlane({ width, height, data }: LumaPlane, output: Size): Promise<LumaPlane> {
  const kernels = await instantiateKernels();
  const { memory } = kernels;
  const whole = (size: Size) => ({ x: 0, y: 0, width: size.width, height: size.height });
  const from = allocatePlane(kernels, { width, height });
  const to = allocatePlane(kernels, output);
  const resizer = new PlaneResizer(kernels, { input: { width, height }, output });
  try {
    for (let y = 0; y < height; y++) {
      const row = Float32Array.from({ length: width }, (_, x) => data[y * width + x]!);
      memory.f32.set(row, (from.pointer + y * from.rowBytes) / 4);
    }
    resizer.run(from, whole({ width, height }), to, whole(output));
    const result = new Float32Array(output.width * output.height);
    for (let y = 0; y < output.height; y++) {
      const start = (to.pointer + y * to.rowBytes) / 4;
      result.set(memory.f32.subarray(start, start + output.width), y * output.width);
    }
    return { width: output.width, height: output.height, data: result };
  } finally {
    resizer.dispose();
    memory.free(from.pointer);
    memory.free(to.pointer);
  }
}

/** A pair of pictures as the protocol takes it. */
export async function lumaPair(high: Image, low: Image, { id, grey }: Protocol): Promise<LumaPair> {
  const target = lumaPlane(high, grey);
  if (id === "default") return { high: target, low: lumaPlane(low, grey) };
  const rounded = { ...target, data: Float64Array.from(target.data, toLevel) };
  return { high: rounded, low: await resizePlane(rounded, low) };
}

function score(high: LumaPlane, result: LumaPlane, { border, rounded }: Protocol): Score {
  const data = rounded ? Float64Array.from(result.data, toLevel) : result.data;
  return { psnr: psnr(high.data, data, high, border), ssim: ssim(high.data, data, high, border) };
}

/** Of the network alone, on luma. */
export function scoreNetwork(upscaler: Upscaler, { high, low }: LumaPair, protocol: Protocol): Score {
  const data = upscaler.upscaleLuma(Float32Array.from(low.data), low);
  return score(high, { width: high.width, height: high.height, data }, protocol);
}

/**
 * Of bicubic interpolation. Under the default protocol it is done on the picture, with 8 bits, and the luma of the result is not rounded
 * again; else on luma.
 */
export async function scoreBicubic(lowPicture: Image, { high, low }: LumaPair, protocol: Protocol): Promise<Score> {
  if (protocol.id !== "default") return score(high, await resizePlane(low, high), protocol);
  const enlarged = await resize(lowPicture, { width: high.width, height: high.height });
  return score(high, lumaPlane(enlarged, protocol.grey), { ...protocol, rounded: false });
}
