/**
 * The event simulation: pieces go through stages in order, each stage one at a time; units take their cycles, transfers share ports, and
 * slots, copies and the jobs before hold pieces back. Time goes from event to event, over repeated iterations in one step.
 */
import type { Lane } from "../timeline.ts";
import type { Copy, Job, Machine, Part, Port, Program, TransferPart } from "./program.ts";
import { Queue, type Running } from "./queue.ts";
import { type LayerCounts, Recorder } from "./recorder.ts";
import { type Flow, shareOut } from "./share.ts";
import { LoopHistory } from "./steady.ts";

export interface Outcome {
  readonly cycles: number;
  readonly layers: readonly LayerCounts[];
  /** Empty unless they were asked for. */
  readonly lanes: readonly Lane[];
  /** Points in time that were gone through: what the simulation cost. */
  readonly events: number;
}

export interface RunOptions {
  /** Whether slices are written down. */
  readonly drawn?: boolean;
  /** Whether repeated iterations are left out; true unless given. */
  readonly compress?: boolean;
}

/** What is left of a part that was begun. */
interface Active extends Flow {
  readonly part: Part;
  readonly layer: number;
  readonly serial: number;
  readonly late: boolean;
  start: number;
  /** Cycles of a unit, bytes of a transfer. */
  remaining: number;
}

interface Stage {
  /** Number of the piece that it takes next. */
  next: number;
  /** Pieces that have left it, and those whose result can be seen. */
  released: number;
  finished: number;
  busy: boolean;
  active: Active[];
  latency: number;
  /** When the results of released pieces are seen. */
  readonly arrivals: number[];
}

/** Cycles or bytes that count as none. */
const NOTHING = 1e-9;
const isTransfer = (part: Part): part is TransferPart => "bytes" in part;

class Simulation {
  private readonly machine: Machine;
  private readonly layers: readonly string[];
  private readonly options: RunOptions;
  /** Stages that no other hands pieces to. */
  private readonly sources: readonly boolean[];
  private readonly queue: Queue;
  private readonly recorder: Recorder;
  private readonly stages: Stage[];
  private readonly flows: Active[][];
  private readonly changed: boolean[];
  private readonly histories = { blocks: new LoopHistory(), rounds: new LoopHistory() };
  private readonly jobs = new Map<Job, number>();
  /** Serial numbers by layer. */
  private readonly firstJobs = new Map<number, number>();
  private readonly copies: { readonly copy: Copy; readonly after: number }[] = [];
  private copying: { active: Active[]; readonly latency: number; arrival: number | undefined } | undefined;
  private copied = 0;
  private time = 0;
  private ended = false;
  private events = 0;

  constructor(program: Program, options: RunOptions) {
    const { machine, layers, phases } = program;
    this.machine = machine;
    this.layers = layers;
    this.options = options;
    this.sources = Array.from({ length: machine.stages }, (_, stage) => machine.edges.every(({ to }) => to !== stage));
    this.queue = new Queue(phases);
    this.recorder = new Recorder(layers, machine.lanes, options.drawn ?? false);
    this.stages = Array.from({ length: machine.stages }, () => ({
      next: 0,
      released: 0,
      finished: 0,
      busy: false,
      active: [],
      latency: 0,
      arrivals: [],
    }));
    this.flows = machine.ports.map(() => []);
    this.changed = machine.ports.map(() => false);
  }

  private get last(): Stage {
    return this.stages.at(-1)!;
  }

  run(): Outcome {
    for (;;) {
      this.startAll();
      if (this.ended && this.last.finished === this.queue.produced) break;
      this.advance();
    }
    return {
      cycles: this.time,
      layers: this.layers.map((_, layer) => this.recorder.countsOf(layer)),
      lanes: this.options.drawn ? this.recorder.timeline() : [],
      events: this.events,
    };
  }

  /** The next piece of the program, and with the first of a job its copies. */
  private produce(): void {
    while (this.leaveOut());
    const begun = this.queue.produce();
    if (begun === "end") this.ended = true;
    else if (begun !== "same job") {
      for (const copy of begun.job.starts) this.copies.push({ copy, after: begun.base });
    }
  }

  /** Whether a piece exists and is of a job. */
  private isOf(piece: number, running: Running): boolean {
    while (piece >= this.queue.produced && !this.ended) this.produce();
    return piece < this.queue.produced && this.queue.jobOf(piece) === running;
  }

  private mayStart(index: number, piece: number, running: Running): boolean {
    const { edges, gate } = this.machine;
    const { job, base, before } = running;
    for (let e = 0; e < edges.length; e++) {
      const { from, to } = edges[e]!;
      const halo = job.halo[e]!;
      if (from === index) {
        const done = this.stages[to]!.released;
        // What was used last is the halo of what comes next, and stays.
        if (done <= piece - job.slots[e]! + (done > base ? halo : 0)) return false;
      }
      if (to === index) {
        let needed = piece;
        while (needed < piece + halo && this.isOf(needed + 1, running)) needed++;
        if (this.stages[from]!.finished <= needed) return false;
      }
    }
    if (index === gate && this.copied < job.needs) return false;
    if (!this.sources[index]) return true;
    const begun = Math.floor((piece - base) / job.block.length);
    return this.last.finished >= base - Math.max(0, job.overlap - begun) * before;
  }

