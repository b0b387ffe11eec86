/** The oracle: a systolic array whose registers are moved cycle by cycle, and its memories' ports byte by byte. Slow and plain. */
import type { Dataflow } from "../../../src/timing/devices/description.ts";
import type { FoldTransfers } from "../../../src/timing/systolic/pipeline.ts";

export type Matrix = readonly (readonly number[])[];

const grid = <T>(rows: number, columns: number, value: T): T[][] =>
  Array.from({ length: rows }, () => new Array<T>(columns).fill(value));

interface Fold {
  readonly product: number[][];
  readonly cycles: number;
}

/** One value of each lane enters a cycle after the lane before it; undefined: nothing. */
const skewed = (stream: Matrix, lane: number, cycle: number): number | undefined => stream[lane]?.[cycle - lane];

/** a [rows][steps] from the left, b [columns][steps] from above; each cell keeps a sum. */
function sumsStay(rows: number, columns: number, steps: number, a: Matrix, b: Matrix): Fold {
  let right = grid<number | undefined>(rows, columns, undefined);
  let down = grid<number | undefined>(rows, columns, undefined);
  const product = grid(rows, columns, 0);
  const seen = grid(rows, columns, 0);
  for (let cycle = 0; ; cycle++) {
    const [lastRight, lastDown] = [right, down];
    right = grid<number | undefined>(rows, columns, undefined);
    down = grid<number | undefined>(rows, columns, undefined);
    for (let r = 0; r < rows; r++) {
      for (let c = 0; c < columns; c++) {
        const x = c === 0 ? skewed(a, r, cycle) : lastRight[r]![c - 1];
        const y = r === 0 ? skewed(b, c, cycle) : lastDown[r - 1]![c];
        right[r]![c] = x;
        down[r]![c] = y;
        if (x === undefined || y === undefined) continue;
        product[r]![c]! += x * y;
        seen[r]![c]!++;
      }
    }
    if (seen.flat().every((n) => n === steps)) return { product, cycles: cycle + 1 };
  }
}

/** Cells [rows][columns] are shifted in from above, a row a cycle; a [rows][steps] comes from the left, sums go down and out below. */
function cellsStay(rows: number, columns: number, steps: number, cells: Matrix, a: Matrix): Fold {
  let held = grid(rows, columns, 0);
  let cycles = 0;
  for (let i = rows - 1; i >= 0; i--) {
    held = [[...cells[i]!], ...held.slice(0, -1)];
    cycles++;
  }
  let right = grid<number | undefined>(rows, columns, undefined);
  let sums = grid<number | undefined>(rows, columns, undefined);
  const out: number[][] = Array.from({ length: columns }, () => []);
  for (let cycle = 0; out.some(({ length }) => length < steps); cycle++, cycles++) {
    const [lastRight, lastSums] = [right, sums];
    right = grid<number | undefined>(rows, columns, undefined);
    sums = grid<number | undefined>(rows, columns, undefined);
    for (let r = 0; r < rows; r++) {
      for (let c = 0; c < columns; c++) {
        const x = c === 0 ? skewed(a, r, cycle) : lastRight[r]![c - 1];
        right[r]![c] = x;
        if (x === undefined) continue;
        sums[r]![c] = (r === 0 ? 0 : lastSums[r - 1]![c]!) + x * held[r]![c]!;
        if (r === rows - 1) out[c]!.push(sums[r]![c]!);
      }
    }
  }
  return { product: out, cycles };
}

/** pixels x window times window x filters, on an array that is filled with zeros where there is nothing. */
export function multiply(dataflow: Dataflow, rows: number, columns: number, x: Matrix, w: Matrix): Fold {
  const [pixels, window, filters] = [x.length, w.length, w[0]!.length];
  const product = grid(pixels, filters, 0);
  let cycles = 0;
  const X = (p: number, k: number): number => x[p]?.[k] ?? 0;
  const W = (k: number, f: number): number => w[k]?.[f] ?? 0;
  const lanes = <T>(count: number, of: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => of(i));
  const [alongRows, alongColumns] = { os: [pixels, filters], ws: [window, filters], is: [window, pixels] }[dataflow];
  for (let r0 = 0; r0 < alongRows!; r0 += rows) {
    for (let c0 = 0; c0 < alongColumns!; c0 += columns) {
      if (dataflow === "os") {
        const a = lanes(rows, (r) => lanes(window, (k) => X(r0 + r, k)));
        const b = lanes(columns, (c) => lanes(window, (k) => W(k, c0 + c)));
        const fold = sumsStay(rows, columns, window, a, b);
        cycles += fold.cycles;
        for (const [r, row] of fold.product.entries()) {
          for (const [c, sum] of row.entries()) if (r0 + r < pixels && c0 + c < filters) product[r0 + r]![c0 + c] = sum;
        }
        continue;
      }
      const weights = dataflow === "ws";
      const steps = weights ? pixels : filters;
      const cells = lanes(rows, (r) => lanes(columns, (c) => (weights ? W(r0 + r, c0 + c) : X(c0 + c, r0 + r))));
      const a = lanes(rows, (r) => lanes(steps, (t) => (weights ? X(t, r0 + r) : W(r0 + r, t))));
      const fold = cellsStay(rows, columns, steps, cells, a);
      cycles += fold.cycles;
      for (const [c, column] of fold.product.entries()) {
        for (const [t, sum] of column.entries()) {
          const [p, f] = weights ? [t, c0 + c] : [c0 + c, t];
          if (p < pixels && f < filters) product[p]![f]! += sum;
        }
      }
    }
  }
  return { product, cycles };
}

/** Folds one after the other: at each cycle the array and the three ports do what they may. */
export function tick(compute: number, folds: readonly FoldTransfers[]): number {
  const started: number[] = [];
  const ended: number[] = [];
  const fetched = { input: folds.map(() => 0), filter: folds.map(() => 0) };
  const emptied = folds.map(() => 0);
  const left = (of: "input" | "filter", i: number): number => folds[i]![of].cycles - fetched[of][i]!;
  const drained = (i: number): boolean => i < 0 || emptied[i] === folds[i]!.output.cycles;
  for (let now = 0; ; now++) {
    for (let settled = false; !settled; ) {
      settled = true;
      const running = started.length > ended.length ? ended.length : -1;
      if (running >= 0) {
        const { output } = folds[running]!;
        const computed = now - started[running]! >= compute;
        const arrived = left("input", running) === 0 && left("filter", running) === 0;
        if (computed && arrived && emptied[running]! >= output.cycles - output.behind) {
          ended.push(now);
          settled = false;
        }
      } else if (started.length < folds.length) {
        const next = started.length;
        const ready = (["input", "filter"] as const).every((of) => fetched[of][next]! >= folds[next]![of].ahead);
        if (ready && drained(next - 2)) {
          started.push(now);
          settled = false;
        }
      }
    }
    if (ended.length === folds.length && folds.every((_, i) => drained(i))) return now;
    for (const of of ["input", "filter"] as const) {
      const next = folds.findIndex((_, i) => left(of, i) > 0);
      if (next >= 0 && next <= started.length) fetched[of][next]!++;
    }
    const next = folds.findIndex((_, i) => !drained(i));
    if (next < 0 || started[next] === undefined) continue;
    const { cycles, behind } = folds[next]!.output;
    if (ended[next] !== undefined || emptied[next]! < cycles - behind) emptied[next]!++;
  }
}
