/**
 * Straight-line schedules: one transform (an integer matrix times a vector) as a list of additions, subtractions, shifts and constant
 * products over named values, with common subexpressions computed once. From these the kernels' transforms are generated.
 */
import { check } from "../errors.ts";
import type { Arithmetic, OperationCount } from "./arithmetic.ts";
import type { IntegerMatrix } from "./real-form.ts";
import { type Factorisation, factorisations, isPowerOfTwo, type Term } from "./subexpressions.ts";

/** One step of a schedule: `to` is assigned once. */
export type Operation =
  | { readonly op: "add" | "sub"; readonly to: string; readonly a: string; readonly b: string }
  /** a * 2^by */
  | { readonly op: "shl"; readonly to: string; readonly a: string; readonly by: number }
  /** a times a constant that is no power of two */
  | { readonly op: "mulc"; readonly to: string; readonly a: string; readonly by: number }
  | { readonly op: "neg"; readonly to: string; readonly a: string }
  /** A row of zeros. */
  | { readonly op: "zero"; readonly to: string };

/** A straight-line program: a matrix times a vector in few operations. */
export interface Schedule {
  /** Names of the vector's elements. */
  readonly inputs: readonly string[];
  /** Each operation uses inputs and results of earlier ones; every name is assigned once. */
  readonly operations: readonly Operation[];
  /** The value that holds each row of the result; it may be an input, and two rows may share one. */
  readonly outputs: readonly string[];
  /** Of the operations. */
  readonly count: Readonly<OperationCount>;
}

/** An addition and a shift take one instruction, a 32-bit product about two. */
const cost = ({ adds, shifts, constants }: OperationCount): number => adds + shifts + 2 * constants;

/** Emits operations for sums of terms; equal shifts and products are emitted once. */
class Emitter {
  readonly operations: Operation[] = [];
  readonly count: OperationCount = { adds: 0, shifts: 0, constants: 0 };
  readonly #cache = new Map<string, string>();
  readonly #names = new Map<string, string>();

  constructor(inputs: readonly string[]) {
    for (const name of inputs) this.#names.set(name, name);
  }

