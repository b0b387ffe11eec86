/** The study's runs put together: costs, and accuracies over the seeds that both a member and `standard` have. */
import { compactAttention } from "../../src/attention/compact.ts";
import { type AttentionMember, attentionSpec, projectionCount } from "../../src/attention/family.ts";
import { countNetwork } from "../../src/network/counts.ts";
import { studyNetwork } from "./networks.ts";
import { KINDS, type Kind, MEMBERS, type Run, rightBits } from "./runs.ts";

export interface Pair {
  readonly seed: number;
  /** Percentage points over `standard` of the same seed. */
  readonly gain: number;
  /** Pictures that this member alone, and that `standard` alone has right. */
  readonly onlyThis: number;
  readonly onlyStandard: number;
}

export interface Summary {
  readonly kind: Kind;
  readonly member: AttentionMember;
  readonly params: number;
  readonly macs: number;
  /** By seed, per cent of the test pictures. */
  readonly accuracies: readonly { readonly seed: number; readonly percent: number }[];
  /** Of the seeds that `standard` has too; none for `standard` itself. */
  readonly pairs: readonly Pair[];
}

const INPUT = [32, 32] as const;

/** Matrices of d x d that a layer has. */
export const matricesOf = ({ member }: Summary): number => projectionCount(attentionSpec(member)).all;

export const mean = (values: readonly number[]): number => values.reduce((sum, x) => sum + x, 0) / values.length;

/** Sample standard deviation; undefined below two values. */
export function deviation(values: readonly number[]): number | undefined {
  if (values.length < 2) return undefined;
  const middle = mean(values);
  return Math.sqrt(values.reduce((sum, x) => sum + (x - middle) ** 2, 0) / (values.length - 1));
}

/** Standard deviation of one run's accuracy, in points, pooled over all groups of runs that differ by their seed only; 0 of single seeds. */
export function pooledDeviation(summaries: readonly Summary[]): number {
  let [squares, freedom] = [0, 0];
  for (const { accuracies } of summaries) {
    const spread = deviation(accuracies.map(({ percent }) => percent));
    if (spread === undefined) continue;
    squares += spread ** 2 * (accuracies.length - 1);
    freedom += accuracies.length - 1;
  }
  return freedom === 0 ? 0 : Math.sqrt(squares / freedom);
}

const percent = ({ right, pictures }: Run): number => (100 * right) / pictures;

function pairOf(run: Run, standard: Run): Pair {
  const [own, theirs] = [rightBits(run), rightBits(standard)];
  let [onlyThis, onlyStandard] = [0, 0];
  for (const [i, bit] of own.entries()) {
    if (bit > theirs[i]!) onlyThis++;
    if (bit < theirs[i]!) onlyStandard++;
  }
  return { seed: run.seed, gain: percent(run) - percent(standard), onlyThis, onlyStandard };
}

/** Members that have a run at least, kind by kind in the family's order. */
export function summarise(runs: readonly Run[]): Summary[] {
  return KINDS.flatMap((kind) =>
    MEMBERS.flatMap((member) => {
      const own = runs.filter((run) => run.kind === kind && run.member === member);
      if (own.length === 0) return [];
      const standards = new Map(
        runs.filter((run) => run.kind === kind && run.member === "standard").map((run) => [run.seed, run]),
      );
      const { params, macs } = countNetwork(compactAttention(studyNetwork(kind, own[0]!), member), INPUT);
      const pairs =
        member === "standard"
          ? []
          : own.flatMap((run) => {
              const standard = standards.get(run.seed);
              return standard ? [pairOf(run, standard)] : [];
            });
      const accuracies = own.map((run) => ({ seed: run.seed, percent: percent(run) }));
      return [{ kind, member, params, macs, accuracies, pairs }];
    }),
  );
}
