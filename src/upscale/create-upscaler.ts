import { absoluteUrl } from "../absolute-url.ts";
import { check, checkObject } from "../errors.ts";
import { availableThreads } from "../worker/host.ts";
import { createNetwork, type NetworkOptions } from "./create-network.ts";
import { Upscaler } from "./upscaler.ts";

/** More than any machine of the day has; a typing error rather than a wish. */
export const MOST_THREADS = 256;

/** Of `createUpscaler`. */
export interface UpscalerOptions extends NetworkOptions {
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
  const { threads, workerUrl, ...network } = options;
  const known = threads === undefined || (Number.isInteger(threads) && threads >= 1 && threads <= MOST_THREADS);
  check(known, "ERR_ARGUMENT", () => `threads: expected an integer from 1 to ${MOST_THREADS}, got ${String(threads)}`);
  const count = threads ?? Math.min(availableThreads(), MOST_THREADS);
  const url = workerUrl === undefined ? undefined : absoluteUrl("workerUrl", workerUrl);
  const required = threads !== undefined;
  return new Upscaler(await createNetwork(network), { count, required, options: network, workerUrl: url });
}