  private startAll(): void {
    for (let again = true; again; ) {
      again = this.startCopy();
      for (let index = this.stages.length - 1; index >= 0; index--) {
        const stage = this.stages[index]!;
        if (stage.busy) continue;
        while (stage.next >= this.queue.produced && !this.ended) this.produce();
        if (stage.next >= this.queue.produced) continue;
        const running = this.queue.jobOf(stage.next);
        if (!this.mayStart(index, stage.next, running)) continue;
        const work = this.queue.pieceOf(stage.next, running)[index]!;
        const layer = this.queue.layerOf(stage.next, running);
        const late = this.isLate(layer, running.serial);
        stage.active = this.begin(work.parts, layer, running.serial, late);
        stage.latency = work.latency;
        stage.busy = true;
        stage.next++;
        if (stage.active.length === 0) this.release(stage);
        again = true;
      }
    }
  }

  /** Only the first job of a layer is drawn piece by piece. */
  private isLate(layer: number, serial: number): boolean {
    const first = this.firstJobs.get(layer);
    if (first === undefined) this.firstJobs.set(layer, serial);
    return first !== undefined && first !== serial;
  }

  private startCopy(): boolean {
    const next = this.copies[0];
    if (this.copying || !next || this.last.finished < next.after) return false;
    this.copies.shift();
    const { parts, latency, layer } = next.copy;
    this.copying = { active: this.begin(parts, layer, -1, false), latency, arrival: undefined };
    if (this.copying.active.length === 0) this.copying.arrival = this.time + latency;
    return true;
  }

  private begin(parts: readonly Part[], layer: number, serial: number, late: boolean): Active[] {
    const begun: Active[] = [];
    for (const part of parts) {
      const remaining = isTransfer(part) ? part.bytes : part.cycles;
      if (remaining <= NOTHING) continue;
      const direction = isTransfer(part) ? part.direction : "read";
      const active = { part, layer, serial, late, start: this.time, remaining, direction, rate: 1 };
      begun.push(active);
      if (!isTransfer(part)) continue;
      this.flows[part.port]!.push(active);
      this.changed[part.port] = true;
    }
    return begun;
  }

  private release(stage: Stage): void {
    stage.busy = false;
    stage.released++;
    if (stage.latency > 0 || stage.arrivals.length > 0) stage.arrivals.push(this.time + stage.latency);
    else this.finish(stage);
  }

  private finish(stage: Stage): void {
    stage.finished++;
    if (stage === this.last) this.queue.forget(stage.finished);
  }

  /** Cycles until something ends. */
  private untilNext(): number {
    let least = Number.POSITIVE_INFINITY;
    const look = (active: readonly Active[]): void => {
      for (const { remaining, rate } of active) least = Math.min(least, remaining / rate);
    };
    for (const { active, arrivals } of this.stages) {
      look(active);
      if (arrivals.length > 0) least = Math.min(least, arrivals[0]! - this.time);
    }
    if (this.copying) {
      look(this.copying.active);
      if (this.copying.arrival !== undefined) least = Math.min(least, this.copying.arrival - this.time);
    }
    return least;
  }

  private advance(): void {
    for (const [port, changed] of this.changed.entries()) {
      if (!changed) continue;
      shareOut(this.machine.ports[port]!, this.flows[port]!);
      this.changed[port] = false;
    }
    const cycles = this.untilNext();
    // A program whose pieces wait for each other is a fault of the backend that made it.
    if (cycles === Number.POSITIVE_INFINITY) throw new Error(`simulation: nothing goes on at cycle ${this.time}`);
    this.events++;
    this.count(cycles);
    this.time += cycles;
    for (const stage of this.stages) {
      while (stage.arrivals.length > 0 && stage.arrivals[0]! <= this.time + NOTHING) {
        stage.arrivals.shift();
        this.finish(stage);
      }
      if (!stage.busy) continue;
      this.progress(stage.active, cycles);
      if (stage.active.length === 0) this.release(stage);
    }
    const { copying } = this;
    if (!copying) return;
    if (copying.arrival === undefined) {
      this.progress(copying.active, cycles);
      if (copying.active.length === 0) copying.arrival = this.time + copying.latency;
    }
    if (copying.arrival !== undefined && copying.arrival <= this.time + NOTHING) {
      this.copying = undefined;
      this.copied++;
    }
  }

  /** Which layer the time belongs to, and how busy the memories are. */
  private count(cycles: number): void {
    if (cycles <= 0) return;
    const running = this.queue.jobOf(this.last.finished);
    const { gate, ports } = this.machine;
    let computes = false;
    for (let i = gate; i < this.stages.length; i++) {
      for (const { part } of this.stages[i]!.active) if (!isTransfer(part)) computes = true;
    }
    const lacksWeights = this.copied < running.job.needs;
    const layer = this.queue.layerOf(this.last.finished, running);
    this.recorder.pass(layer, cycles, computes ? undefined : lacksWeights ? "weights" : "memory");
    for (const [port, flows] of this.flows.entries()) this.countPort(ports[port]!, flows, cycles);
  }

