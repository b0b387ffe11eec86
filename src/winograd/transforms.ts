/**
 * The two-dimensional transforms as kernels do them: one-dimensional schedules over columns, then rows, and the steps between the real
 * array (rows R and S for a pair of points) and the planes. For a vertical pair p and a horizontal pair q the corner block of R and S
 * turns into two complex numbers,
 *   V(p, q) = (RR - SS) + i (RS + SR)        V(p, q') = (RR + SS) + i (SR - RS)
 * and back: with P = M(p, q) and Q = M(p, q'), RR = P.re + Q.re, SS = Q.re - P.re, RS = P.im - Q.im, SR = P.im + Q.im, each doubled as
 * everything of pairs is, here or in the filter.
 */
import { type Arithmetic, counted, noOperations, type OperationCount } from "./arithmetic.ts";
import type { Nested } from "./nested.ts";
import { type RealForm, realForm } from "./real-form.ts";
import { evaluate, type Schedule, scheduleOf } from "./schedule.ts";
import type { Entry } from "./structure.ts";

/** The schedules of one direction. */
export interface DirectionSchedules {
  /** What they compute. */
  readonly form: RealForm;
  /** Of B^T. */
  readonly input: Schedule;
  /** Of G. */
  readonly filter: Schedule;
  /** Of A^T. */
  readonly output: Schedule;
}

/** The transforms of a nested algorithm, as schedules over any arithmetic. */
export interface Transforms {
  /** What they compute. */
  readonly nested: Nested;
  /** Of the columns. */
  readonly vertical: DirectionSchedules;
  /** Of the rows. */
  readonly horizontal: DirectionSchedules;
  /** A tile nv x nh, row-major -> left factors in plane order. */
  input<T>(tile: readonly T[], arithmetic: Arithmetic<T>): T[];
  /** A filter rv x rh, row-major -> right factors in plane order. */
  filter<T>(filter: readonly T[], arithmetic: Arithmetic<T>): T[];
  /** Products, summed over channels, in plane order -> scale times the outputs mv x mh, row-major. */
  output<T>(products: readonly T[], arithmetic: Arithmetic<T>): T[];
  /** The step after both passes of the input or filter transform: real array nv x nh, row-major -> its entries. */
  split<T>(array: readonly T[], arithmetic: Arithmetic<T>): Entries<T>;
  /** The step before both passes of the output transform, without the doubling. */
  join<T>(entries: Entries<T>, arithmetic: Arithmetic<T>): T[];
}

/** re + i im. */
export interface Complex<T> {
  /** Real part. */
  readonly re: T;
  /** Imaginary part. */
  readonly im: T;
}

/** Transformed values in the order of structure.ts. */
export interface Entries<T> {
  /** Those that are real. */
  readonly real: readonly T[];
  /** One of each conjugate pair. */
  readonly pairs: readonly Complex<T>[];
}

/** columns, then rows: `rows` x `columns` values -> vertical.outputs x horizontal.outputs values. */
function separable<T>(vertical: Schedule, horizontal: Schedule, values: readonly T[], arithmetic: Arithmetic<T>): T[] {
  const width = horizontal.inputs.length;
  const columns = Array.from({ length: width }, (_, x) =>
    evaluate(
      vertical,
      vertical.inputs.map((_, y) => values[y * width + x]!),
      arithmetic,
    ),
  );
  return vertical.outputs.flatMap((_, j) =>
    evaluate(
      horizontal,
      columns.map((column) => column[j]!),
      arithmetic,
    ),
  );
}

/** The four places of a real array that hold the parts of a pair; two of them in a real row or column. */
type Places = { readonly kind: "edge"; readonly re: number; readonly im: number } | Corner;

interface Corner {
  readonly kind: "corner";
  readonly rr: number;
  readonly rs: number;
  readonly sr: number;
  readonly ss: number;
  /** This pair is (p, q'), the other one (p, q). */
  readonly conjugateColumn: boolean;
}

function placesOf({ row, column }: Entry, { structure, horizontal }: Nested): Places {
  const width = horizontal.algorithm.n;
  const otherRow = structure.rowPartner[row]!;
  const otherColumn = structure.columnPartner[column]!;
  const at = (j: number, k: number): number => j * width + k;
  if (row === otherRow || column === otherColumn) {
    return { kind: "edge", re: at(row, column), im: at(otherRow, otherColumn) };
  }
  const [r, s] = [Math.min(column, otherColumn), Math.max(column, otherColumn)];
  return {
    kind: "corner",
    rr: at(row, r),
    rs: at(row, s),
    sr: at(otherRow, r),
    ss: at(otherRow, s),
    conjugateColumn: column === s,
  };
}

function directionOf(form: RealForm): DirectionSchedules {
  return { form, input: scheduleOf(form.BT), filter: scheduleOf(form.G), output: scheduleOf(form.AT) };
}

/**
 * Finds the schedules of a nested algorithm: few additions, by shared subexpressions (ours).
 * @throws WasmogradError ERR_UNSUPPORTED when a coefficient passes 2^53
 */
