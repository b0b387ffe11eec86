/** One algorithm as the lab shows it: everything derived from its points, in plain values that can leave the worker. */
import { isCorrelation, winograd } from "../../src/winograd/algorithm.ts";
import { preferredForm } from "../../src/winograd/catalogue.ts";
import { growth, inputIntermediateBits, planeLimits } from "../../src/winograd/growth.ts";
import type { Matrix } from "../../src/winograd/matrix.ts";
import { isExact, nest } from "../../src/winograd/nested.ts";
import { amplification } from "../../src/winograd/rounding.ts";
import { type AlgorithmSummary, summarise } from "../../src/winograd/summary.ts";
import { type Transforms, transforms } from "../../src/winograd/transforms.ts";

export interface Question {
  readonly points: string;
  readonly m: number;
  readonly r: number;
}

type Text = readonly (readonly string[])[];

export interface Matrices {
  readonly AT: Text;
  readonly G: Text;
  readonly BT: Text;
}

/** One real product a tile and channel. */
export interface Product {
  readonly row: number;
  readonly column: number;
  readonly left: string;
  readonly right: string;
  readonly inputBits: number;
  readonly inputGain: number;
  readonly filterBits: number;
  readonly filterGain: number;
  /** Channels that it sums without leaving int32. */
  readonly channels: number;
}

/** A place in the transformed tile. */
export interface Entry {
  readonly kind: "real" | "pair" | "conjugate";
  /** Its products, or those of the entry that it is the conjugate of, from 0. */
  readonly products: readonly number[];
}

export interface LabReport {
  readonly question: Question;
  readonly points: readonly string[];
  /** The identity of the trilinear form holds: the algorithm is right for all data, in exact arithmetic. */
  readonly exact: boolean;
  readonly rational: Matrices;
  readonly integer: Matrices;
  /** What the diagonal is in the integer form, and where it went. */
  readonly form: string;
  readonly diagonal: readonly string[];
  readonly tile: readonly (readonly Entry[])[];
  readonly products: readonly Product[];
  readonly summary: AlgorithmSummary;
  readonly intermediateBits: number;
  /** The bound on f32 rounding over that of the plain sum. */
  readonly amplification: number;
}

const text = (matrix: Matrix): string[][] => matrix.map((row) => row.map(String));

/** @throws WasmogradError ERR_ARGUMENT on points that are none, too few or too many */
export function derive(question: Question): { readonly report: LabReport; readonly found: Transforms } {
  const { m, r } = question;
  const algorithm = winograd(question);
  const form = preferredForm(algorithm);
  const nested = nest({ vertical: algorithm, form });
  const { vertical, planes, structure } = nested;
  const found = transforms(nested);
  const { inputs, filters } = growth(nested);
  const limits = planeLimits(nested);
  const productsAt = (row: number, column: number): number[] =>
    planes.flatMap((plane, p) => (plane.row === row && plane.column === column ? [p] : []));
  const tile = algorithm.points.map((_, row) =>
    algorithm.points.map((_, column): Entry => {
      const own = productsAt(row, column);
      if (own.length > 0) return { kind: own.length === 1 ? "real" : "pair", products: own };
      return { kind: "conjugate", products: productsAt(structure.rowPartner[row]!, structure.columnPartner[column]!) };
    }),
  );
  const report: LabReport = {
    question,
    points: algorithm.points.map(String),
    exact: isCorrelation(algorithm) && isExact(nested),
    rational: { AT: text(algorithm.AT), G: text(algorithm.G), BT: text(algorithm.BT) },
    integer: { AT: text(vertical.AT), G: text(vertical.G), BT: text(vertical.BT) },
    form: form === "scaled" ? "in the filter" : "in the output",
    diagonal: vertical.diagonal.map(String),
    tile,
    products: planes.map(({ row, column, left, right }, p) => ({
      row,
      column,
      left,
      right,
      inputBits: inputs[p]!.bits,
      inputGain: inputs[p]!.gain,
      filterBits: filters[p]!.bits,
      filterGain: filters[p]!.gain,
      channels: limits[p]!,
    })),
    summary: summarise(nested, `F(${m}×${m}, ${r}×${r})`),
    intermediateBits: inputIntermediateBits(found),
    amplification: amplification(found),
  };
  return { report, found };
}
