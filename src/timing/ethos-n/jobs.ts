/**
 * Ethos-N, event mode: passes as a program of the event simulation. Stripes of the input and of the weights come in, both engines work on
 * them at the same time, and stripes of the output go out, with as many slots in the SRAM as the search over stripes gave them.
 */
import type { EthosN } from "../devices/description.ts";
import {
  type Copy,
  type Job,
  type Machine,
  NO_WORK,
  type Phase,
  type Piece,
  type Program,
  type Work,
} from "../event/program.ts";
import { hostCycles } from "../host.ts";
import type { HostOperation } from "../operation.ts";
import { ADD_STRIPE_CYCLES, LEAST_STRIPE_CYCLES, type PassEstimate, type Passes, STRIPE_CYCLES } from "./estimate.ts";

const LANES = ["dmaIn", "weightDma", "weightStream", "mce", "ple", "dmaOut", "host", "dram"] as const;
type Lane = (typeof LANES)[number];
const lane = (name: Lane): number => LANES.indexOf(name);

const UNLIMITED = Number.POSITIVE_INFINITY;
const STAGES = 4;

/** The newer metric counts reads and writes apart, the older one together. */
export function machineOf({ metric }: EthosN): Machine {
  return {
    lanes: LANES,
    ports: [
      {
        bytesPerCycle: metric.bytesPerSecond / metric.clockHz,
        duplex: metric.id === "25.03",
        readLimit: UNLIMITED,
        writeLimit: UNLIMITED,
      },
    ],
    stages: STAGES,
    edges: [
      { from: 0, to: 2 },
      { from: 1, to: 2 },
      { from: 2, to: 3 },
    ],
    gate: 2,
  };
}

/** The newer metric has a price and a least time for each stripe. */
const hasPrice = ({ metric }: EthosN): boolean => metric.id === "25.03";

function stripe(device: EthosN, who: Lane, direction: "read" | "write", bytes: number): Work {
  if (bytes === 0) return NO_WORK;
  const { metric } = device;
  const price = hasPrice(device)
    ? Math.max(
        bytes + (STRIPE_CYCLES * metric.bytesPerSecond) / metric.clockHz,
        (LEAST_STRIPE_CYCLES * metric.bytesPerSecond) / metric.clockHz,
      )
    : bytes;
  return { parts: [{ lane: lane(who), port: 0, memory: lane("dram"), direction, bytes: price }], latency: 0 };
}

function engines(device: EthosN, { operation, mce, ple }: PassEstimate, stripes: number): Work {
  const each = (cycles: number, price: number): number => {
    const one = cycles / stripes;
    return hasPrice(device) && cycles > 0 ? Math.max(one + price, LEAST_STRIPE_CYCLES) : one;
  };
  const price = operation.kind === "elementwise" ? ADD_STRIPE_CYCLES : STRIPE_CYCLES;
  const parts = [
    { lane: lane("mce"), cycles: each(mce, STRIPE_CYCLES) },
    { lane: lane("ple"), cycles: each(ple, price) },
  ];
  return { parts, latency: 0 };
}

/** The pieces of a pass in their order, and the slots of its edges. */
interface Looped extends Pick<Job, "block" | "blocks" | "slots" | "halo"> {
  readonly lead?: Piece;
  /** Bytes of the weights' first stripe: fetched before the pass, and not part of its pieces. */
  readonly ahead: number;
}

/**
 * Slots of a stage that has nothing to do: as many as the other source has, and one more, so that it holds nothing back. Without an end it
 * would run ahead, and no state would ever come again.
 */
const beside = (slots: number): number => slots + 1;

/** Slots counted in pieces, where what takes one lasts for several. */
const inPieces = (slots: number, pieces: number): number => pieces * (slots - 1) + 1;

function loopOf(device: EthosN, pass: PassEstimate): Looped {
  const { plane, deep, all, inputAgain, inputRead, weightRead, halo, slots } = pass.traffic.loop;
  const count = plane * deep;
  const work = engines(device, pass, count);
  const out = stripe(device, "dmaOut", "write", pass.traffic.write / count);
  const piece = (input: number, weights: number): Piece => [
    stripe(device, "dmaIn", "read", input),
    stripe(device, "weightStream", "read", weights),
    work,
    out,
  ];
  const rest = (length: number, one: Piece): Piece[] => Array.from({ length }, () => one);
  if (deep === 1) {
    const block = [piece(inputRead / plane, 0)];
    return {
      block,
      blocks: plane,
      slots: [slots.input, beside(slots.input), slots.output],
      halo: [halo, 0, 0],
      ahead: weightRead,
    };
  }
  if (all && plane === 1) {
    const weights = weightRead / deep;
    const block = [piece(0, weights)];
    const room = [beside(slots.weights), slots.weights, slots.output];
    return { block, blocks: deep, lead: piece(inputRead, 0), slots: room, halo: [0, 0, 0], ahead: weights };
  }
  if (all && !inputAgain) {
    const weights = weightRead / count;
    const block = [piece(inputRead / plane, weights), ...rest(deep - 1, piece(0, weights))];
    const room = [inPieces(slots.input, deep), slots.weights, slots.output];
    const lead = piece(inputRead / plane, 0);
    return { block, blocks: plane, lead, slots: room, halo: [halo * deep, 0, 0], ahead: weights };
  }
  const weights = weightRead / deep;
  const block = [piece(inputRead / count, weights), ...rest(plane - 1, piece(inputRead / count, 0))];
  const room = [slots.input, inPieces(slots.weights, plane), slots.output];
  return {
    block,
    blocks: deep,
    lead: block[1] ?? piece(inputRead / count, 0),
    slots: room,
    halo: [halo, 0, 0],
    ahead: weights,
  };
}

