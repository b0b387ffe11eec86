import { absoluteUrl } from "../absolute-url.ts";
import { check, checkObject } from "../errors.ts";
import { availableThreads } from "../worker/host.ts";
import { createNetwork, type NetworkOptions, shippedScales } from "./create-network.ts";
import { checkFactor, nearestScale } from "./target-size.ts";
import { Upscaler } from "./upscaler.ts";

/** More than any machine of the day has; a typing error rather than a wish. */
export const MOST_THREADS = 256;

/** Of `createUpscaler`. */
export interface UpscalerOptions extends Omit<NetworkOptions, "scale"> {
  /**
   * 2 (default) or 4, for which networks are trained; or any other factor from 1 to 16, for which the network of the nearest one is followed
   * by a bicubic resize. With weights of your own 2 or 4, as they were trained.
   */
  readonly scale?: number;
  /**
   * Threads for larger pictures; by default as many as there are processors. 1: pictures are computed where `upscale` is called, which
   * gives way to timers and input every 10 ms or so. The result does not depend on it, bit for bit.
   */
  readonly threads?: number;
  /**
   * Address of the threads' script, absolute or relative to the page, of its origin: a module that calls `serveUpscaler` of
   * "wasmograd/worker". By default `worker.js` beside the library, which most bundlers find and bring along.
   */
  readonly workerUrl?: string | URL;
}

/**
 * Makes an upscaler: loads the kernels, the weights and, for int8, quantises them. The networks are SESR's (arXiv 2103.09404), their
 * weights ours (weights/README.md).
 *
 * @example
 * using upscaler = await createUpscaler({ model: "sesr-m5", scale: 2, precision: "int8" });
 * const picture = await upscaler.upscale(image, { onProgress: ({ fraction }) => console.log(fraction) });
 * @throws WasmogradError ERR_ARGUMENT (unknown model, scale or precision, a combination without weights), ERR_WEIGHTS, ERR_FORMAT,
 *   ERR_QUANTIZATION, ERR_WASM, ERR_OUT_OF_MEMORY
 */
export async function createUpscaler(options: UpscalerOptions = {}): Promise<Upscaler> {
  checkObject("options", options);
  const { threads, workerUrl, scale = 2, ...others } = options;
  const known = threads === undefined || (Number.isInteger(threads) && threads >= 1 && threads <= MOST_THREADS);
  check(known, "ERR_ARGUMENT", () => `threads: expected an integer from 1 to ${MOST_THREADS}, got ${String(threads)}`);
  const count = threads ?? Math.min(availableThreads(), MOST_THREADS);
  const url = workerUrl === undefined ? undefined : absoluteUrl("workerUrl", workerUrl);
  const network: NetworkOptions = { ...others, scale: networkScale(scale, options) };
  const threading = { count, required: threads !== undefined, options: network, workerUrl: url };
  return new Upscaler(await createNetwork(network), threading, scale);
}

/** The factor of the network for a wanted one. */
function networkScale(scale: number, { model = "sesr-m5", weights }: UpscalerOptions): 2 | 4 {
  if (scale === 2 || scale === 4) return scale;
  const own = () => `scale: expected 2 or 4 with weights of your own, got ${String(scale)}`;
  check(weights === undefined, "ERR_ARGUMENT", own);
  checkFactor(scale);
  const trained = shippedScales(model);
  return trained.length > 0 ? nearestScale(scale, trained) : 2;
}
