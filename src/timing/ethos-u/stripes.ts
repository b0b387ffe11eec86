/** Ethos-U, event mode: in which order a cascade's operations make their stripes, and which of these are repeated. */
import type { NpuOperation } from "./block.ts";
import type { Cascade } from "./cascade.ts";
import { inputRange } from "./overlap.ts";

/** Rows of one operation of a cascade. */
export interface Stripe {
  /** Counted from the first of the cascade. */
  readonly operation: number;
  readonly rows: readonly [from: number, to: number];
}

/** Stripes in order, one list for each stripe of the last operation: each stripe is made when what follows needs it. */
export function stripesOf(operations: readonly NpuOperation[], { rows }: Pick<Cascade, "rows">): Stripe[][] {
  const made = operations.map(() => 0);
  const last = operations.length - 1;
  const lists: Stripe[][] = [];
  let list: Stripe[] = [];
  const make = (operation: number, upTo: number): void => {
    const height = operations[operation]!.output.shape[0];
    while (made[operation]! < Math.min(upTo, height)) {
      const from = made[operation]!;
      const to = Math.min(height, from + rows[operation]!);
      if (operation > 0) make(operation - 1, inputRange(operations[operation]!, [from, to], 0)[1]);
      list.push({ operation, rows: [from, to] });
      made[operation] = to;
      if (operation === last) {
        lists.push(list);
        list = [];
      }
    }
  };
  make(last, operations[last]!.output.shape[0]);
  return lists;
}

/** Lists that are a pattern, and how often it follows itself. */
export interface Repeated<T> {
  readonly pattern: readonly (readonly T[])[];
  readonly times: number;
}

const LONGEST_PATTERN = 8;

/** Cuts a sequence into patterns that repeat themselves: at each place the one that reaches furthest. */
export function patterns<T>(lists: readonly (readonly T[])[]): Repeated<T>[] {
  const same = (a: number, b: number): boolean => {
    const [one, other] = [lists[a], lists[b]];
    return one?.length === other?.length && one!.every((item, i) => item === other![i]);
  };
  const found: Repeated<T>[] = [];
  for (let at = 0; at < lists.length; ) {
    let [length, times] = [1, 1];
    for (let period = 1; period <= LONGEST_PATTERN; period++) {
      let end = at + period;
      while (end < lists.length && same(end, end - period)) end++;
      const repeats = Math.floor((end - at) / period);
      if (repeats > 1 && repeats * period > length * times) [length, times] = [period, repeats];
    }
    found.push({ pattern: lists.slice(at, at + length), times });
    at += length * times;
  }
  return found;
}
