/** What RAN-e's blocks cost on this machine: each compiled as a small int8 network with random weights, and timed. */
import { compile } from "../engine/compile.ts";
import { instantiateKernels, type KernelInstance } from "../kernels/load.ts";
import type { Network } from "../network/description.ts";
import { pause } from "../pause.ts";
import { CostTable } from "../ran/block-costs.ts";
import { type BlockShape, blockNetwork, shapeName, withoutFirstNorm } from "../ran/block-shape.ts";
import { type RandomSource, randomSource } from "../random.ts";
import { median, warmUp } from "./measure.ts";
import { quantised, randomModel } from "./random-model.ts";

export interface TimingOptions {
  /**
   * Milliseconds from any zero; `performance.now` unless given. On a machine shared with others, the processor time of this process tells
   * more: a run of a few milliseconds is seldom left alone.
   */
  readonly clock?: () => number;
  /** Of the rounds, beside preparation and warm-up; 20 unless given. At least 5 rounds are run. */
  readonly seconds?: number;
  /** Checked between rounds. */
  readonly signal?: AbortSignal;
  /** `fraction` of all is done, `name` is next. */
  readonly onProgress?: (fraction: number, name: string) => void;
}

export const SECONDS = 20;
const FEWEST_ROUNDS = 5;
/** Until V8 has optimised what a block calls; later blocks find most of it done. */
const WARM_UP_MS = 20;
/** Of a progress bar, before the rounds. */
const PREPARATION = 0.2;

/** A network and the input that it is timed with. */
export interface TimedNetwork {
  readonly network: Network;
  readonly height: number;
  readonly width: number;
}

/** A network that runs on what lies in its input's rows, and how to be rid of it. */
async function ready(kernels: KernelInstance, { network, height, width }: TimedNetwork, random: RandomSource) {
  const compiled = await compile(quantised(randomModel(network, random)), { kernels });
  const plan = compiled.createPlan(height, width);
  const nothing = (): void => {};
  return {
    run: () => plan.run(nothing, nothing),
    dispose: () => {
      plan.dispose();
      compiled.dispose();
    },
  };
}

/**
 * Milliseconds of each network in each round, [network][round], in int8 with random weights on one thread, as the engine runs it in strips
 * of rows. After a warm-up all take turns, once a round: what changes the machine's speed meets all of them, and each finds its
 * weights out of the nearest caches, as layers of a network that has others do.
 * @throws WasmogradError ERR_OUT_OF_MEMORY and as `compile`; the signal's reason when aborted
 */
export async function timeNetworks(
  networks: readonly TimedNetwork[],
  options: TimingOptions = {},
): Promise<number[][]> {
  const { seconds = SECONDS, clock = () => performance.now(), signal, onProgress } = options;
  const kernels = await instantiateKernels();
  const random = randomSource(1);
  const prepared: Awaited<ReturnType<typeof ready>>[] = [];
  const turn = async (fraction: number, name: string): Promise<void> => {
    onProgress?.(fraction, name);
    await pause();
    signal?.throwIfAborted();
  };
  const samples: number[][] = networks.map(() => []);
  try {
    for (const [i, timed] of networks.entries()) {
      await turn((PREPARATION * i) / networks.length, timed.network.name);
      const { run } = prepared[prepared.push(await ready(kernels, timed, random)) - 1]!;
      warmUp(run, WARM_UP_MS);
    }
    const begin = performance.now();
    const done = (): number => (performance.now() - begin) / (1000 * seconds);
    for (let round = 0; done() < 1 || round < FEWEST_ROUNDS; round++) {
      await turn(PREPARATION + (1 - PREPARATION) * Math.min(1, done()), `round ${round + 1}`);
      for (const [i, { run }] of prepared.entries()) {
        const start = clock();
        run();
        samples[i]!.push(clock() - start);
      }
    }
  } finally {
    for (const { dispose } of prepared) dispose();
  }
  return samples;
}

/**
 * What each distinct shape costs: medians of `timeNetworks`. Sums over a network come out some per cent above the network's own time, as
 * what one block leaves in the caches is of no use to the one that is timed next.
 * @param device what the table will say was measured; this file knows no machine
 * @throws WasmogradError as `timeNetworks`
 */
export async function measureRanECosts(
  shapes: readonly BlockShape[],
  device: string,
  options: TimingOptions = {},
): Promise<CostTable> {
  const distinct = [...new Map(shapes.map((shape) => [shapeName(shape), shape])).values()];
  const networks = distinct.map((shape): TimedNetwork => {
    const { height, width } = shape;
    return { network: withoutFirstNorm(blockNetwork(shape), shape), height, width };
  });
  const samples = await timeNetworks(networks, options);
  const entries = distinct.map((shape, i) => ({ ...shape, cost: Number(median(samples[i]!).toPrecision(5)) }));
  return new CostTable(device, "ms", entries);
}