  private countPort({ bytesPerCycle, duplex }: Port, flows: readonly Active[], cycles: number): void {
    for (let i = 0; i < flows.length; i++) {
      const { layer, serial, part } = flows[i]!;
      const { memory } = part as TransferPart;
      let [reads, writes, first] = [0, 0, true];
      for (let j = 0; j < flows.length; j++) {
        const { part: other, direction, rate } = flows[j]!;
        if ((other as TransferPart).memory !== memory) continue;
        if (j < i) first = false;
        if (direction === "read") reads += rate;
        else writes += rate;
      }
      const all = (cycles * (duplex ? Math.max(reads, writes) : reads + writes)) / bytesPerCycle;
      this.recorder.count(memory, layer, (all * flows[i]!.rate) / (reads + writes), 0);
      // What several layers move at a time is drawn with the one that began first.
      if (!first) continue;
      const work = { layer, job: serial, start: this.time, end: this.time + cycles, busy: all, pieces: 0 };
      this.recorder.draw(memory, work, "port");
    }
  }

  private progress(active: Active[], cycles: number): void {
    for (let i = active.length - 1; i >= 0; i--) {
      const one = active[i]!;
      one.remaining -= cycles * one.rate;
      if (one.remaining > NOTHING) continue;
      active.splice(i, 1);
      const { part, layer, serial, start, late } = one;
      const busy = isTransfer(part) ? this.time - start : part.cycles;
      const work = { layer, job: serial, start, end: this.time, busy, pieces: 1 };
      if (part.lane !== undefined) this.recorder.add(part.lane, work, late ? "run" : "singles");
      if (!isTransfer(part)) continue;
      const flows = this.flows[part.port]!;
      flows.splice(flows.indexOf(one), 1);
      this.changed[part.port] = true;
    }
  }

  /** All that the future depends on, relative to the next piece and to the time; undefined where it cannot repeat itself. */
  private state(loop: "blocks" | "rounds"): number[] | undefined {
    const { produced, running } = this.queue;
    const { finished } = this.last;
    const state: number[] = [];
    if (loop === "blocks") {
      const { base, job } = running.at(-1)!;
      if (finished < base || this.copied < job.needs) return undefined;
    } else {
      for (const { job, base } of running) {
        if (!this.jobs.has(job)) this.jobs.set(job, this.jobs.size);
        state.push(this.jobs.get(job)!, base - produced, Math.max(0, job.needs - this.copied));
      }
    }
    const push = (active: readonly Active[]): void => {
      for (const { part, remaining } of active) state.push(part.lane ?? -1, remaining);
    };
    for (const stage of this.stages) {
      state.push(stage.next - produced, stage.finished - produced, stage.released - produced, stage.active.length);
      push(stage.active);
      state.push(stage.arrivals.length);
      for (const at of stage.arrivals) state.push(at - this.time);
    }
    state.push(this.copies.length);
    for (const { after } of this.copies) state.push(Math.max(0, after - finished));
    if (this.copying) {
      // What is left of a copy becomes less from iteration to iteration, and changes nothing until it ends.
      state.push(this.copied, this.copying.active.length, (this.copying.arrival ?? this.time) - this.time);
    }
    return state;
  }

  /** Where a loop begins again as it did before: the iterations that would be the same take one step. Whether that was so. */
  private leaveOut(): boolean {
    if (this.options.compress === false) return false;
    const boundary = this.queue.boundary();
    if (!boundary) return false;
    const state = this.state(boundary.loop);
    if (!state) return false;
    const history = this.histories[boundary.loop];
    const copied = this.copying?.active ?? [];
    const rest = copied.map(({ remaining }) => remaining);
    const period = history.visit(boundary, state, this.time, rest, () => this.recorder.snapshot());
    if (!period) return false;
    const progress = rest.map((left, i) => period.rest[i]! - left);
    const times = Math.min(
      Math.floor(boundary.left / period.iterations),
      // The iteration in which a copy ends is another.
      ...rest.map((left, i) => (progress[i]! > 0 ? Math.ceil(left / progress[i]!) - 2 : 0)),
    );
    if (times <= 0) return false;
    const cycles = times * period.cycles;
    const starts = this.machine.lanes.map(() => this.time);
    for (const { active, arrivals } of this.stages) {
      for (const one of active) {
        if (one.part.lane !== undefined) starts[one.part.lane] = one.start;
        one.start += cycles;
      }
      for (let i = 0; i < arrivals.length; i++) arrivals[i]! += cycles;
    }
    for (const [i, one] of copied.entries()) one.remaining -= times * progress[i]!;
    if (this.copying?.arrival !== undefined) this.copying.arrival += cycles;
    this.recorder.repeat(period.counts, times, cycles, starts, this.queue.running.at(-1)?.serial ?? -1);
    this.time += cycles;
    this.queue.skip(boundary, times * period.iterations);
    history.reset();
    return true;
  }
}

/** Runs a program from beginning to end. */
export function run(program: Program, options: RunOptions = {}): Outcome {
  return new Simulation(program, options).run();
}
