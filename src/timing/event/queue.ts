/** The pieces of a program in their order, made as they are asked for: which job each belongs to, and where loops begin again. */
import type { Job, Phase, Piece } from "./program.ts";

/** A job as it goes through the stages; what is left out of the simulation as more of the same has no numbers. */
export interface Running {
  readonly job: Job;
  /** Counts all jobs that went in. */
  readonly serial: number;
  /** Number of its first piece. */
  readonly base: number;
  /** Pieces of a block of the job before. */
  readonly before: number;
}

/** The next pieces are the same as those before the last time that this was said, unless the loop ends. */
export interface Boundary {
  /** Blocks of one job, or rounds of one phase. */
  readonly loop: "blocks" | "rounds";
  readonly serial: number;
  /** Iterations that are still to come. */
  readonly left: number;
}

export class Queue {
  /** Pieces that were asked for. */
  produced = 0;
  /** Jobs that are not yet through, in order. */
  readonly running: Running[] = [];
  private phase = 0;
  private round = 0;
  private jobInPhase = -1;
  private block = 0;
  private pieceInBlock = 0;
  private serial = 0;

  private readonly phases: readonly Phase[];

  constructor(phases: readonly Phase[]) {
    this.phases = phases;
  }

  /** The job that comes after the one that was begun last. */
  private following(): { phase: number; round: number; job: number } | undefined {
    const here = this.phases[this.phase];
    if (!here) return undefined;
    if (this.jobInPhase + 1 < here.jobs.length) {
      return { phase: this.phase, round: this.round, job: this.jobInPhase + 1 };
    }
    if (this.round + 1 < here.rounds) return { phase: this.phase, round: this.round + 1, job: 0 };
    return this.phase + 1 < this.phases.length ? { phase: this.phase + 1, round: 0, job: 0 } : undefined;
  }

  private get current(): Running | undefined {
    return this.running.at(-1);
  }

  private atEndOfJob(): boolean {
    const { current } = this;
    return current === undefined || (this.pieceInBlock === 0 && this.block >= current.job.blocks);
  }

  /** A loop that begins again with the next piece. */
  boundary(): Boundary | undefined {
    const { current } = this;
    if (current && this.pieceInBlock === 0 && this.block > 0 && this.block < current.job.blocks) {
      return { loop: "blocks", serial: current.serial, left: current.job.blocks - this.block };
    }
    if (!this.atEndOfJob()) return undefined;
    const next = this.following();
    if (next?.job !== 0 || next.phase !== this.phase || next.round === 0) return undefined;
    return { loop: "rounds", serial: -1 - next.phase, left: this.phases[next.phase]!.rounds - next.round };
  }

  /** Leaves iterations of that loop out. */
  skip({ loop }: Boundary, times: number): void {
    if (loop === "blocks") this.block += times;
    else this.round += times;
  }

  /** Makes the next piece; the job that begins with it, if one does. */
  produce(): Running | "same job" | "end" {
    let begun: Running | undefined;
    if (this.atEndOfJob()) {
      const next = this.following();
      if (!next) return "end";
      const job = this.phases[next.phase]!.jobs[next.job]!;
      const before = this.current?.job.block.length ?? 1;
      begun = { job, serial: this.serial++, base: this.produced, before };
      this.running.push(begun);
      [this.phase, this.round, this.jobInPhase, this.block, this.pieceInBlock] = [
        next.phase,
        next.round,
        next.job,
        0,
        0,
      ];
    }
    this.produced++;
    this.pieceInBlock++;
    if (this.pieceInBlock === this.current!.job.block.length) [this.block, this.pieceInBlock] = [this.block + 1, 0];
    return begun ?? "same job";
  }

  /** The job of a piece that was produced and is not yet forgotten. */
  jobOf(piece: number): Running {
    const { running } = this;
    let i = running.length - 1;
    while (i > 0 && running[i]!.base > piece) i--;
    return running[i]!;
  }

  pieceOf(number: number, { job, base }: Running): Piece {
    return (number === base ? job.lead : undefined) ?? job.block[(number - base) % job.block.length]!;
  }

  layerOf(number: number, { job, base }: Running): number {
    return job.layers?.[(number - base) % job.block.length] ?? job.layer;
  }

  /** Forgets jobs whose pieces are all finished. */
  forget(finished: number): void {
    while (this.running.length > 1 && this.running[1]!.base <= finished) this.running.shift();
  }
}
