/** The papers' figures beside ours, row by row. */
import { type Reading, readingsOf } from "./ours.ts";
import { GROUPS, type Group, type PublishedFigure, published } from "./published.ts";

/** A published figure and one way in which it was computed. */
export interface ReproductionRow extends Omit<PublishedFigure, "value">, Omit<Reading, "value"> {
  /** In `unit`, as are `ours`. */
  readonly published: number;
  /** null where it cannot be computed. */
  readonly ours: number | null;
  /** ours over published. */
  readonly ratio: number | null;
}

/** What `reproduce` returns. */
export interface ReproductionReport {
  /** What each group is, in words. */
  readonly groups: Readonly<Record<Group, string>>;
  /** Group by group. */
  readonly rows: readonly ReproductionRow[];
}

/**
 * Every published figure that is known to us, with each way in which we compute it. Counts are exact; times are estimates on both sides. Takes
 * a second or so. Ours.
 */
export function reproduce(): ReproductionReport {
  const rows = published().flatMap((figure): ReproductionRow[] => {
    const { value: published, ...rest } = figure;
    return readingsOf(figure).map(({ value: ours, ...reading }) => ({
      ...rest,
      ...reading,
      published,
      ours,
      ratio: ours === null ? null : ours / published,
    }));
  });
  return { groups: GROUPS, rows };
}
