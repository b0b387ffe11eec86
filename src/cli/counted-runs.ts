/** Every algorithm with an exact kernel run by the counting executor on a small layer, beside direct convolution and its own formula. */
import { isDeepStrictEqual } from "node:util";
import { CATALOGUE } from "../winograd/catalogue.ts";
import { type LayerCounts, predictCounts, runCounted, runDirect } from "../winograd/counting.ts";
import { nestedOfKernel, WINOGRAD_KERNELS } from "../winograd/kernel-table.ts";
import { transforms } from "../winograd/transforms.ts";

export interface CountedRun {
  readonly algorithm: string;
  readonly kernel: string;
  /** What was run: height x width x input channels -> output channels. */
  readonly layer: string;
  /** Multiplications of direct convolution, and of this algorithm. */
  readonly directMultiplications: number;
  readonly counts: LayerCounts;
  readonly reduction: number;
  /** The count equals the formula; the results equal direct convolution. */
  readonly asPredicted: boolean;
  readonly same: boolean;
}

/** 16 x 16 outputs, so that no tile hangs over; few channels, as each operation is a call. */
const OUTPUTS = 16;
const CHANNELS = 4;

export function countedRuns(): CountedRun[] {
  const values = (length: number, step: number): Int8Array => Int8Array.from({ length }, (_, i) => i * step);
  return WINOGRAD_KERNELS.filter(({ dtype }) => dtype === "s8").map((entry) => {
    const found = transforms(nestedOfKernel(entry));
    const { r } = found.nested.vertical.algorithm;
    const size = OUTPUTS + r - 1;
    const layer = { height: size, width: size, ic: CHANNELS, oc: CHANNELS };
    const [x, w] = [values(size * size * CHANNELS, 37), values(CHANNELS * r * r * CHANNELS, 29)];
    const direct = runDirect(layer, [r, r], x, w);
    const { counts, output } = runCounted(found, layer, x, w);
    return {
      algorithm: CATALOGUE.find(({ id }) => id === entry.algorithm)!.title,
      kernel: entry.kernel,
      layer: `${size}x${size}x${CHANNELS} -> ${CHANNELS}`,
      directMultiplications: direct.counts.multiplications,
      counts,
      reduction: direct.counts.multiplications / counts.multiplications,
      asPredicted: isDeepStrictEqual(counts, predictCounts(found, layer)),
      same: direct.output.every((y, i) => y === output[i]),
    };
  });
}
