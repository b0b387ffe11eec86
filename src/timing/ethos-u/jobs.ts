/**
 * Ethos-U, event mode: a schedule as a program of the event simulation. Blocks go through three stages: their input comes in, the MAC units
 * multiply it with weights that stream in beside, and the output unit finishes values, which go out at the same time. The shared buffer has
 * two slots for inputs and two for accumulators.
 */
import type { EthosU, MemoryArea, MemoryPort } from "../devices/description.ts";
import {
  type Copy,
  type Job,
  type Machine,
  NO_WORK,
  type Phase,
  type Piece,
  type Port,
  type Program,
  rateInFlight,
  type TransferPart,
} from "../event/program.ts";
import { hostCycles } from "../host.ts";
import type { NpuOperation } from "./block.ts";
import type { Cascade } from "./cascade.ts";
import { blockWork } from "./cycles.ts";
import { overlapOf, type Part } from "./overlap.ts";
import { type HostStep, isHost, type Schedule, type Scheduled } from "./schedule.ts";
import { type Move, type Moves, movesOf, type Step, tableBytes } from "./step.ts";
import { patterns, stripesOf } from "./stripes.ts";
import { portOf } from "./transfers.ts";

export const LANES = [
  "dmaIn",
  "secondIn",
  "weightDma",
  "weightStream",
  "mac",
  "output",
  "dmaOut",
  "host",
  "sram",
  "onChipFlash",
  "dram",
  "flash",
] as const;
type Lane = (typeof LANES)[number];
const lane = (name: Lane): number => LANES.indexOf(name);

/** Inputs and accumulators have room twice. */
const SLOTS = 2;

function portOfMachine(device: EthosU, port: MemoryPort): Port {
  const bytesPerCycle = port.bytesPerSecond / device.system.clockHz;
  const { burstBytes, readLatency, writeLatency, readsInFlight, writesInFlight } = port;
  return {
    bytesPerCycle,
    duplex: false,
    readLimit: rateInFlight(readsInFlight, burstBytes, readLatency, bytesPerCycle),
    writeLimit: rateInFlight(writesInFlight, burstBytes, writeLatency, bytesPerCycle),
  };
}

export function machineOf(device: EthosU): Machine {
  return {
    lanes: LANES,
    ports: [portOfMachine(device, device.system.sram), portOfMachine(device, device.system.second)],
    stages: 3,
    edges: [
      { from: 0, to: 1 },
      { from: 1, to: 2 },
    ],
    gate: 1,
  };
}

function transfer(
  device: EthosU,
  who: Lane | undefined,
  area: MemoryArea,
  direction: "read" | "write",
  bytes: number,
): TransferPart {
  const port = portOf(device, area) === device.system.sram ? 0 : 1;
  return { lane: who && lane(who), port, memory: lane(area), direction, bytes };
}

/** Of an operation's moves, what one block has. */
interface Shares {
  readonly input: number;
  readonly output: number;
  readonly weights: number;
}

/** The pieces of a block: its input comes in parts where it is too deep or the kernel too large, its output at once. */
function piecesOf(
  device: EthosU,
  moves: Moves,
  work: { readonly mac: number; readonly output: number; readonly pieces: number },
  shares: Shares,
): Piece[] {
  const { pieces } = work;
  const { input, second, output, weights } = moves;
  const read = (who: Lane, { area, busy }: Move): TransferPart =>
    transfer(device, who, area, "read", (busy * shares.input) / pieces);
  // What is in one memory comes through one door.
  const both = second?.area === input.area ? { ...input, busy: input.busy + second.busy } : input;
  const reads = [read("dmaIn", both), ...(second && second.area !== input.area ? [read("secondIn", second)] : [])];
  const latency = Math.max(...[input, second ?? input].map(({ area }) => portOf(device, area).readLatency));
  const stream = transfer(device, "weightStream", weights.area, "read", (weights.busy * shares.weights) / pieces);
  const written = transfer(device, "dmaOut", output.area, "write", output.busy * shares.output);
  const finish = {
    parts: [{ lane: lane("output"), cycles: work.output }, written],
    latency: portOf(device, output.area).writeLatency,
  };
  return Array.from({ length: pieces }, (_, i) => [
    { parts: reads, latency },
    { parts: [{ lane: lane("mac"), cycles: work.mac / pieces }, stream], latency: 0 },
    i === pieces - 1 ? finish : NO_WORK,
  ]);
}

