/** Measures the trained networks of training/attention-study in this library: right answers on the test pictures, and time. */
import { existsSync, readFileSync } from "node:fs";
import { compactAttention } from "../../src/attention/compact.ts";
import type { AttentionMember } from "../../src/attention/family.ts";
import { quartiles, relativeSpread } from "../../src/bench/measure.ts";
import { argmax } from "../../src/cli/classification.ts";
import { classifierInput } from "../../src/cli/classifier-input.ts";
import { compile } from "../../src/engine/compile.ts";
import type { CompiledNetwork } from "../../src/engine/compiled-network.ts";
import { loadWeights } from "../../src/formats/weights-file.ts";
import type { FeatureMap } from "../../src/network/description.ts";
import { weightShapes } from "../../src/network/weights.ts";
import { absolute } from "../documents.ts";
import { studyNetwork } from "./networks.ts";
import { FOLDER, KINDS, type Kind, MEMBERS, type Run, readRuns, rightBits, runName } from "./runs.ts";

/** One trained network, run here. */
export interface Accuracy {
  readonly kind: Kind;
  readonly member: AttentionMember;
  readonly seed: number;
  readonly right: number;
  /** Pictures that PyTorch has right and this library wrong, or the other way round. */
  readonly otherThanPyTorch: number;
  /** Of those the largest difference between the best two outputs, 0 where there are none: small ones are ties. */
  readonly widestMargin: number;
}

export interface Time {
  readonly kind: Kind;
  readonly member: AttentionMember;
  /** Median over rounds, of one picture. */
  readonly medianMs: number;
  readonly quartilesMs: readonly [number, number];
}

const INPUT = [32, 32] as const;

const weightsFile = (run: Pick<Run, "kind" | "member" | "seed">): string =>
  absolute(`${FOLDER}/${runName(run)}.safetensors`);

/** Weights are kept of some seeds only. */
const hasWeights = (run: Run): boolean => existsSync(weightsFile(run));

async function compiled(run: Run): Promise<CompiledNetwork> {
  const network = compactAttention(studyNetwork(run.kind, run), run.member);
  return compile({ network, weights: loadWeights(readFileSync(weightsFile(run)), network) });
}

interface Picture {
  readonly input: FeatureMap<Float32Array>;
  readonly label: number;
}

/** Where training keeps what libjpeg decoded, so that both sides see the same pixels; git ignores it. */
const CACHE = "training/cache";

async function readPictures(): Promise<Picture[]> {
  const read = (name: string): Uint8Array => readFileSync(absolute(`${CACHE}/test-${name}.u8`));
  const [pixels, labels] = [read("pixels"), read("labels")];
  const [height, width] = INPUT;
  const size = height * width * 3;
  const inputs: Picture[] = [];
  for (const [i, label] of labels.entries()) {
    const data = pixels.subarray(i * size, (i + 1) * size);
    inputs.push({ input: await classifierInput({ width, height, channels: 3, depth: 8, data }, INPUT), label });
  }
  return inputs;
}

/** Of the largest output over the next. */
function margin(outputs: Float32Array): number {
  const [first, second] = [...outputs].sort((a, b) => b - a);
  return first! - second!;
}

async function accuracyOf(run: Run, pictures: readonly Picture[]): Promise<Accuracy> {
  const network = await compiled(run);
  const theirs = rightBits(run);
  let [right, otherThanPyTorch, widestMargin] = [0, 0, 0];
  for (const [i, { input, label }] of pictures.entries()) {
    const { data } = network.run(input);
    const isRight = argmax(data) === label;
    if (isRight) right++;
    if (isRight === (theirs[i] === 1)) continue;
    otherThanPyTorch++;
    widestMargin = Math.max(widestMargin, margin(data));
  }
  network.dispose();
  const { kind, member, seed } = run;
  return { kind, member, seed, right, otherThanPyTorch, widestMargin };
}

/** Every run that is among `known`, or has its weights, on the test pictures. */
export async function measureAccuracy(known: readonly Accuracy[]): Promise<Accuracy[]> {
  const runs = readRuns();
  const found = new Map(known.map((accuracy) => [runName(accuracy), accuracy]));
  const wanted = runs.filter((run) => hasWeights(run) && !found.has(runName(run)));
  const pictures = wanted.length > 0 ? await readPictures() : [];
  for (const run of wanted) {
    if (run.pictures !== pictures.length) {
      throw new Error(`${CACHE}: expected ${run.pictures} pictures, got ${pictures.length}`);
    }
    found.set(runName(run), await accuracyOf(run, pictures));
  }
  return runs.flatMap((run) => found.get(runName(run)) ?? []);
}

const WARM_UP_RUNS = 500;

/** Rounds in each of which every network computes so many pictures, in turn, so that a change of clock speed meets all alike. */
export const ROUNDS = { rounds: 61, pictures: 40 } as const;

/** Half the distance between quartiles over the median, above which somebody else was at work. */
const MOST_SPREAD = 0.05;

/**
 * Every member with the weights of a trained `standard`, of which it reads a part: time does not depend on what they are.
 * @throws Error when times are spread too widely to be worth keeping
 */
export async function measureTimes(): Promise<Time[]> {
  const data = Float32Array.from({ length: INPUT[0] * INPUT[1] * 3 }, (_, i) => Math.sin(i * i));
  const input = { shape: [...INPUT, 3] as const, data };
  const subjects: {
    readonly kind: Kind;
    readonly member: AttentionMember;
    readonly network: CompiledNetwork;
    readonly times: number[];
  }[] = [];
  for (const kind of KINDS) {
    const run = readRuns().find((r) => r.kind === kind && r.member === "standard" && hasWeights(r));
    if (!run) throw new Error(`${FOLDER}: expected weights of ${kind}-standard`);
    const standard = studyNetwork(kind, run);
    const weights = loadWeights(readFileSync(weightsFile(run)), standard);
    for (const member of MEMBERS) {
      const network = compactAttention(standard, member);
      const own = new Map([...weightShapes(network).keys()].map((name) => [name, weights.get(name)!]));
      subjects.push({ kind, member, network: await compile({ network, weights: own }), times: [] });
    }
  }
  for (const { network } of subjects) for (let n = 0; n < WARM_UP_RUNS; n++) network.run(input);
  for (let round = 0; round < ROUNDS.rounds; round++) {
    for (const { network, times } of subjects) {
      const start = performance.now();
      for (let n = 0; n < ROUNDS.pictures; n++) network.run(input);
      times.push((performance.now() - start) / ROUNDS.pictures);
    }
  }
  const spread = Math.max(...subjects.map(({ times }) => relativeSpread(times)));
  if (spread > MOST_SPREAD) {
    throw new Error(`times: expected a quiet machine, a spread of at most ${MOST_SPREAD}, got ${spread.toFixed(2)}`);
  }
  const rounded = (ms: number): number => Number(ms.toPrecision(4));
  return subjects.map(({ kind, member, network, times }) => {
    network.dispose();
    const { median, lower, upper } = quartiles(times);
    return { kind, member, medianMs: rounded(median), quartilesMs: [rounded(lower), rounded(upper)] };
  });
}
