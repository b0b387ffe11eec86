/** Times networks of one layer, and whole networks, for the CPU model: in WebAssembly, on one thread, as the engine runs them. */
import { type CompileOptions, compile } from "../engine/compile.ts";
import { instantiateKernels, type KernelInstance } from "../kernels/load.ts";
import type { Network } from "../network/description.ts";
import { pause } from "../pause.ts";
import { type RandomSource, randomSource } from "../random.ts";
import { caseNetwork, type KernelCase } from "./kernel-cases.ts";
import { median, quartiles, timeOf, warmUp } from "./measure.ts";
import { quantised, randomModel } from "./random-model.ts";
import { rooflineProbes } from "./roofline.ts";

/** A network, its input's size and how it is compiled. */
export interface TimedRun {
  readonly network: Network;
  readonly height: number;
  readonly width: number;
  readonly precision: "f32" | "int8";
  readonly algorithm?: CompileOptions["algorithm"];
  /** All rows in one strip: layer by layer. */
  readonly whole?: boolean;
}

/**
 * f32 zeros, as a layer that runs in place reads what it has written, and values that shrink from run to run end in subnormal ones, which
 * are slow; int8 values of all sizes.
 */
function fill(kernels: KernelInstance, pointer: number, bytes: number, precision: "f32" | "int8"): void {
  const { memory } = kernels;
  if (precision === "f32") memory.f32.fill(0, pointer >> 2, (pointer + bytes) >> 2);
  else for (let i = 0; i < bytes; i++) memory.i8[pointer + i] = ((i * 7919) % 255) - 127;
}

async function ready(kernels: KernelInstance, timed: TimedRun, random: RandomSource) {
  const { network, height, width, precision, algorithm = "auto", whole } = timed;
  const model = randomModel(network, random);
  const compiled = await compile(precision === "int8" ? quantised(model) : model, { kernels, algorithm });
  const plan = compiled.createPlan(height, width, whole ? { stripRows: height } : {});
  const { precision: type } = compiled;
  let filled = false;
  const read = (begin: number, end: number, pointer: number): void => {
    if (filled) return;
    const [, columns, channels] = plan.inputShape;
    fill(kernels, pointer, (end - begin) * columns * channels * (type === "f32" ? 4 : 1), type);
  };
  const nothing = (): void => {};
  plan.run(read, nothing);
  filled = true;
  return {
    strips: plan.strips,
    algorithms: compiled.algorithms,
    run: () => plan.run(read, nothing),
    dispose: () => {
      plan.dispose();
      compiled.dispose();
    },
  };
}

const WARM_UP_MS = 12;
const SAMPLE_MS = 0.3;
const PASSES = 3;
/** Of each pass. */
const SAMPLES = 7;
/** About 0.1 ms: long beside the timer, short beside a change of the clock. */
const PROBE_STEPS = 1500;
const PROBE_WARM_UPS = 50;

export interface TimingSettings {
  /** Milliseconds from any zero; `performance.now` unless given. On a machine shared with others the processor time of the process tells more. */
  readonly clock?: () => number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (fraction: number, name: string) => void;
}

export interface Timed {
  readonly ms: number;
  readonly strips: number;
  /** Of each convolution. */
  readonly algorithms: Readonly<Record<string, string>>;
}

export interface Timings {
  readonly timed: readonly Timed[];
  /** Multiply-accumulates a second of the probes of roofline.ts. */
  readonly macsPerSecond: { readonly int8: number; readonly f32: number };
}

/**
 * Milliseconds of each run on one thread. Every sample stands between two runs of a probe that only multiplies and adds in registers, and
 * counts in the probe's time: a machine shared with others changes its clock within seconds, and both alike. All runs are timed in several
 * passes, so that no disturbance meets all samples of one. The median of these ratios times the lower quartile of the probe's times, which
 * is the machine left alone, is the result.
 * @throws WasmogradError as `compile`; the signal's reason when aborted
 */
