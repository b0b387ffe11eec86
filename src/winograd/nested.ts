/**
 * Two dimensions by nesting: V = Bv^T d Bh, U = Gv g Gh^T, Y = Av^T (U . V) Ah, with one algorithm for the vertical and one for the
 * horizontal direction. Everything here is exact matrices over the planes (structure.ts), one row or column a real product:
 *
 *   scale * Y = output * ((filter * g) . (input * d))        with d, g and Y flattened row-major
 *
 * The transforms that compute the same by schedules are in transforms.ts; tests compare the two.
 */
import type { Algorithm } from "./algorithm.ts";
import { Gaussian } from "./gaussian.ts";
import { type FormKind, type IntegerForm, integerForm, type ResultScale, resultScale } from "./integer-form.ts";
import { type Matrix, transpose, type Vector } from "./matrix.ts";
import type { IntegerMatrix } from "./real-form.ts";
import { type Plane, planes, type Structure, structure } from "./structure.ts";

/** Who doubles the conjugate pairs, which stand for two entries each: the output, once a tile, or the filter, once for all. */
export type Doubling = "output" | "filter";

/** A two-dimensional algorithm. */
export interface Nested {
  /** Of the columns. */
  readonly vertical: IntegerForm;
  /** Of the rows. */
  readonly horizontal: IntegerForm;
  /** Who doubles the conjugate pairs. */
  readonly doubling: Doubling;
  /** Which transformed values are real, and which are each other's conjugates. */
  readonly structure: Structure;
  /** One a real product. */
  readonly planes: readonly Plane[];
  /** What the result is multiplied by. */
  readonly result: ResultScale;
}

/** Of `nest`. */
export interface NestedOptions {
  /** Of the columns. */
  readonly vertical: Algorithm;
  /** The vertical one unless given. */
  readonly horizontal?: Algorithm;
  /** "scaled" unless given. */
  readonly form?: FormKind;
  /** "output" unless given. */
  readonly doubling?: Doubling;
}

/**
 * A two-dimensional algorithm from one, or from one for each direction: Y = Av^T ((Gv g Gh^T) . (Bv^T d Bh)) Ah, with three real products
 * for a pair of complex conjugates (arXiv 1901.01965).
 */
export function nest({ vertical, horizontal = vertical, form = "scaled", doubling = "output" }: NestedOptions): Nested {
  const v = integerForm(vertical, form);
  const h = horizontal === vertical ? v : integerForm(horizontal, form);
  const found = structure(v, h);
  return {
    vertical: v,
    horizontal: h,
    doubling,
    structure: found,
    planes: planes(found),
    result: resultScale(v, h),
  };
}

/** Row-major products of two vectors: what one entry of a nested transform takes of each value. */
const outer = (a: Vector, b: Vector): Vector => a.flatMap((x) => b.map((y) => x.mul(y)));

const integers = (vector: Vector): number[] => vector.map((z) => z.toNumber());

/** Left or right factors of every plane, linear in the tile or the filter. */
function factors(
  nested: Nested,
  vertical: Matrix,
  horizontal: Matrix,
  factor: (plane: Plane, re: Gaussian, im: Gaussian) => Gaussian,
): number[][] {
  return nested.planes.map((plane) =>
    integers(
      outer(vertical[plane.row]!, horizontal[plane.column]!).map((z) => factor(plane, z.realPart(), z.imaginaryPart())),
    ),
  );
}

/** planes x (nv * nh): the left factors v, a+b, a, b. */
export function inputPlanes(nested: Nested): IntegerMatrix {
  return factors(nested, nested.vertical.BT, nested.horizontal.BT, ({ left }, a, b) => {
    if (left === "a+b") return a.add(b);
    return left === "b" ? b : a;
  });
}

/** planes x (rv * rh): the right factors u, c, d-c, c+d; those of pairs twice that where the filter does the doubling. */
export function filterPlanes(nested: Nested): IntegerMatrix {
  const two = Gaussian.of(nested.doubling === "filter" ? 2 : 1);
  return factors(nested, nested.vertical.G, nested.horizontal.G, ({ right }, c, d) => {
    if (right === "u") return c;
    return two.mul(right === "c" ? c : right === "c+d" ? c.add(d) : d.sub(c));
  });
}

/**
 * (mv * mh) x planes: what each product contributes to each output. A pair counts with its conjugate, 2 Re(A M) with
 * M = (k1 - k3) + i (k1 + k2).
 */
export function outputPlanes(nested: Nested): IntegerMatrix {
  const two = Gaussian.of(nested.doubling === "output" ? 2 : 1);
  const A = transpose(nested.vertical.AT);
  const B = transpose(nested.horizontal.AT);
  const columns = nested.planes.map(({ row, column, left }) =>
    integers(
      outer(A[row]!, B[column]!).map((z) => {
        const [re, im] = [z.realPart(), z.imaginaryPart()];
        if (left === "v") return re;
        return two.mul(left === "a+b" ? re.sub(im) : left === "a" ? im.neg() : re.neg());
      }),
    ),
  );
  return columns[0]!.map((_, y) => columns.map((column) => column[y]!));
}

/** A matrix times a vector of numbers. */
export function apply(matrix: IntegerMatrix, values: ArrayLike<number>): number[] {
  return matrix.map((row) => row.reduce((sum, c, i) => sum + c * values[i]!, 0));
}

/**
 * Whether output, filter and input planes together are scale times the correlation, for all data: the identity of the trilinear form.
 * @throws WasmogradError ERR_UNSUPPORTED when a coefficient passes 2^53
 */
export function isExact(nested: Nested): boolean {
  const [input, filter, output] = [inputPlanes(nested), filterPlanes(nested), outputPlanes(nested)];
  const { vertical, horizontal } = nested;
  const width = horizontal.algorithm.n;
  const [mh, rh] = [horizontal.algorithm.m, horizontal.algorithm.r];
  const scale = Number(nested.result.scale);
  return output.every((contributions, y) =>
    Array.from({ length: vertical.algorithm.r * rh }, (_, k) => {
      const form = new Array<number>(input[0]!.length).fill(0);
      for (const [p, c] of contributions.entries()) {
        const weight = c * filter[p]![k]!;
        if (weight !== 0) for (const [l, x] of input[p]!.entries()) form[l]! += weight * x;
      }
      const row = Math.floor(y / mh) + Math.floor(k / rh);
      const wanted = row * width + (y % mh) + (k % rh);
      return form.every((x, l) => x === (l === wanted ? scale : 0));
    }).every(Boolean),
  );
}