/** Part of the operation alone, as the formulas of a whole operation take it. */
function alone({ operation, rows, channels }: Part): NpuOperation {
  const shape = [rows[1] - rows[0], operation.output.shape[1], channels[1] - channels[0]] as const;
  return { ...operation, output: { ...operation.output, shape } } as NpuOperation;
}

const readFrom = ({ staging, place }: Step): MemoryArea => (staging ? "sram" : place.weights);

function workOf(device: EthosU, step: Step, part: Part): ReturnType<typeof blockWork> {
  return blockWork(device, alone(part), step.block, { ...step.place, weights: readFrom(step) });
}

/** Copies from the constants' memory, of one layer. */
function copyOf(device: EthosU, layer: number, from: MemoryArea, bytes: number, lands: boolean): Copy {
  const read = transfer(device, "weightDma", from, "read", bytes);
  const parts = lands ? [read, transfer(device, undefined, "sram", "write", bytes)] : [read];
  return { layer, parts, latency: portOf(device, from).readLatency };
}

/** Bytes of each slice of a weight stream. */
function sliceBytes({ staging }: Step): number[] {
  const { slices, firstBytes, bytes } = staging!;
  const depth = slices.at(-1)! - slices[1]!;
  return slices.slice(1).map((to, i) => (i === 0 ? firstBytes : ((bytes - firstBytes) * (to - slices[i]!)) / depth));
}

class Builder {
  readonly phases: Phase[] = [];
  private copies = 0;
  private before: Part | undefined;

  private readonly device: EthosU;
  private readonly steps: readonly Scheduled[];

  constructor(device: EthosU, steps: readonly Scheduled[]) {
    this.device = device;
    this.steps = steps;
  }

  /** Copies begin with the job before the one that needs them; the last of a loop is taken out of it for that. */
  private startBefore(copies: readonly Copy[]): readonly Copy[] {
    const last = this.phases.at(-1);
    // The host's work in between lets nothing be fetched ahead.
    if (!this.before || !last || copies.length === 0) return copies;
    const jobs = [...last.jobs];
    const job = jobs.pop()!;
    if (last.rounds > 1) this.phases.splice(-1, 1, { ...last, rounds: last.rounds - 1 }, { jobs, rounds: 1 });
    else this.phases.splice(-1, 1, { jobs, rounds: 1 });
    jobs.push({ ...job, starts: [...job.starts, ...copies] });
    return [];
  }

  private add(job: Job): void {
    this.phases.push({ jobs: [job], rounds: 1 });
  }

  host(layer: number, { operation }: HostStep): void {
    const { device } = this;
    const cycles = hostCycles(device.host, device.system.clockHz, operation);
    const work = { parts: [{ lane: lane("host"), cycles }], latency: 0 };
    const loop = { blocks: 1, slots: [SLOTS, SLOTS], halo: [0, 0], overlap: 0, starts: [], needs: this.copies };
    this.add({ layer, block: [[NO_WORK, NO_WORK, work]], ...loop });
    this.before = undefined;
  }

  private job(layer: number, part: Part, pieces: Piece[], blocks: number, starts: readonly Copy[], needs: number): Job {
    const overlap = this.before ? overlapOf(this.before, part) : 0;
    this.before = part;
    return {
      layer,
      block: pieces,
      blocks,
      slots: [SLOTS, pieces.length * (SLOTS - 1) + 1],
      halo: [0, 0],
      overlap,
      starts,
      needs,
    };
  }

  private tableOf(layer: number, { operation, place }: Step): Copy[] {
    const bytes = tableBytes(operation);
    return bytes === 0 ? [] : [copyOf(this.device, layer, place.weights, bytes, false)];
  }

