/** The papers' figures beside ours, row by row. */
import { type Reading, readingsOf } from "./ours.ts";
import { GROUPS, type Group, type PublishedFigure, published } from "./published.ts";

export interface ReproductionRow extends Omit<PublishedFigure, "value">, Omit<Reading, "value"> {
  /** In `unit`, as are `ours`. */
  readonly published: number;
  readonly ours: number | null;
  /** ours over published. */
  readonly ratio: number | null;
}

export interface ReproductionReport {
  readonly groups: Readonly<Record<Group, string>>;
  readonly rows: readonly ReproductionRow[];
}

/**
 * Every published figure that is known to us, with each way in which we compute it. Counts are exact; times are estimates on both sides. A
 * second or so.
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
