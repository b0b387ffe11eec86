/** The cells of the experiment, its settings, and what came out. */
import {
  correlation,
  type JacobianPoint,
  jacobianStudy,
  rankCorrelation,
  type StudyOptions,
} from "../../src/ran/jacobian.ts";

export const WIDTHS = [8, 16, 24] as const;
export const DEPTHS = [8, 16, 32] as const;
/** The most skips of a layer, as multiples of the width. */
export const SKIPS = [0, 0.5, 1, 2, 3, 4] as const;
export const STUDY: StudyOptions = { activation: "relu", seed: 1, inputs: 1, layers: 96 };

export function runStudy(): JacobianPoint[] {
  const cells = WIDTHS.flatMap((width) =>
    DEPTHS.flatMap((depth) => SKIPS.map((skips) => ({ width, depth, maxSkips: skips * width }))),
  );
  return jacobianStudy(cells, STUDY);
}

export interface Correlations {
  /** Absent for all widths together. */
  readonly width?: number;
  readonly mass: number;
  readonly massRanks: number;
  readonly params: number;
  readonly paramsRanks: number;
}

/** Of the mean singular value with NN-Mass and with the number of weights: for each width, and for all points. */
export function correlations(points: readonly JacobianPoint[]): Correlations[] {
  const of = (some: readonly JacobianPoint[]): Omit<Correlations, "width"> => {
    const means = some.map((point) => point.meanSingularValue);
    const [masses, params] = [some.map((point) => point.nnMass), some.map((point) => point.params)];
    return {
      mass: correlation(masses, means),
      massRanks: rankCorrelation(masses, means),
      params: correlation(params, means),
      paramsRanks: rankCorrelation(params, means),
    };
  };
  const perWidth = WIDTHS.map((width) => ({ width, ...of(points.filter((point) => point.width === width)) }));
  return [...perWidth, of(points)];
}
