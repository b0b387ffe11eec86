/** PSNR that scaled filters cost on pictures: docs/images/winograd-psnr.json, which --measure writes and the figure and tables read. */
import { readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { basename, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { findPairs, loadPair, type Pair } from "../../src/cli/picture-sets.ts";
import { defaultProtocol } from "../../src/cli/protocol.ts";
import { lumaPair, scoreNetwork } from "../../src/cli/scores.ts";
import { GRANULARITIES, type Granularity } from "../../src/winograd/filter-scaling.ts";

const FILE = fileURLToPath(new URL("../../docs/images/winograd-psnr.json", import.meta.url));
const SCALE = 2;
const PROTOCOL = defaultProtocol(SCALE);
export const PSNR_BITS = [8, 9, 10] as const;
/** By name: complex Winograd in the five 3x3 layers, the others direct. "winograd": in the two 5x5 layers too. */
export const PSNR_ALGORITHMS = ["f4x4-3x3-complex", "winograd"] as const;
export type PsnrAlgorithm = (typeof PSNR_ALGORITHMS)[number];

export interface PsnrSet {
  readonly set: string;
  readonly pictures: number;
  /** Mean PSNR with exact filters, dB. */
  readonly exactPsnr: number;
  /** Exact less scaled, dB, in the order of `bits`; negative where rounding helps. */
  readonly losses: Readonly<Record<PsnrAlgorithm, Readonly<Record<Granularity, readonly number[]>>>>;
}

export interface PsnrMeasurement {
  readonly what: string;
  readonly command: string;
  readonly machine: string;
  readonly runtime: string;
  readonly date: string;
  readonly bits: readonly number[];
  readonly sets: readonly PsnrSet[];
}

export function readPsnr(): PsnrMeasurement {
  return JSON.parse(readFileSync(FILE, "utf8")) as PsnrMeasurement;
}

const round = (x: number): number => Number(x.toFixed(4)) + 0;

/** Measures the sets and writes the file. @param directories as `evaluate` takes them */
export async function measurePsnr(directories: readonly string[]): Promise<void> {
  // Here and not above: it needs the generated modules, which drawing does without.
  const { createUpscaler } = await import("../../src/upscale/create-upscaler.ts");
  const sets = await Promise.all(
    directories.map(async (directory) => {
      const load = async (pair: Pair) => {
        const { high, low } = await loadPair(pair, SCALE);
        return lumaPair(high, low, PROTOCOL);
      };
      const pairs = await Promise.all((await findPairs(directory, SCALE)).map(load));
      return { set: basename(resolve(directory)), pairs };
    }),
  );
  /** Mean PSNR of each set. */
  const psnr = async (options: Parameters<typeof createUpscaler>[0]): Promise<number[]> => {
    const upscaler = await createUpscaler({ scale: SCALE, ...options });
    const means = sets.map(({ pairs }) => {
      const sum = pairs.reduce((total, pair) => total + scoreNetwork(upscaler, pair, PROTOCOL).psnr, 0);
      return sum / pairs.length;
    });
    upscaler.dispose();
    return means;
  };
  const exact = await psnr({});
  const measured = new Map<string, number[]>();
  for (const algorithm of PSNR_ALGORITHMS) {
    for (const granularity of GRANULARITIES) {
      for (const bits of PSNR_BITS) {
        const means = await psnr({ algorithm, filterScaling: { bits, granularity } });
        const losses = means.map((mean, s) => exact[s]! - mean);
        measured.set(`${algorithm} ${granularity} ${bits}`, losses);
        console.log(`${algorithm}, ${bits} bits ${granularity}: ${losses.map((loss) => loss.toFixed(4)).join(" ")}`);
      }
    }
  }
  const lossesOf = (s: number, algorithm: PsnrAlgorithm) =>
    Object.fromEntries(
      GRANULARITIES.map((g) => [g, PSNR_BITS.map((bits) => round(measured.get(`${algorithm} ${g} ${bits}`)![s]!))]),
    ) as Record<Granularity, number[]>;
  const result: PsnrMeasurement = {
    what: "mean PSNR on luma of SESR-M5 x2 in int8, exact filters less scaled ones, dB; protocol of wasmograd evaluate",
    command: "npx tsx scripts/winograd-figures.ts --measure DIR,DIR",
    machine: cpus()[0]?.model.trim() ?? "unknown",
    runtime: `Node ${process.versions.node}`,
    date: new Date().toISOString().slice(0, 10),
    bits: PSNR_BITS,
    sets: sets.map(({ set, pairs }, s) => ({
      set,
      pictures: pairs.length,
      exactPsnr: round(exact[s]!),
      losses: { "f4x4-3x3-complex": lossesOf(s, "f4x4-3x3-complex"), winograd: lossesOf(s, "winograd") },
    })),
  };
  const text = JSON.stringify(result, null, 2).replace(/\[\s+([-\d.,\s]+?)\s+\]/g, (_, list: string) => {
    return `[${list.replace(/\s+/g, " ")}]`;
  });
  writeFileSync(FILE, `${text}\n`);
}
