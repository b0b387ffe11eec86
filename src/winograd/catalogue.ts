/** The algorithms that have a name: the classical ones, that of the paper (arXiv 1901.01965) and its relatives, and the ones with kernels. */
import { check } from "../errors.ts";
import { type Algorithm, winograd } from "./algorithm.ts";
import { growth } from "./growth.ts";
import type { FormKind } from "./integer-form.ts";
import { type Doubling, type Nested, nest } from "./nested.ts";

export interface CatalogueEntry {
  readonly id: string;
  readonly title: string;
  /** Outputs and taps in either direction. */
  readonly m: number;
  readonly r: number;
  readonly points: string;
}

export const CATALOGUE = [
  { id: "f2x2-3x3", title: "F(2x2,3x3)", m: 2, r: 3, points: "0,1,-1,inf" },
  { id: "f4x4-3x3-rational", title: "F(4x4,3x3) rational", m: 4, r: 3, points: "0,1,-1,2,-2,inf" },
  { id: "f4x4-3x3-complex", title: "F(4x4,3x3) complex", m: 4, r: 3, points: "0,1,-1,i,-i,inf" },
  // Points for accuracy in floating point (Barabasz and others, arXiv 1803.10986); that they are exact in int16 to the channels of F(2x2,3x3),
  // as the scale is 2^2 * 225 instead of 2^6 * 9, is ours.
  { id: "f4x4-3x3-half", title: "F(4x4,3x3) rational with 1/2", m: 4, r: 3, points: "0,1,-1,1/2,-2,inf" },
  { id: "f3x3-3x3-complex", title: "F(3x3,3x3) complex", m: 3, r: 3, points: "0,1,i,-i,inf" },
  { id: "f2x2-5x5-rational", title: "F(2x2,5x5) rational", m: 2, r: 5, points: "0,1,-1,2,-2,inf" },
  { id: "f2x2-5x5-complex", title: "F(2x2,5x5) complex", m: 2, r: 5, points: "0,1,-1,i,-i,inf" },
  { id: "f6x6-3x3-rational", title: "F(6x6,3x3) rational", m: 6, r: 3, points: "0,1,-1,2,-2,1/2,-1/2,inf" },
  { id: "f6x6-3x3-complex", title: "F(6x6,3x3) complex, one pair", m: 6, r: 3, points: "0,1,-1,i,-i,2,-2,inf" },
  { id: "f6x6-3x3-complex-2", title: "F(6x6,3x3) complex, two pairs", m: 6, r: 3, points: "0,1,-1,i,-i,2i,-2i,inf" },
  { id: "f4x4-5x5-complex", title: "F(4x4,5x5) complex", m: 4, r: 5, points: "0,1,-1,i,-i,2,-2,inf" },
] as const satisfies readonly CatalogueEntry[];

export type AlgorithmId = (typeof CATALOGUE)[number]["id"];

const derived = new Map<AlgorithmId, Algorithm>();

/** An algorithm of the catalogue, derived when first asked for. @throws WasmogradError ERR_ARGUMENT */
export function algorithmOf(id: AlgorithmId): Algorithm {
  const known = derived.get(id);
  if (known) return known;
  const entry = CATALOGUE.find((candidate) => candidate.id === id);
  check(entry !== undefined, "ERR_ARGUMENT", () => {
    return `algorithm: expected one of ${CATALOGUE.map((e) => e.id).join(", ")}, got ${id}`;
  });
  const algorithm = winograd(entry);
  derived.set(id, algorithm);
  return algorithm;
}

/**
 * The integer form for int8 data in int16: the scaled one, whose output is cheaper, if its filters fit, else the row-normalised one
 * (which may not fit either; `growth` tells).
 */
export function preferredForm(vertical: Algorithm, horizontal: Algorithm = vertical): FormKind {
  return growth(nest({ vertical, horizontal, form: "scaled" })).fitsInt16 ? "scaled" : "row-normalised";
}

/** An algorithm of the catalogue in two dimensions, in its preferred form unless told otherwise. */
export function nestedOf(id: AlgorithmId, { form, doubling = "output" }: NestedChoice = {}): Nested {
  const vertical = algorithmOf(id);
  return nest({ vertical, form: form ?? preferredForm(vertical), doubling });
}

export interface NestedChoice {
  readonly form?: FormKind;
  readonly doubling?: Doubling;
}