export function transforms(nested: Nested): Transforms {
  const vertical = directionOf(realForm(nested.vertical));
  const horizontal = nested.horizontal === nested.vertical ? vertical : directionOf(realForm(nested.horizontal));
  const width = nested.horizontal.algorithm.n;
  const { real, pairs } = nested.structure;
  const places = pairs.map((pair) => placesOf(pair, nested));

  /** Real array -> real entries and pairs. */
  const split = <T>(array: readonly T[], arithmetic: Arithmetic<T>): Entries<T> => {
    const { add, sub } = arithmetic;
    return {
      real: real.map(({ row, column }) => array[row * width + column]!),
      pairs: places.map((place) => {
        if (place.kind === "edge") return { re: array[place.re]!, im: array[place.im]! };
        const [rr, rs, sr, ss] = [place.rr, place.rs, place.sr, place.ss].map((i) => array[i]!) as [T, T, T, T];
        return place.conjugateColumn ? { re: add(rr, ss), im: sub(sr, rs) } : { re: sub(rr, ss), im: add(rs, sr) };
      }),
    };
  };

  /** The reverse for products, adjoint to `split`. */
  const join = <T>(entries: Entries<T>, { add, sub }: Arithmetic<T>): T[] => {
    const array: T[] = [];
    const values = entries.pairs;
    for (const [i, { row, column }] of real.entries()) array[row * width + column] = entries.real[i]!;
    for (const [i, place] of places.entries()) {
      const { re, im } = values[i]!;
      if (place.kind === "edge") {
        array[place.re] = re;
        array[place.im] = im;
      } else if (place.conjugateColumn) {
        const mate = places.findIndex((p) => p.kind === "corner" && p.rr === place.rr && !p.conjugateColumn);
        const p = values[mate]!;
        array[place.rr] = add(p.re, re);
        array[place.ss] = sub(re, p.re);
        array[place.rs] = sub(p.im, im);
        array[place.sr] = add(p.im, im);
      }
    }
    return array;
  };

  const inFilter = nested.doubling === "filter";
  return {
    nested,
    vertical,
    horizontal,
    split,
    join,
    input(tile, arithmetic) {
      const found = split(separable(vertical.input, horizontal.input, tile, arithmetic), arithmetic);
      return [...found.real, ...found.pairs.flatMap(({ re, im }) => [arithmetic.add(re, im), re, im])];
    },
    filter(filter, arithmetic) {
      const { add, sub, shl } = arithmetic;
      const found = split(separable(vertical.filter, horizontal.filter, filter, arithmetic), arithmetic);
      const factors = found.pairs.flatMap(({ re, im }) => {
        const [c, d] = inFilter ? [shl(re, 1), shl(im, 1)] : [re, im];
        return [c, sub(d, c), add(c, d)];
      });
      return [...found.real, ...factors];
    },
    output(products, arithmetic) {
      const { add, sub, shl } = arithmetic;
      const complex = pairs.map((_, i) => {
        const [k1, k2, k3] = products.slice(real.length + 3 * i, real.length + 3 * i + 3);
        return { re: sub(k1!, k3!), im: add(k1!, k2!) };
      });
      const array = join({ real: products.slice(0, real.length), pairs: complex }, arithmetic);
      if (!inFilter) for (const i of places.flatMap(indices)) array[i] = shl(array[i]!, 1);
      return separable(vertical.output, horizontal.output, array, arithmetic);
    },
  };
}

/** Places that a pair fills; a corner's four are named once, by the second of its two pairs. */
function indices(place: Places): number[] {
  if (place.kind === "edge") return [place.re, place.im];
  return place.conjugateColumn ? [place.rr, place.rs, place.sr, place.ss] : [];
}

/** Operations of the three transforms. */
export interface TransformCounts {
  /** Once a tile and input channel. */
  readonly input: OperationCount;
  /** Once for all. */
  readonly filter: OperationCount;
  /** Once a tile and output channel. */
  readonly output: OperationCount;
}

/** Operations of the transforms, counted by running them (ours). */
export function countTransforms(found: Transforms): TransformCounts {
  const nothing: Arithmetic<null> = {
    zero: null,
    add: () => null,
    sub: () => null,
    shl: () => null,
    mulc: () => null,
    neg: () => null,
  };
  const count = (run: (arithmetic: Arithmetic<null>) => void): OperationCount => {
    const operations = noOperations();
    run(counted(nothing, operations));
    return operations;
  };
  const { vertical, horizontal, planes } = found.nested;
  const blank = (length: number): null[] => new Array<null>(length).fill(null);
  return {
    input: count((a) => found.input(blank(vertical.algorithm.n * horizontal.algorithm.n), a)),
    filter: count((a) => found.filter(blank(vertical.algorithm.r * horizontal.algorithm.r), a)),
    output: count((a) => found.output(blank(planes.length), a)),
  };
}
