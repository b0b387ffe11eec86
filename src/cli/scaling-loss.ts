/** What filter scaling costs on pictures: PSNR of SESR-M5 x2 with scaled filters less that with exact ones. */
import { basename, resolve } from "node:path";
import { check } from "../errors.ts";
import { createUpscaler } from "../upscale/create-upscaler.ts";
import type { Upscaler } from "../upscale/upscaler.ts";
import type { FilterScaling } from "../winograd/filter-scaling.ts";
import { findPairs, loadPair } from "./picture-sets.ts";
import { defaultProtocol } from "./protocol.ts";
import { checkScorable, lumaPair, scoreNetwork } from "./scores.ts";
import { pause } from "./terminal.ts";

const SCALE = 2;
const PROTOCOL = defaultProtocol(SCALE);

/** The paper's algorithm, so the 3x3 layers; the others stay direct. */
const ALGORITHM = "f4x4-3x3-complex";

export const SCHEMES: readonly FilterScaling[] = [
  { bits: 9, granularity: "static" },
  { bits: 9, granularity: "layer" },
  { bits: 9, granularity: "tap" },
  { bits: 9, granularity: "tap-channel" },
  { bits: 8, granularity: "tap" },
];

export interface SetLoss {
  readonly set: string;
  readonly pictures: number;
  /** Mean PSNR with exact filters, dB. */
  readonly exactPsnr: number;
  /** In the order of SCHEMES: exact less scaled, dB; negative where scaling helps. */
  readonly losses: readonly (FilterScaling & { readonly lossDb: number })[];
}

/**
 * Measures each set. @param directories as `evaluate` takes them
 * @throws WasmogradError ERR_IO, ERR_SHAPE, ERR_FORMAT; the signal's reason when aborted
 */
export async function scalingLosses(
  directories: readonly string[],
  signal: AbortSignal,
  onProgress: (fraction: number, name: string) => void,
): Promise<SetLoss[]> {
  const upscalers: Upscaler[] = [];
  try {
    upscalers.push(await createUpscaler({ scale: SCALE }));
    for (const filterScaling of SCHEMES) {
      upscalers.push(await createUpscaler({ scale: SCALE, algorithm: ALGORITHM, filterScaling }));
    }
    return await measure(upscalers, directories, signal, onProgress);
  } finally {
    for (const upscaler of upscalers) upscaler.dispose();
  }
}

/** @param upscalers with exact filters, then with each scheme */
async function measure(
  upscalers: readonly Upscaler[],
  directories: readonly string[],
  signal: AbortSignal,
  onProgress: (fraction: number, name: string) => void,
): Promise<SetLoss[]> {
  const sets: SetLoss[] = [];
  for (const [d, directory] of directories.entries()) {
    const pairs = await findPairs(directory, SCALE);
    check(pairs.length > 0, "ERR_IO", () => `${directory}: no pictures`);
    const sums = new Array<number>(upscalers.length).fill(0);
    for (const [i, pair] of pairs.entries()) {
      onProgress((d + i / pairs.length) / directories.length, pair.name);
      const { high, low } = await loadPair(pair, SCALE);
      checkScorable(pair.high, high, SCALE);
      const planes = await lumaPair(high, low, PROTOCOL);
      for (const [u, upscaler] of upscalers.entries()) {
        await pause(signal);
        sums[u]! += scoreNetwork(upscaler, planes, PROTOCOL).psnr / pairs.length;
      }
    }
    sets.push({
      set: basename(resolve(directory)),
      pictures: pairs.length,
      exactPsnr: sums[0]!,
      losses: SCHEMES.map((scheme, i) => ({ ...scheme, lossDb: sums[0]! - sums[i + 1]! })),
    });
  }
  return sets;
}
