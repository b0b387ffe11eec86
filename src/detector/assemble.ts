/** The detector with its networks run by the engine, in f32: what a page loads when it asks for a detector. */
import { COCO_CLASSES } from "../detection/architecture.ts";
import { Detector, type DetectorOptions } from "../detection/detector.ts";
import { compile } from "../engine/compile.ts";
import type { CompiledNetwork } from "../engine/compiled-network.ts";
import { check } from "../errors.ts";
import { instantiateKernels } from "../kernels/load.ts";
import type { FeatureMap } from "../network/description.ts";
import type { CreateDetectorOptions, PictureDetector } from "./create-detector.ts";
import { type DetectorNetworks, detectorNetworks, firstOutputs } from "./networks.ts";
import { loadDetectorWeights } from "./weights.ts";

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

/** `createDetector` behind the checks of its argument. @throws as `createDetector` */
export async function assembleDetector(options: CreateDetectorOptions): Promise<PictureDetector> {
  const { backbone, weights, classes = COCO_CLASSES, kernels: given, ...detectorOptions } = options;
  const networks = detectorNetworks(backbone, classes);
  check(weights instanceof Uint8Array, "ERR_ARGUMENT", () => {
    return `weights: expected the bytes of a safetensors file as a Uint8Array, got ${typeof weights}`;
  });
  const loaded = loadDetectorWeights(weights, networks);
  const kernels = given ?? (await instantiateKernels());
  const compiled: CompiledNetwork[] = [];
  const dispose = (): void => {
    for (const network of compiled) network.dispose();
  };
  try {
    for (const part of ["backbone", "rpn", "head"] as const) {
      compiled.push(await compile({ network: networks[part], weights: loaded[part] }, { kernels }));
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
