/** The public door to the detector. What is behind it is imported when it is asked for, as most pages never do. */
import type { Detection, DetectorOptions } from "../detection/detector.ts";
import { checkObject } from "../errors.ts";
import type { ImageInput } from "../image/types.ts";
import type { KernelInstance } from "../kernels/load.ts";
import type { Network } from "../network/description.ts";

export interface CreateDetectorOptions extends DetectorOptions {
  /** ran-i-t, ran-i-s, ran-i-b, convnext-t, convnext-s or convnext-b; or a network of stride 32 from [h, w, 3]. */
  readonly backbone: string | Network;
  /** A safetensors file: see `loadDetectorWeights`. None is shipped. */
  readonly weights: Uint8Array;
  /** With the background, which is class 0; 91, COCO's. */
  readonly classes?: number;
  /** The kernel instance to run on; a fresh one by default. */
  readonly kernels?: KernelInstance;
}

/** A detector that holds WebAssembly memory. */
export interface PictureDetector {
  /**
   * What is in the picture, by falling score.
   * @throws WasmogradError ERR_ARGUMENT, ERR_SHAPE for a picture that is none or too narrow, ERR_OUT_OF_MEMORY, ERR_DISPOSED
   */
  detect(picture: ImageInput): Detection[];
  /** Bytes of WebAssembly memory held at present. */
  readonly memoryBytes: number;
  dispose(): void;
  [Symbol.dispose](): void;
}

/**
 * RAN's two-stage detector (arXiv 2208.08562, official code) in WebAssembly, f32, one thread.
 *
 * @example
 * const detector = await createDetector({ backbone: "ran-i-s", weights: await readFile("detector.safetensors") });
 * for (const { box, label, score } of detector.detect(picture)) draw(box, label, score);
 *
 * @throws WasmogradError ERR_ARGUMENT (unknown backbone, options), ERR_NETWORK, ERR_FORMAT and ERR_WEIGHTS (every missing, extra and misshapen
 *   tensor at once), ERR_WASM, ERR_OUT_OF_MEMORY
 */
export async function createDetector(options: CreateDetectorOptions): Promise<PictureDetector> {
  checkObject("options", options);
  return (await import("./assemble.ts")).assembleDetector(options);
}
