/** The states of a search that may still be part of a best answer: those that no other is at least as good as in everything. */

export interface State {
  /** All but the units the less, the better. */
  readonly cost: number;
  readonly params: number;
  readonly macs: number;
  /** The more, the better. */
  readonly units: number;
}

/** Pairs (macs, params) of which none is at least as good as another, by rising macs and so by falling params. */
class Staircase {
  readonly #macs: number[] = [];
  readonly #params: number[] = [];

  /** How many have at most these macs. */
  #upTo(macs: number): number {
    let [low, high] = [0, this.#macs.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#macs[middle]! <= macs) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  covers(macs: number, params: number): boolean {
    const n = this.#upTo(macs);
    return n > 0 && this.#params[n - 1]! <= params;
  }

  add(macs: number, params: number): void {
    if (this.covers(macs, params)) return;
    let from = this.#upTo(macs);
    if (from > 0 && this.#macs[from - 1] === macs) from--;
    let to = from;
    while (to < this.#macs.length && this.#params[to]! >= params) to++;
    this.#macs.splice(from, to - from, macs);
    this.#params.splice(from, to - from, params);
  }
}

/** By cost, then the better in everything else first: a state can be dominated by those before it only. */
function sorted<S extends State>(states: readonly S[]): S[] {
  return [...states].sort((a, b) => a.cost - b.cost || b.units - a.units || a.macs - b.macs || a.params - b.params);
}

/**
 * The states of `states` (sorted) that none before them is at least as good as, in params, macs and units as `view` sees them. Staircases stand in
 * a Fenwick tree over the ranks of the units, so n states take about n log(n)^2 steps.
 */
function undominated<S extends State>(states: readonly S[], view: (state: S) => Omit<State, "cost">): S[] {
  const seen = states.map(view);
  const ranks = new Map([...new Set(seen.map(({ units }) => units))].sort((a, b) => b - a).map((u, i) => [u, i + 1]));
  const tree = Array.from({ length: ranks.size + 1 }, () => new Staircase());
  return states.filter((_, i) => {
    const { params, macs, units } = seen[i]!;
    const rank = ranks.get(units)!;
    for (let node = rank; node > 0; node -= node & -node) if (tree[node]!.covers(macs, params)) return false;
    for (let node = rank; node < tree.length; node += node & -node) tree[node]!.add(macs, params);
    return true;
  });
}

/** The first of `states` that is best by `worth`. */
function best<S>(states: readonly S[], worth: (state: S) => number): S {
  return states.reduce((a, b) => (worth(b) > worth(a) ? b : a));
}

/** Buckets a criterion at the first coarsening; half as many at each further one. */
const MOST_BUCKETS = 2 ** 12;

/**
 * The non-dominated states, by rising cost; of equal ones the first. If they are more than `most` (at least 4), they are coarsened: params,
 * macs and units are compared by buckets, 4096 over the range of each and then half as many until few enough states remain, so that of
 * states which lie close together the cheapest stays. Those of the fewest params, the fewest macs and the most units stay in any case.
 * Deterministic.
 */
export function nonDominated<S extends State>(states: readonly S[], most: number): { kept: S[]; exact: boolean } {
  const all = undominated(sorted(states), (state) => state);
  if (all.length <= most) return { kept: all, exact: true };
  const extremes = new Set([best(all, (s) => -s.params), best(all, (s) => -s.macs), best(all, (s) => s.units)]);
  const range = (of: (state: S) => number): readonly [least: number, width: number] => {
    const values = all.map(of);
    const least = values.reduce((a, b) => Math.min(a, b));
    return [least, values.reduce((a, b) => Math.max(a, b)) - least || 1];
  };
  const [params, macs, units] = [range((s) => s.params), range((s) => s.macs), range((s) => s.units)];
  for (let buckets = MOST_BUCKETS; ; buckets /= 2) {
    const at = (value: number, [least, width]: readonly [number, number]): number =>
      Math.min(buckets - 1, Math.floor(((value - least) / width) * buckets));
    const cheapest = new Set(
      undominated(all, (s) => ({ params: at(s.params, params), macs: at(s.macs, macs), units: at(s.units, units) })),
    );
    const kept = all.filter((state) => cheapest.has(state) || extremes.has(state));
    if (kept.length <= most) return { kept, exact: false };
  }
}
