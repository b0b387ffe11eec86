/**
 * What the event simulation runs: jobs of identical blocks that go through stages, with units and ports that the blocks share. Knows no
 * device: each backend translates its schedule into this.
 */

/** A memory's port: a server whose bytes a cycle all transfers share evenly, burst by burst. */
export interface Port {
  readonly bytesPerCycle: number;
  /** Reads and writes have this rate each; otherwise they share it. */
  readonly duplex: boolean;
  /** Bytes a cycle that the requests in flight allow in each direction; infinite where nothing limits them. */
  readonly readLimit: number;
  readonly writeLimit: number;
}

/** The rate of a direction that has `inFlight` requests of `burstBytes` under way, each of which comes back after `latency`. */
export function rateInFlight(
  inFlight: number | undefined,
  burstBytes: number,
  latency: number,
  bytesPerCycle: number,
): number {
  if (inFlight === undefined) return Number.POSITIVE_INFINITY;
  return (inFlight * burstBytes) / (latency + burstBytes / bytesPerCycle);
}

/** A unit at work for so many cycles. */
export interface UnitPart {
  readonly lane: number;
  readonly cycles: number;
}

/** Bytes through a port. */
export interface TransferPart {
  /** Of whoever moves them; none of the other half of a copy, which is counted once. */
  readonly lane: number | undefined;
  readonly port: number;
  /** Of the memory: its busy cycles are counted there. */
  readonly memory: number;
  readonly direction: "read" | "write";
  /** That the port is busy for: with short runs more than are wanted. */
  readonly bytes: number;
}

export type Part = UnitPart | TransferPart;

/** What one stage does for one block: all parts at the same time, each on a lane of its own. */
export interface Work {
  readonly parts: readonly Part[];
  /** Cycles from the end of all parts until others see the result; the stage goes on meanwhile. */
  readonly latency: number;
}

export const NO_WORK: Work = { parts: [], latency: 0 };

/** From one stage to a later one: what the first has made takes a slot from its beginning until the second is done with it. */
export interface Edge {
  readonly from: number;
  readonly to: number;
}

/** One copy between memories beside the blocks, such as weights that are fetched ahead of use. */
export interface Copy extends Work {
  readonly layer: number;
}

/** One piece of work as it goes through the stages: a block, or what of a block's input fits at a time. */
export type Piece = readonly Work[];

/** Pieces of one layer, or of two that take turns. */
export interface Job {
  readonly layer: number;
  /** Of each piece of a block, where they are not all of the same. */
  readonly layers?: readonly number[];
  /** The pieces of one block. */
  readonly block: readonly Piece[];
  readonly blocks: number;
  /** The first piece, where it differs from that of later blocks. */
  readonly lead?: Piece;
  /** Of each edge: pieces that find room, infinite where nothing limits them. */
  readonly slots: readonly number[];
  /** Of each edge: further pieces of the same job that the second stage needs of the first before it begins. */
  readonly halo: readonly number[];
  /**
   * Blocks of the job before that may be unfinished when this one begins: this less one for each block that has begun. 0: all must be
   * finished; infinite: the jobs have nothing to do with each other.
   */
  readonly overlap: number;
  /** Copies that may begin once all before this job is finished, in order. */
  readonly starts: readonly Copy[];
  /** Copies, counted from the program's first, that must be there before the gated stage begins. */
  readonly needs: number;
}

/** Jobs that are done again and again in the same order. */
export interface Phase {
  readonly jobs: readonly Job[];
  readonly rounds: number;
}

export interface Machine {
  /** Resources: units, movers and memories. */
  readonly lanes: readonly string[];
  readonly ports: readonly Port[];
  readonly stages: number;
  readonly edges: readonly Edge[];
  /** The stage that waits for copies. */
  readonly gate: number;
}

export interface Program {
  readonly machine: Machine;
  /** Names of the layers' reports. */
  readonly layers: readonly string[];
  readonly phases: readonly Phase[];
}
