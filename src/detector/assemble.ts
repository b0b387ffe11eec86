/** The detector with its networks run by the engine, in f32: what a page loads when it asks for a detector. */
import { COCO_CLASSES } from "../detection/architecture.ts";
import { type Detection, Detector, type DetectorOptions } from "../detection/detector.ts";
import type { compile } from "../engine/compile.ts";
import type { CompiledNetwork } from "../engine/compiled-network.ts";
import { check } from "../errors.ts";
import type { ImageInput } from "../image/types.ts";
import type { instantiateKernels, KernelInstance } from "../kernels/load.ts";
import { type WasmOptions, wasmOf } from "../kernels/wasm-options.ts";
import type { FeatureMap, Network } from "../network/description.ts";
import { type DetectorNetworks, detectorNetworks, firstOutputs } from "./networks.ts";
import { loadDetectorWeights } from "./weights.ts";

/** Of `createDetector`. */
export interface CreateDetectorOptions extends DetectorOptions, WasmOptions {
  /** ran-i-t, ran-i-s, ran-i-b, convnext-t, convnext-s or convnext-b; or a network of stride 32 from [h, w, 3]. */
  readonly backbone: string | Network;
  /** A safetensors file: docs/detection.md has its names. None is shipped. */
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
  /** Frees its memory; the detector cannot be used after it. */
  dispose(): void;
  /** As `dispose`, for `using`. */
  [Symbol.dispose](): void;
}

/**
 * Proposals that the head sees at once. They lie in memory three times; more of them would read its weights less often, which was not
 * found to be faster from 16 on.
 */
const BATCH = 64;

/** Channels [0, count) and the rest of a map, each a map of its own. */
function split({ shape: [height, width, channels], data }: FeatureMap<Float32Array>, count: number) {
  const pixels = height * width;
  const rest = channels - count;
  const [first, second] = [new Float32Array(pixels * count), new Float32Array(pixels * rest)];
  for (let i = 0; i < pixels; i++) {
    const middle = i * channels + count;
    first.set(data.subarray(i * channels, middle), i * count);
    second.set(data.subarray(middle, middle + rest), i * rest);
  }
  return [
    { shape: [height, width, count] as const, data: first },
    { shape: [height, width, rest] as const, data: second },
  ] as const;
}

/** The engine's networks as the functions that a `Detector` asks. */
function connect(
  networks: DetectorNetworks,
  [backbone, rpn, head]: readonly [CompiledNetwork, CompiledNetwork, CompiledNetwork],
  options: DetectorOptions,
): Detector {
  const outputs = firstOutputs(networks);
  return new Detector(
    (image) => backbone.run(image),
    (features) => {
      const [objectness, deltas] = split(rpn.run(features), outputs.rpn);
      return { objectness, deltas };
    },
    ({ shape: [count, , inputs], data }) => {
      // Proposals side by side, as the kernel computes four columns at a time.
      const answer = head.run({ shape: [1, count, inputs], data });
      const [classes, deltas] = split({ shape: [count, 1, answer.shape[2]], data: answer.data }, outputs.head);
      return { classes, deltas };
    },
    { batch: BATCH, ...options },
  );
}

/** What runs networks, which a page has already: this file is bundled apart and would bring it along once more. */
export interface Engine {
  readonly compile: typeof compile;
  readonly instantiateKernels: typeof instantiateKernels;
}

/** `createDetector` behind the check of its argument. @throws as `createDetector` */
export async function assembleDetector(options: CreateDetectorOptions, engine: Engine): Promise<PictureDetector> {
  const { backbone, weights, classes = COCO_CLASSES, kernels: given, ...detectorOptions } = options;
  const networks = detectorNetworks(backbone, classes);
  check(weights instanceof Uint8Array, "ERR_ARGUMENT", () => {
    return `weights: expected the bytes of a safetensors file as a Uint8Array, got ${typeof weights}`;
  });
  const loaded = loadDetectorWeights(weights, networks);
  const kernels = given ?? (await engine.instantiateKernels(wasmOf(options)));
  const compiled: CompiledNetwork[] = [];
  const dispose = (): void => {
    for (const network of compiled) network.dispose();
  };
  try {
    for (const part of ["backbone", "rpn", "head"] as const) {
      compiled.push(await engine.compile({ network: networks[part], weights: loaded[part] }, { kernels }));
    }
    const parts = compiled as unknown as readonly [CompiledNetwork, CompiledNetwork, CompiledNetwork];
    const detector = connect(networks, parts, detectorOptions);
    return {
      detect: (picture) => detector.detect(picture),
      get memoryBytes() {
        return kernels.memory.byteLength;
      },
      dispose,
      [Symbol.dispose]: dispose,
    };
  } catch (error) {
    dispose();
    throw error;
  }
}
