/**
 * Systolic arrays: folds one after the other with double-buffered memories. A fold starts when what it needs has come, and while it runs what
 * the next one needs is fetched and what the one before made is written. Runs of like folds are not gone through one by one: as soon as
 * two in a row leave everything as far apart as before, the others take as long.
 */

/** Cycles of the ports for one fold. */
export interface FoldTransfers {
  readonly input: PortTransfer;
  readonly filter: PortTransfer;
  readonly output: OutputTransfer;
}

export interface OutputTransfer {
  readonly cycles: number;
  /** Of them, after the fold has ended: less than all where half the memory does not hold all, and the rest goes while the fold runs. */
  readonly behind: number;
}

export interface PortTransfer {
  readonly cycles: number;
  /** Of them, before the fold can start: less than all where half the memory does not hold all, and the rest comes while the fold runs. */
  readonly ahead: number;
}

/** Folds in order; a repetition stands for `times` its body. */
export type FoldSequence = readonly (FoldTransfers | Repetition)[];

export interface Repetition {
  readonly times: number;
  readonly body: FoldSequence;
}

/** Times, in cycles from the start of the layer. */
interface State {
  /** Start and end of the last fold. */
  start: number;
  end: number;
  /** When each port is free. */
  input: number;
  filter: number;
  /** When the output of the last fold is written, and that of the one before. */
  output: number;
  before: number;
}

const isRepetition = (one: FoldTransfers | Repetition): one is Repetition => "times" in one;

function step(state: State, compute: number, fold: FoldTransfers): void {
  // The half that this fold's operands go to is free since the last fold started on the other.
  const fetch = (free: number, { cycles, ahead }: PortTransfer): readonly [ready: number, done: number] => {
    const begin = Math.max(free, state.start);
    return cycles === 0 ? [0, free] : [begin + ahead, begin + cycles];
  };
  const [inputReady, input] = fetch(state.input, fold.input);
  const [filterReady, filter] = fetch(state.filter, fold.filter);
  const start = Math.max(state.end, inputReady, filterReady, state.before);
  const { cycles, behind } = fold.output;
  const beside = cycles > behind ? Math.max(start, state.output) + cycles - behind : 0;
  const end = Math.max(start + compute, input, filter, beside);
  state.before = state.output;
  state.output = Math.max(end, state.output) + behind;
  Object.assign(state, { start, end, input, filter });
}

/** What decides how the next folds go: times after the last start; what lies before it no longer matters. */
const relative = ({ start, end, input, filter, output, before }: State): readonly number[] =>
  [end, input, filter, output, before].map((time) => Math.max(0, time - start));

function move(state: State, cycles: number): void {
  for (const key of ["start", "end", "input", "filter", "output", "before"] as const) state[key] += cycles;
}

function run(state: State, compute: number, sequence: FoldSequence): void {
  for (const one of sequence) {
    if (!isRepetition(one)) {
      step(state, compute, one);
      continue;
    }
    let last = relative(state);
    for (let done = 0; done < one.times; done++) {
      const begin = state.start;
      run(state, compute, one.body);
      const now = relative(state);
      const settled = now.every((time, i) => time === last[i]);
      last = now;
      if (!settled) continue;
      move(state, (one.times - done - 1) * (state.start - begin));
      break;
    }
  }
}

/** Cycles from the first fetch to the last write. @param compute cycles of each fold by itself */
export function pipelineCycles(compute: number, sequence: FoldSequence): number {
  const state: State = { start: 0, end: 0, input: 0, filter: 0, output: 0, before: 0 };
  run(state, compute, sequence);
  return Math.max(state.end, state.output);
}

/** All folds one by one. */
export function* foldsIn(sequence: FoldSequence): Generator<FoldTransfers> {
  for (const one of sequence) {
    if (!isRepetition(one)) yield one;
    else for (let i = 0; i < one.times; i++) yield* foldsIn(one.body);
  }
}

/** Sum over all folds, repetitions multiplied. */
export function sumOver(sequence: FoldSequence, of: (fold: FoldTransfers) => number): number {
  return sequence.reduce((sum, one) => sum + (isRepetition(one) ? one.times * sumOver(one.body, of) : of(one)), 0);
}