export async function timeRuns(
  runs: readonly TimedRun[],
  { clock = () => performance.now(), signal, onProgress }: TimingSettings = {},
): Promise<Timings> {
  const time = (run: () => void, repeats = 1): number => timeOf(run, repeats, clock);
  const kernels = await instantiateKernels();
  const probes = await rooflineProbes(PROBE_STEPS);
  /** Of the probe, which a run has driven out of the caches: so it is run once before. */
  const probeTime = (): number => {
    probes.dot();
    return time(probes.dot);
  };
  for (let i = 0; i < PROBE_WARM_UPS; i++) {
    probes.dot();
    probes.f32();
  }
  const probeTimes: number[] = [];
  const f32Ratios: number[] = [];
  const ratios: number[][] = runs.map(() => []);
  const found: Omit<Timed, "ms">[] = [];
  for (let pass = 0; pass < PASSES; pass++) {
    const random = randomSource(1);
    for (const [i, one] of runs.entries()) {
      onProgress?.((pass + i / runs.length) / PASSES, one.network.name);
      if (i % 16 === 0) await pause();
      signal?.throwIfAborted();
      const prepared = await ready(kernels, one, random);
      const repeats = Math.max(1, Math.ceil(SAMPLE_MS / warmUp(prepared.run, WARM_UP_MS)));
      let before = probeTime();
      for (let n = 0; n < SAMPLES; n++) {
        const own = time(prepared.run, repeats);
        const after = probeTime();
        ratios[i]!.push((2 * own) / (before + after));
        probeTimes.push(after);
        before = after;
      }
      probes.f32();
      f32Ratios.push(time(probes.f32) / time(probes.dot));
      prepared.dispose();
      const algorithms = Object.fromEntries([...prepared.algorithms].map(([name, { algorithm }]) => [name, algorithm]));
      found[i] = { strips: prepared.strips, algorithms };
    }
  }
  const probe = quartiles(probeTimes).lower;
  return {
    timed: found.map((rest, i) => ({ ms: Number((median(ratios[i]!) * probe).toPrecision(4)), ...rest })),
    macsPerSecond: {
      int8: (1000 * probes.dotMacs) / probe,
      f32: (1000 * probes.f32Macs) / (probe * median(f32Ratios)),
    },
  };
}

/** A case as it is timed: all rows at once. */
export const caseRun = (c: KernelCase): TimedRun => ({
  network: caseNetwork(c),
  height: c.height,
  width: c.width,
  precision: c.precision,
  whole: true,
  ...(c.algorithm && { algorithm: c.algorithm }),
});

/** Capacities in bytes of one core's caches; 0: there is none. */
export interface Caches {
  readonly l1: number;
  readonly l2: number;
  readonly l3: number;
}

export interface Bandwidths extends Caches {
  readonly dram: number;
}

const DRAM_BYTES = 256 << 20;
/** Of the second cache's size: what is copied in the third. */
const SHARED_SHARE = 8;
const COPY_ROUNDS = 15;
const COPY_BYTES = 16 << 20;

/** Bytes a second that a copy moves, reads and writes counted, between buffers that together fill half of each cache or lie in DRAM. */
export function copyBandwidths(caches: Caches): Bandwidths {
  const of = (bytes: number): number => {
    const half = Math.max(1024, bytes >> 2);
    const memory = new Uint8Array(2 * half).fill(1);
    const repeats = Math.max(1, Math.round(COPY_BYTES / half));
    const copy = (): void => void memory.copyWithin(half, 0, half);
    warmUp(copy, WARM_UP_MS);
    const times = Array.from({ length: COPY_ROUNDS }, () => timeOf(copy, repeats));
    return Math.round((2000 * half) / median(times));
  };
  const { l1, l2, l3 } = caches;
  // What others leave of a shared cache is not known: a small part of it is there in any case.
  const shared = Math.min(l3, SHARED_SHARE * l2);
  return { l1: of(l1), l2: of(l2), l3: of(l3 === 0 ? l2 : shared), dram: of(DRAM_BYTES) };
}
