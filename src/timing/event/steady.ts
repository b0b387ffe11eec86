/** When a loop has come to repeat itself: states at its beginnings are compared, and equal ones need no further simulation. */

/** What the state was at the beginning of an iteration. */
interface Mark {
  readonly state: readonly number[];
  /** Iterations that were still to come. */
  readonly left: number;
  readonly time: number;
  /** What is left of what goes on through all iterations, and is no part of the state. */
  readonly rest: readonly number[];
  readonly counts: Float64Array | undefined;
}

/** Iterations that a pattern may be long. */
const LONGEST_PERIOD = 8;
/**
 * Differences in cycles and bytes that count as none, by how many iterations went by: shares of ports come closer to their limit from
 * iteration to iteration and never reach it.
 */
const TOLERANCES: readonly (readonly [iterations: number, tolerance: number])[] = [
  [64, 1e-6],
  [256, 1e-3],
  [Number.POSITIVE_INFINITY, 0.02],
];

function alike(a: readonly number[], b: readonly number[], tolerance: number): boolean {
  return a.length === b.length && a.every((value, i) => Math.abs(value - b[i]!) <= tolerance);
}

export interface Period {
  readonly iterations: number;
  readonly cycles: number;
  /** At its beginning. */
  readonly rest: readonly number[];
  readonly counts: Float64Array;
}

/** The iterations of one loop. */
export class LoopHistory {
  private marks: Mark[] = [];
  private seen = 0;
  private serial: number | undefined;

  /**
   * The period that has just come to its end, if the state is as it was at its beginning.
   * @param left iterations that are still to come
   * @param rest what is left of what goes on meanwhile: it need not be as it was
   * @param counts taken only of states that occurred before
   */
  visit(
    { serial, left }: { readonly serial: number; readonly left: number },
    state: readonly number[],
    time: number,
    rest: readonly number[],
    counts: () => Float64Array,
  ): Period | undefined {
    if (serial !== this.serial) {
      this.serial = serial;
      this.reset();
    }
    const tolerance = TOLERANCES.find(([iterations]) => this.seen < iterations)![1];
    this.seen++;
    const mark = this.marks.findLast((one) => alike(one.state, state, tolerance));
    if (mark?.counts) {
      const { counts: before, rest: most } = mark;
      return { iterations: mark.left - left, cycles: time - mark.time, rest: most, counts: before };
    }
    this.marks.push({ state, left, time, rest, counts: mark ? counts() : undefined });
    if (this.marks.length > 2 * LONGEST_PERIOD) this.marks.shift();
    return undefined;
  }

  reset(): void {
    this.marks = [];
    this.seen = 0;
  }
}