/** Whether the rows of a pass are taken over by the next while both run, as the map between them has no room as a whole. */
function isHanded(device: EthosN, { kept }: Passes, pass: PassEstimate, next: PassEstimate): boolean {
  const { output } = pass.operation;
  const [h, w, c] = output.shape;
  const whole = h * w * Math.ceil(c / 16) * 16;
  const plain = [pass, next].every(({ traffic }) => traffic.loop.deep === 1);
  return (
    plain && next.operation.kind === "depth-to-space" && kept.has(output.name) && whole > device.core.sramBytes / 2
  );
}

const isPass = (one: PassEstimate | HostOperation | undefined): one is PassEstimate =>
  one !== undefined && "traffic" in one;

function hostJob({ host, metric }: EthosN, layer: number, operation: HostOperation): Omit<Job, "starts" | "needs"> {
  const cycles = hostCycles(host, metric.clockHz, operation);
  const work = { parts: [{ lane: lane("host"), cycles }], latency: 0 };
  return {
    layer,
    block: [[NO_WORK, NO_WORK, work, NO_WORK]],
    blocks: 1,
    slots: [1, 1, 1],
    halo: [0, 0, 0],
    overlap: 0,
  };
}

/** Two passes that take turns, stripe by stripe of the first. */
function turns(device: EthosN, layer: number, pass: PassEstimate, next: PassEstimate): Omit<Job, "starts" | "needs"> {
  const { block, blocks, slots, halo } = loopOf(device, pass);
  const stripes = next.traffic.outputStripes;
  const scaled = (work: Work): Work => ({
    ...work,
    parts: work.parts.map((part) =>
      "bytes" in part
        ? { ...part, bytes: (part.bytes * stripes) / blocks }
        : { ...part, cycles: (part.cycles * stripes) / blocks },
    ),
  });
  const own = loopOf(device, next);
  const second = own.block[0]!.map(scaled);
  return {
    layer,
    layers: [layer, layer + 1],
    block: [block[0]!, second],
    blocks,
    slots: [inPieces(slots[0]!, 2), beside(inPieces(slots[0]!, 2)), inPieces(own.slots[2]!, 2)],
    halo: [2 * halo[0]!, 0, 0],
    overlap: 0,
  };
}

/** What the NPU and its host do, pass by pass. The first weights of a pass come during the one before where the SRAM has room for them. */
export function programOf(device: EthosN, passes: Passes): Program {
  const list = passes.passes;
  const jobs: Job[] = [];
  let needs = 0;
  let free = 0;
  for (let i = 0; i < list.length; i++) {
    const pass = list[i]!;
    if (!isPass(pass)) {
      jobs.push({ ...hostJob(device, i, pass), starts: [], needs });
      free = 0;
      continue;
    }
    const { ahead, ...loop } = loopOf(device, pass);
    const copy: Copy | undefined = ahead > 0 ? { layer: i, ...stripe(device, "weightDma", "read", ahead) } : undefined;
    const early = copy !== undefined && pass.traffic.loop.weightSlotBytes <= free;
    const last = jobs.at(-1);
    if (early && last) jobs[jobs.length - 1] = { ...last, starts: [...last.starts, copy] };
    if (copy) needs++;
    const next = list[i + 1];
    const handed = isPass(next) && isHanded(device, passes, pass, next);
    const job = handed ? turns(device, i, pass, next) : { layer: i, ...loop, overlap: 0 };
    jobs.push({ ...job, starts: copy && !early ? [copy] : [], needs });
    free = pass.traffic.loop.freeBytes;
    if (handed) {
      free = 0;
      i++;
    }
  }
  const phases = jobs.map((job): Phase => ({ jobs: [job], rounds: 1 }));
  const layers = list.map((one) => (isPass(one) ? one.operation.name : one.name));
  return { machine: machineOf(device), layers, phases };
}