  /** An operation by itself: a job, or one for each slice of its weights. */
  operation(layer: number, step: Step): void {
    const { device } = this;
    const { operation, block, staging, place } = step;
    const [height, , depth] = operation.output.shape;
    const edges = staging?.slices ?? [0, depth];
    const parts = edges.slice(1).map(
      (to, i): Part => ({
        operation,
        block: block.output,
        rows: [0, height],
        channels: [edges[i]!, to],
      }),
    );
    const works = parts.map((part) => workOf(device, step, part));
    const moves = movesOf(device, step);
    const blocks = works.reduce((sum, work) => sum + work.blocks, 0);
    const bytes = staging && sliceBytes(step);
    for (const [i, part] of parts.entries()) {
      const work = works[i]!;
      const share = (part.channels[1] - part.channels[0]) / depth / work.blocks;
      const pieces = piecesOf(device, moves, work, { input: 1 / blocks, output: share, weights: share });
      const copies = i === 0 ? this.tableOf(layer, step) : [];
      if (bytes) copies.push(copyOf(device, layer, place.weights, bytes[i]!, true));
      this.copies += copies.length;
      // The only buffer is free when the slice before has been used.
      const late = i > 0 && staging?.buffers === "single";
      const starts = late ? copies : this.startBefore(copies);
      this.add(this.job(layer, part, pieces, work.blocks, starts, this.copies));
    }
  }

  /** Operations that take turns. Their weights are all copied before the first begins. */
  cascade(cascade: Cascade): void {
    const { device } = this;
    const steps = this.steps.slice(cascade.start, cascade.end + 1).map(({ step }) => step as Step);
    const operations = steps.map(({ operation }) => operation);
    const lists = stripesOf(operations, cascade);
    const partOf = ({ operation: i, rows }: (typeof lists)[number][number]): Part => {
      const { operation, block } = steps[i]!;
      return { operation, block: block.output, rows, channels: [0, operation.output.shape[2]] };
    };
    const works = new Map<string, ReturnType<typeof blockWork>>();
    const work = (i: number, part: Part): ReturnType<typeof blockWork> => {
      const key = `${i}:${part.rows[1] - part.rows[0]}`;
      if (!works.has(key)) works.set(key, workOf(device, steps[i]!, part));
      return works.get(key)!;
    };
    const blocks = steps.map(() => 0);
    for (const stripe of lists.flat()) blocks[stripe.operation]! += work(stripe.operation, partOf(stripe)).blocks;
    const moves = steps.map((step) => movesOf(device, step));
    const copies: Copy[] = [];
    const needs: number[] = [];
    for (const [i, step] of steps.entries()) {
      const layer = cascade.start + i;
      copies.push(...this.tableOf(layer, step));
      if (step.staging) copies.push(copyOf(device, layer, step.place.weights, step.staging.bytes, true));
      needs.push(this.copies + copies.length);
    }
    this.copies += copies.length;
    let starts = this.startBefore(copies);
    // Stripes of the same rows after the same are the same jobs.
    const jobs = new Map<string, Job>();
    const jobOf = (stripe: (typeof lists)[number][number]): Job => {
      const i = stripe.operation;
      const part = partOf(stripe);
      const units = work(i, part);
      const share = 1 / blocks[i]!;
      const overlap = this.before ? overlapOf(this.before, part) : 0;
      const key = `${i}:${part.rows[1] - part.rows[0]}:${overlap}`;
      const known = starts.length === 0 ? jobs.get(key) : undefined;
      if (known) {
        this.before = part;
        return known;
      }
      const pieces = piecesOf(device, moves[i]!, units, { input: share, output: share, weights: share });
      const job = this.job(cascade.start + i, part, pieces, units.blocks, starts, needs[i]!);
      if (starts.length === 0) jobs.set(key, job);
      starts = [];
      return job;
    };
    const rounds = lists.map((list) => list.map(jobOf));
    for (const { pattern, times } of patterns(rounds)) this.phases.push({ jobs: pattern.flat(), rounds: times });
  }
}

/** What the NPU and its host do, in the order of its commands. */
export function programOf(device: EthosU, { steps, cascades }: Schedule): Program {
  const builder = new Builder(device, steps);
  for (let i = 0; i < steps.length; i++) {
    const { step } = steps[i]!;
    const cascade = cascades.find(({ start }) => start === i);
    if (cascade) {
      builder.cascade(cascade);
      i = cascade.end;
    } else if (isHost(step)) builder.host(i, step);
    else builder.operation(i, step);
  }
  return { machine: machineOf(device), layers: steps.map(({ step }) => step.operation.name), phases: builder.phases };
}
