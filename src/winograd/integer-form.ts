/**
 * Integer forms of an algorithm: with every denominator pulled out, one dimension computes scale * Y from Gaussian integers alone.
 *
 * Row j of G, row j of B^T and column j of A^T are multiplied together, so a factor may sit in any of them. Each is divided by its
 * content (the primitive rows Gn, Bn and An); what remains is one weight w_j a point, and `scale` is the least integer with all
 * scale * w_j integers. These D_j = scale * w_j go
 *   "scaled"          into the filter: rows D_j Gn_j, that is 2G, 4G, 24G for F(2x2), complex and rational F(4x4);
 *   "row-normalised"  into the output: columns D_j An_j, which keeps the stored filter narrow;
 *   "split"           odd part into the filter, power of two and sign into the output (ours): the output needs no products by constants,
 *                     and the filter hardly grows. Rational F(4x4): D = 6 -4 -4 1 1 24 gives 3 1 1 1 1 3 on the rows whose gain is 1, so
 *                     the filter stays below the 7 of the points +-2.
 */
import { type Algorithm, conjugateRows } from "./algorithm.ts";
import { Gaussian, lcm } from "./gaussian.ts";
import { conjugate, type Matrix, primitive, scale as scaled, transpose, type Vector } from "./matrix.ts";

/** Where the factors that clear denominators go: the filter, the output, or odd parts there and powers of two here. */
export type FormKind = "scaled" | "row-normalised" | "split";

/** An algorithm without denominators. */
export interface IntegerForm {
  /** Where the factors went. */
  readonly kind: FormKind;
  /** What it is a form of. */
  readonly algorithm: Algorithm;
  /** The result of one dimension is `scale` times the correlation. */
  readonly scale: bigint;
  /** D, one factor a point, wherever `kind` put it. */
  readonly diagonal: Vector;
  /** m x n, of Gaussian integers. */
  readonly AT: Matrix;
  /** n x r, of Gaussian integers. */
  readonly G: Matrix;
  /** n x n, of Gaussian integers. */
  readonly BT: Matrix;
}

interface Factors {
  readonly a: Vector;
  readonly g: Vector;
  readonly b: Vector;
  readonly weight: Gaussian;
}

function factorise(column: Vector, filter: Vector, input: Vector): Factors {
  const a = primitive(column);
  const b = primitive(input);
  const g = primitive(filter);
  // The sign (or unit) of a filter row goes into the weight, so that stored rows begin with a positive number: 1 1 1, not -1 -1 -1.
  const unit = (g.row.find((z) => !z.isZero()) ?? Gaussian.ONE).unit();
  return {
    a: a.row,
    b: b.row,
    g: g.row.map((z) => z.div(unit)),
    weight: a.content.mul(b.content).mul(g.content).mul(unit),
  };
}

/** What of a diagonal entry goes into the filter, the rest going into the output. */
function filterShare(kind: FormKind, d: Gaussian): Gaussian {
  if (kind === "scaled") return d;
  if (kind === "row-normalised") return Gaussian.ONE;
  let odd = d.div(d.unit());
  const half = Gaussian.ONE.div(Gaussian.of(2));
  for (let next = odd.mul(half); next.den === 1n; next = odd.mul(half)) odd = next;
  return odd;
}

export function integerForm(algorithm: Algorithm, kind: FormKind): IntegerForm {
  const partner = conjugateRows(algorithm);
  const A = transpose(algorithm.AT);
  const factors: Factors[] = [];
  for (const [j, k] of partner.entries()) {
    const first = factors[k];
    // Contents are defined up to a unit: the second of a pair copies the first, so that they stay conjugate.
    if (k < j && first) {
      const { a, b, g, weight } = first;
      factors.push({ a: conjugate(a), b: conjugate(b), g: conjugate(g), weight: weight.conj() });
    } else {
      factors.push(factorise(A[j]!, algorithm.G[j]!, algorithm.BT[j]!));
    }
  }
  const scale = factors.reduce((common, { weight }) => lcm(common, weight.den), 1n);
  const diagonal = factors.map(({ weight }) => weight.mul(Gaussian.of(scale)));
  const inFilter: Gaussian[] = [];
  for (const [j, k] of partner.entries()) {
    // As above: a share is defined up to a unit, and the second of a pair must stay conjugate to the first.
    const first = k < j ? inFilter[k] : undefined;
    inFilter.push(first ? first.conj() : filterShare(kind, diagonal[j]!));
  }
  return {
    kind,
    algorithm,
    scale,
    diagonal,
    AT: transpose(factors.map(({ a }, j) => scaled(a, diagonal[j]!.div(inFilter[j]!)))),
    G: factors.map(({ g }, j) => scaled(g, inFilter[j]!)),
    BT: factors.map(({ b }) => b),
  };
}

/** What the result of a two-dimensional integer algorithm is multiplied by, and how that is undone exactly. */
export interface ResultScale {
  /** 2^shift * odd. */
  readonly scale: bigint;
  /** Power of two in it. */
  readonly shift: number;
  /** The rest. */
  readonly odd: bigint;
  /** odd^-1 modulo 2^32: multiplying by it divides any multiple of `odd` exactly, even where the product wraps. */
  readonly inverse: number;
}

/** a^-1 modulo 2^32 for odd a. Newton: each step doubles the number of right bits, and a itself is right to three. */
export function inverseModulo32(a: bigint): number {
  let x = a;
  for (let bits = 3; bits < 32; bits *= 2) x = BigInt.asUintN(32, x * (2n - a * x));
  return Number(BigInt.asUintN(32, x));
}

export function resultScale(vertical: IntegerForm, horizontal: IntegerForm = vertical): ResultScale {
  const scale = vertical.scale * horizontal.scale;
  let odd = scale;
  let shift = 0;
  while (odd % 2n === 0n) {
    odd /= 2n;
    shift++;
  }
  return { scale, shift, odd, inverse: inverseModulo32(odd) };
}
