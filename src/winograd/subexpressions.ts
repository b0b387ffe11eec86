/**
 * Common subexpressions of an integer matrix times a vector: which two-term sums to compute once. Every row is a sum of terms
 * c * variable. A pattern p*u + q*v (p, q coprime powers of two, signs included) that occurs at least twice, up to a factor, becomes a
 * new variable; each further occurrence saves an addition (Hartley 1996, there on canonical signed digits). A beam search over the
 * choices stands in for the exact minimum, which is NP-hard; results are deterministic.
 */
import type { IntegerMatrix } from "./real-form.ts";

export interface Term {
  readonly variable: string;
  /** Not 0. */
  readonly factor: number;
}

/** Variables in the order in which they can be computed, and the rows in terms of them and of the inputs. */
export interface Factorisation {
  readonly definitions: ReadonlyMap<string, readonly [Term, Term]>;
  readonly rows: readonly (readonly Term[])[];
}

/** Choices examined in parallel. */
const BEAM = 24;

export function isPowerOfTwo(factor: number): boolean {
  return Number.isInteger(Math.log2(Math.abs(factor)));
}

/** Canonical signed digits: the fewest +-2^k that sum to the integer x. */
export function signedDigits(x: number): number[] {
  const digits: number[] = [];
  for (let rest = x, power = 1; rest !== 0; rest /= 2, power *= 2) {
    if (rest % 2 === 0) continue;
    // +1 or -1, whichever leaves a multiple of four.
    const digit = (((rest % 4) + 4) % 4 === 1 ? 1 : -1) as 1 | -1;
    digits.push(digit * power);
    rest -= digit;
  }
  return digits;
}

function gcd(a: number, b: number): number {
  return b === 0 ? Math.abs(a) : gcd(b, a % b);
}

/** The pattern of two terms in a fixed order and orientation, and by what the new variable is multiplied to give them. */
function patternOf(s: Term, t: Term): { key: string; terms: readonly [Term, Term]; factor: number } | undefined {
  const [a, b] = s.variable < t.variable ? [s, t] : [t, s];
  if (a.variable === b.variable) return undefined;
  const common = gcd(a.factor, b.factor) * Math.sign(a.factor);
  const p = a.factor / common;
  const q = b.factor / common;
  if (!isPowerOfTwo(p) || !isPowerOfTwo(q)) return undefined;
  const key = `(${p}*${a.variable}${q < 0 ? "" : "+"}${q}*${b.variable})`;
  const terms = [
    { variable: a.variable, factor: p },
    { variable: b.variable, factor: q },
  ] as const;
  return { key, terms, factor: common };
}

interface Occurrence {
  readonly row: number;
  readonly first: number;
  readonly second: number;
  readonly factor: number;
}

interface Pattern {
  readonly terms: readonly [Term, Term];
  readonly occurrences: Occurrence[];
}

/** Patterns with their occurrences, of which no two use the same term. */
function patterns(rows: Factorisation["rows"]): Map<string, Pattern> {
  const found = new Map<string, Pattern>();
  for (const [row, terms] of rows.entries()) {
    for (let first = 0; first < terms.length; first++) {
      for (let second = first + 1; second < terms.length; second++) {
        const pattern = patternOf(terms[first]!, terms[second]!);
        if (!pattern) continue;
        const entry = found.get(pattern.key) ?? { terms: pattern.terms, occurrences: [] };
        found.set(pattern.key, entry);
        const overlaps = entry.occurrences.some(
          (o) => o.row === row && [o.first, o.second].some((i) => i === first || i === second),
        );
        if (!overlaps) entry.occurrences.push({ row, first, second, factor: pattern.factor });
      }
    }
  }
  return found;
}

function substitute(state: Factorisation, variable: string, { terms, occurrences }: Pattern): Factorisation {
  const rows = state.rows.map((row, index) => {
    const here = occurrences.filter((o) => o.row === index);
    if (here.length === 0) return row;
    const gone = new Set(here.flatMap((o) => [o.first, o.second]));
    const rest = row.filter((_, i) => !gone.has(i));
    return [...rest, ...here.map(({ factor }) => ({ variable, factor }))];
  });
  return { definitions: new Map([...state.definitions, [variable, terms]]), rows };
}

const additions = ({ definitions, rows }: Factorisation): number =>
  definitions.size + rows.reduce((sum, row) => sum + Math.max(0, row.length - 1), 0);

const identity = ({ rows }: Factorisation): string =>
  rows
    .map((row) =>
      row
        .map((t) => `${t.factor}${t.variable}`)
        .sort()
        .join(),
    )
    .join(";");

/**
 * Factorisations of matrix * inputs with few additions, the fewest first.
 * @param split which coefficients, by absolute value, are replaced by their signed digits; others stay as constant products
 */
export function factorisations(
  matrix: IntegerMatrix,
  inputs: readonly string[],
  split: (coefficient: number) => boolean,
): Factorisation[] {
  const start = matrix.map((row) =>
    row.flatMap((c, k) => {
      const digits = split(Math.abs(c)) ? signedDigits(c) : c === 0 ? [] : [c];
      return digits.map((factor) => ({ variable: inputs[k]!, factor }));
    }),
  );
  let beam: Factorisation[] = [{ definitions: new Map(), rows: start }];
  const finished: Factorisation[] = [];
  while (beam.length > 0) {
    const next = new Map<string, Factorisation>();
    for (const state of beam) {
      const worthwhile = [...patterns(state.rows)]
        .filter(([, { occurrences }]) => occurrences.length > 1)
        .sort(([, a], [, b]) => b.occurrences.length - a.occurrences.length)
        .slice(0, BEAM);
      if (worthwhile.length === 0) finished.push(state);
      for (const [key, pattern] of worthwhile) {
        const successor = substitute(state, key, pattern);
        next.set(identity(successor), successor);
      }
    }
    beam = [...next.values()].sort((a, b) => additions(a) - additions(b)).slice(0, BEAM);
  }
  return finished.sort((a, b) => additions(a) - additions(b)).slice(0, BEAM);
}