  #emit(operation: Operation): string {
    this.operations.push(operation);
    if (operation.op === "shl") this.count.shifts++;
    else if (operation.op === "mulc") this.count.constants++;
    else if (operation.op !== "zero") this.count.adds++;
    return operation.to;
  }

  #once(key: string, operation: (to: string) => Operation): string {
    const known = this.#cache.get(key);
    if (known !== undefined) return known;
    const name = this.#emit(operation(`t${this.operations.length}`));
    this.#cache.set(key, name);
    return name;
  }

  /** Gives the value `name` to a variable of the factorisation. */
  define(variable: string, name: string): void {
    this.#names.set(variable, name);
  }

  scaled(a: string, factor: number): string {
    if (factor === 1) return a;
    if (factor === -1) return this.#once(`-${a}`, (to) => ({ op: "neg", to, a }));
    if (!isPowerOfTwo(factor)) return this.#once(`${a}*${factor}`, (to) => ({ op: "mulc", to, a, by: factor }));
    const by = Math.log2(Math.abs(factor));
    const shifted = this.#once(`${a}<<${by}`, (to) => ({ op: "shl", to, a, by }));
    return this.scaled(shifted, Math.sign(factor));
  }

  #add(op: "add" | "sub", a: string, b: string): string {
    const [x, y] = op === "add" && b < a ? [b, a] : [a, b];
    return this.#once(`${x}${op}${y}`, (to) => ({ op, to, a: x, b: y }));
  }

  /** A sum of terms, beginning with a positive one so that no negation is needed. */
  sum(terms: readonly Term[]): string {
    const values = terms.map(({ variable, factor }) => ({ name: this.#names.get(variable)!, factor }));
    const first = values.find(({ factor }) => factor > 0) ?? values[0];
    if (first === undefined) return this.#once("0", (to) => ({ op: "zero", to }));
    if (values.length > 1 && first.factor < 0) {
      const positive = terms.map(({ variable, factor }) => ({ variable, factor: -factor }));
      return this.scaled(this.sum(positive), -1);
    }
    let total = this.scaled(first.name, first.factor);
    for (const value of values) {
      if (value === first) continue;
      const term = this.scaled(value.name, Math.abs(value.factor));
      total = this.#add(value.factor > 0 ? "add" : "sub", total, term);
    }
    return total;
  }
}

const gcd = (a: number, b: number): number => (b === 0 ? Math.abs(a) : gcd(b, a % b));

/** Decisions left open by a factorisation: which differences are computed the other way round, which rows are factored. */
interface Decisions {
  readonly reversed: ReadonlySet<string>;
  readonly factored: ReadonlySet<number>;
}

function emit({ definitions, rows }: Factorisation, inputs: readonly string[], decisions: Decisions): Schedule {
  const emitter = new Emitter(inputs);
  const oriented = (terms: readonly Term[]): Term[] =>
    terms.map((t) => (decisions.reversed.has(t.variable) ? { ...t, factor: -t.factor } : t));
  for (const [variable, terms] of definitions) {
    const sign = decisions.reversed.has(variable) ? -1 : 1;
    const signed = oriented(terms).map((t) => ({ ...t, factor: t.factor * sign }));
    emitter.define(variable, emitter.sum(signed));
  }
  const outputs = rows.map((row, index) => {
    const terms = oriented(row);
    const common = decisions.factored.has(index) ? terms.reduce((g, t) => gcd(g, t.factor), 0) : 1;
    if (common <= 1) return emitter.sum(terms);
    return emitter.scaled(emitter.sum(terms.map((t) => ({ ...t, factor: t.factor / common }))), common);
  });
  return { inputs, operations: emitter.operations, outputs, count: emitter.count };
}

function toggled<T>(set: ReadonlySet<T>, value: T): Set<T> {
  const copy = new Set(set);
  if (!copy.delete(value)) copy.add(value);
  return copy;
}

/** Emits a factorisation with the decisions that hill climbing finds best. */
function bestEmission(factorisation: Factorisation, inputs: readonly string[]): Schedule {
  let decisions: Decisions = { reversed: new Set(), factored: new Set() };
  let best = emit(factorisation, inputs, decisions);
  for (let improved = true; improved; ) {
    improved = false;
    const neighbours: Decisions[] = [
      ...[...factorisation.definitions.keys()].map((v) => ({
        ...decisions,
        reversed: toggled(decisions.reversed, v),
      })),
      ...factorisation.rows.map((_, i) => ({ ...decisions, factored: toggled(decisions.factored, i) })),
    ];
    for (const neighbour of neighbours) {
      const candidate = emit(factorisation, inputs, neighbour);
      if (cost(candidate.count) >= cost(best.count)) continue;
      [best, decisions, improved] = [candidate, neighbour, true];
    }
  }
  return best;
}

/** Odd parts above 1 of the coefficients. */
function oddParts(matrix: IntegerMatrix): number[] {
  const found = new Set<number>();
  for (const c of matrix.flat()) {
    let odd = Math.abs(c);
    while (odd !== 0 && odd % 2 === 0) odd /= 2;
    if (odd > 1) found.add(odd);
  }
  return [...found].sort((a, b) => a - b);
}

/** Subsets of odd parts tried out: all of them up to three, else all and none. */
function splits(odd: readonly number[]): ReadonlySet<number>[] {
  if (odd.length > 3) return [new Set(odd), new Set()];
  return odd.reduce<Set<number>[]>((sets, o) => sets.flatMap((s) => [s, new Set([...s, o])]), [new Set()]);
}

const cache = new Map<string, Schedule>();

/** A short schedule of matrix * inputs. @param inputs names of the inputs, by default x0, x1, ... */
export function scheduleOf(matrix: IntegerMatrix, inputs: readonly string[] = defaultNames(matrix)): Schedule {
  check(
    matrix.length > 0 && matrix.every((row) => row.length === inputs.length && row.every(Number.isSafeInteger)),
    "ERR_ARGUMENT",
    () => `matrix: expected rows of ${inputs.length} integers`,
  );
  const key = JSON.stringify([matrix, inputs]);
  const known = cache.get(key);
  if (known) return known;
  let best: Schedule | undefined;
  for (const set of splits(oddParts(matrix))) {
    const split = (c: number): boolean => {
      let odd = c;
      while (odd !== 0 && odd % 2 === 0) odd /= 2;
      return odd > 1 && set.has(odd);
    };
    for (const factorisation of factorisations(matrix, inputs, split)) {
      const candidate = bestEmission(factorisation, inputs);
      if (best === undefined || cost(candidate.count) < cost(best.count)) best = candidate;
    }
  }
  cache.set(key, best!);
  return best!;
}

function defaultNames(matrix: IntegerMatrix): string[] {
  return (matrix[0] ?? []).map((_, k) => `x${k}`);
}

/** Runs a schedule. */
export function evaluate<T>(schedule: Schedule, values: readonly T[], arithmetic: Arithmetic<T>): T[] {
  const named = new Map<string, T>(schedule.inputs.map((name, i) => [name, values[i]!]));
  for (const step of schedule.operations) {
    if (step.op === "zero") {
      named.set(step.to, arithmetic.zero);
      continue;
    }
    const a = named.get(step.a)!;
    if (step.op === "add") named.set(step.to, arithmetic.add(a, named.get(step.b)!));
    else if (step.op === "sub") named.set(step.to, arithmetic.sub(a, named.get(step.b)!));
    else if (step.op === "shl") named.set(step.to, arithmetic.shl(a, step.by));
    else if (step.op === "mulc") named.set(step.to, arithmetic.mulc(a, step.by));
    else named.set(step.to, arithmetic.neg(a));
  }
  return schedule.outputs.map((name) => named.get(name)!);
}
