/** What a schedule computes with: numbers, numbers modulo 2^32, counted ones, or linear forms. */

/** Operations of a straight-line schedule over values of type T. */
export interface Arithmetic<T> {
  /** Neutral in `add`. */
  readonly zero: T;
  /** a + b */
  add(a: T, b: T): T;
  /** a - b */
  sub(a: T, b: T): T;
  /** a * 2^by */
  shl(a: T, by: number): T;
  /** a times an integer constant that is no power of two. */
  mulc(a: T, factor: number): T;
  /** -a */
  neg(a: T): T;
}

/** Numbers, exact below 2^53; a zero is never negative. */
export const exact: Arithmetic<number> = {
  zero: 0,
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  shl: (a, by) => a * 2 ** by,
  mulc: (a, factor) => a * factor + 0,
  neg: (a) => 0 - a,
};

/** int32 as WebAssembly computes it: modulo 2^32, results in -2^31 .. 2^31 - 1. */
export const wrapping: Arithmetic<number> = {
  zero: 0,
  add: (a, b) => (a + b) | 0,
  sub: (a, b) => (a - b) | 0,
  shl: (a, by) => (by < 32 ? a << by : 0),
  mulc: (a, factor) => Math.imul(a, factor),
  neg: (a) => -a | 0,
};

/** Operations of a schedule. */
export interface OperationCount {
  /** Additions, subtractions and negations. */
  adds: number;
  /** Multiplications by a power of two. */
  shifts: number;
  /** Multiplications by a constant of the algorithm. */
  constants: number;
}

export const noOperations = (): OperationCount => ({ adds: 0, shifts: 0, constants: 0 });

/** The same arithmetic, adding each operation to `count`. */
export function counted<T>(arithmetic: Arithmetic<T>, count: OperationCount): Arithmetic<T> {
  const { zero } = arithmetic;
  return {
    zero,
    add(a, b) {
      count.adds++;
      return arithmetic.add(a, b);
    },
    sub(a, b) {
      count.adds++;
      return arithmetic.sub(a, b);
    },
    neg(a) {
      count.adds++;
      return arithmetic.neg(a);
    },
    shl(a, by) {
      count.shifts++;
      return arithmetic.shl(a, by);
    },
    mulc(a, factor) {
      count.constants++;
      return arithmetic.mulc(a, factor);
    },
  };
}

/** A linear form: the coefficients of each input. */
export type LinearForm = readonly number[];

/** Linear forms in `size` variables; `seen` is told each intermediate value, for bounds on all of them. */
export function linearForms(size: number, seen: (form: LinearForm) => void = () => {}): Arithmetic<LinearForm> {
  const note = (form: LinearForm): LinearForm => {
    seen(form);
    return form;
  };
  return {
    zero: new Array<number>(size).fill(0),
    add: (a, b) => note(a.map((x, i) => x + b[i]!)),
    sub: (a, b) => note(a.map((x, i) => x - b[i]!)),
    shl: (a, by) => note(a.map((x) => x * 2 ** by)),
    mulc: (a, factor) => note(a.map((x) => x * factor)),
    neg: (a) => note(a.map((x) => 0 - x)),
  };
}

/** The `size` variables themselves as linear forms. */
export function variables(size: number): LinearForm[] {
  return Array.from({ length: size }, (_, i) => Array.from({ length: size }, (_, k) => (k === i ? 1 : 0)));
}
