/**
 * The search for RAN-e networks: which blocks, on a device whose block costs are known. "Semi-automatic", as the paper calls its own: a
 * person may pin and forbid blocks, the search chooses the rest. The method is ours; the paper's (a supernet trained with choices
 * inside, it seems) is not known in detail.
 *
 * Cost, parameters, multiply-accumulates and active non-linear units add up over the blocks, so that dynamic programming from the first block
 * to the last finds the best of all networks without listing them. Units stand for what a network can express, in RAN's spirit;
 * ACCURACY IS NOT PREDICTED. Nothing here speaks for a larger kernel, for one: it costs more and has no more units, so it is chosen
 * only where it is pinned or the smaller ones are forbidden, or where its cost was measured lower.
 */
import { check, WasmogradError } from "../errors.ts";
import type { RanEBlock } from "../models/ran-e-blocks.ts";
import type { BlockCosts, CostUnit } from "./block-costs.ts";
import { type BlockCounts, type BlockShape, countBlock, shapeName } from "./block-shape.ts";
import { nonDominated, type State } from "./non-dominated.ts";
import { type LaidOutSpace, shapeAt } from "./search-space.ts";

/** What a network must keep to; none unless given. */
export interface Limits {
  /** At most. */
  readonly params?: number;
  /** At most, for one picture. */
  readonly macs?: number;
  /** Active non-linear units, at least. */
  readonly units?: number;
}

/** A network of the space with what it costs. */
export interface PricedNetwork extends BlockCounts {
  /** In the unit of the costs, for one picture. */
  readonly cost: number;
  /** One a position, in order. */
  readonly blocks: readonly RanEBlock[];
}

/** What `searchRanE` found. */
export interface SearchResult {
  /** Of the costs. */
  readonly device: string;
  /** Of the costs. */
  readonly unit: CostUnit;
  /** The cheapest within the limits. */
  readonly best: PricedNetwork;
  /** Cost against units within the limits on params and macs: each has more units than any cheaper network. By rising cost. */
  readonly front: readonly PricedNetwork[];
  /** Nothing is better in truth; false where states had to be coarsened, and then all is within the limits but perhaps not the best. */
  readonly exact: boolean;
  /** The most states after any position. */
  readonly states: number;
}

/** Of `searchRanE`. */
export interface SearchOptions {
  /** States kept after a position, at most: 20,000 unless given; at least 4. */
  readonly states?: number;
}

const STATES = 20_000;

interface Option extends State {
  readonly block: RanEBlock;
}

/** A choice at one position, and the state before it. */
interface Step extends State {
  readonly option: Option | undefined;
  readonly before: Step | undefined;
}

const plus = (a: State, b: State): State => ({
  cost: a.cost + b.cost,
  params: a.params + b.params,
  macs: a.macs + b.macs,
  units: a.units + b.units,
});

type Price = (shape: BlockShape) => State;

/** Each shape is priced once. @throws WasmogradError ERR_ARGUMENT on costs that are none, as `costOf` */
function pricer(costs: BlockCosts): Price {
  const known = new Map<string, State>();
  return (shape) => {
    const name = shapeName(shape);
    const before = known.get(name);
    if (before) return before;
    const cost = costs.costOf(shape);
    const sound = Number.isFinite(cost) && cost >= 0;
    check(sound, "ERR_ARGUMENT", () => `costs: expected finite numbers of at least 0, got ${cost} for ${name}`);
    const priced = { cost, ...countBlock(shape) };
    known.set(name, priced);
    return priced;
  };
}

/** In the order in which the search adds up, so that costs are the same to the last bit. */
function sumOf({ stem, positions, top }: LaidOutSpace, price: Price, blocks: readonly RanEBlock[]): PricedNetwork {
  const shapes = [stem, top, ...positions.map((position, i) => shapeAt(position, blocks[i]!))];
  return { ...shapes.map(price).reduce(plus), blocks };
}

/**
 * What a network of the space costs, `blocks` one a position; they need not be among the position's choices.
 * @throws WasmogradError ERR_ARGUMENT as `costOf`, and on another number of blocks
 */
export function priceNetwork(space: LaidOutSpace, costs: BlockCosts, blocks: readonly RanEBlock[]): PricedNetwork {
  const { positions } = space;
  check(
    blocks.length === positions.length,
    "ERR_ARGUMENT",
    () => `blocks: expected ${positions.length}, got ${blocks.length}`,
  );
  return sumOf(space, pricer(costs), blocks);
}

interface Problem {
  /** Stem and top. */
  readonly base: State;
  readonly options: readonly (readonly Option[])[];
}

const least = (options: readonly Option[], of: (option: Option) => number): number => Math.min(...options.map(of));

/** The least that each position can add, summed: what any network of the problem takes of it. */
function leastOf({ base, options }: Problem, of: (state: State) => number): number {
  return of(base) + options.reduce((sum, some) => sum + least(some, of), 0);
}

/** A limit that no network can break need not be watched, nor kept apart in states. */
function binding({ base, options }: Problem, limit: number | undefined, of: (state: State) => number): number {
  const most = of(base) + options.reduce((sum, some) => sum + Math.max(...some.map(of)), 0);
  return limit === undefined || most <= limit ? Number.POSITIVE_INFINITY : limit;
}

/** Steps at the last position that no network within the limits is at least as good as in everything. */
function run(problem: Problem, limits: Limits, most: number): { last: Step[]; exact: boolean; states: number } {
  const params = binding(problem, limits.params, (s) => s.params);
  const macs = binding(problem, limits.macs, (s) => s.macs);
  const watched = <S extends State>(state: S): S => ({
    ...state,
    params: params === Number.POSITIVE_INFINITY ? 0 : state.params,
    macs: macs === Number.POSITIVE_INFINITY ? 0 : state.macs,
  });
  const options = problem.options.map((some) => nonDominated(some.map(watched), Number.POSITIVE_INFINITY).kept);
  let steps: Step[] = [{ ...watched(problem.base), option: undefined, before: undefined }];
  let [exact, states] = [true, 1];
  const left = {
    params: options.reduce((sum, some) => sum + least(some, (s) => s.params), 0),
    macs: options.reduce((sum, some) => sum + least(some, (s) => s.macs), 0),
  };
  for (const some of options) {
    left.params -= least(some, (s) => s.params);
    left.macs -= least(some, (s) => s.macs);
    const next = steps.flatMap((before) =>
      some.flatMap((option): Step[] => {
        const sum = plus(before, option);
        const within = sum.params + left.params <= params && sum.macs + left.macs <= macs;
        return within ? [{ ...sum, option, before }] : [];
      }),
    );
    const pruned = nonDominated(next, most);
    steps = pruned.kept;
    exact &&= pruned.exact;
    states = Math.max(states, steps.length);
  }
  return { last: steps, exact, states };
}

function blocksOf(step: Step): RanEBlock[] {
  const blocks: RanEBlock[] = [];
  for (let at: Step | undefined = step; at?.option; at = at.before) blocks.unshift(at.option.block);
  return blocks;
}

/** Of steps by rising cost those with more units than any before. */
function frontOf(steps: readonly Step[]): Step[] {
  let most = Number.NEGATIVE_INFINITY;
  return steps.filter(({ units }) => {
    const more = units > most;
    most = Math.max(most, units);
    return more;
  });
}

const grouped = (n: number): string => n.toLocaleString("en-US");

function unmet(name: string, expected: string, got: number): WasmogradError {
  return new WasmogradError("ERR_ARGUMENT", `budget: ${name}: expected ${expected}, got ${grouped(got)}`);
}

/** @throws WasmogradError ERR_ARGUMENT naming the first limit that no network meets, the others aside, and what one could */
function checkEach(problem: Problem, limits: Limits): void {
  for (const name of ["params", "macs", "units"] as const) {
    const limit = limits[name];
    if (limit === undefined) continue;
    check(limit > 0, "ERR_ARGUMENT", () => `budget: ${name}: expected a positive number, got ${limit}`);
    const bound = name === "units" ? -leastOf(problem, (s) => -s.units) : leastOf(problem, (s) => s[name]);
    if (name === "units" ? limit > bound : limit < bound) {
      throw unmet(name, `${name === "units" ? "at most" : "at least"} ${grouped(bound)}`, limit);
    }
  }
}

/** Why no network was found within limits of which each could be met: the least macs under the one on params. */
function unmetTogether(problem: Problem, limits: Limits, most: number): WasmogradError {
  const { params, macs } = limits;
  const byMacs: Problem = {
    base: { ...problem.base, cost: problem.base.macs, units: 0 },
    options: problem.options.map((some) => some.map((option) => ({ ...option, cost: option.macs, units: 0 }))),
  };
  const [cheapest] = run(byMacs, { params: params! }, most).last;
  if (cheapest!.cost <= macs!)
    return new WasmogradError("ERR_ARGUMENT", `states: expected more than ${most} to find any network`);
  return unmet("macs", `at least ${grouped(cheapest!.cost)} with at most ${grouped(params!)} params`, macs!);
}

function problemOf(space: LaidOutSpace, price: Price): Problem {
  return {
    base: plus(price(space.stem), price(space.top)),
    options: space.positions.map((position) =>
      position.choices.map((block) => ({ ...price(shapeAt(position, block)), block })),
    ),
  };
}

/** What `searchRanE` would say of limits that no network meets, before any cost is known. @throws WasmogradError ERR_ARGUMENT as it does */
export function checkLimits(space: LaidOutSpace, limits: Limits): void {
  searchRanE(space, { device: "none", unit: "ms", costOf: () => 0 }, limits);
}

/**
 * The cheapest network of a space within limits, and the front of cost against non-linear units.
 *
 * Exact (`exact` in the result) as long as the non-dominated states in (cost, params, macs, units) fit in `states` after every position;
 * criteria without a limit are left out of states, so without limits on params and macs that is nearly always so. Else states are
 * coarsened. Ours: docs/ran.md.
 * @throws WasmogradError ERR_ARGUMENT when no network meets the limits, naming one and the least (of units the most) that is possible; as
 *   `costOf`
 */
export function searchRanE(
  space: LaidOutSpace,
  costs: BlockCosts,
  limits: Limits = {},
  { states: most = STATES }: SearchOptions = {},
): SearchResult {
  check(most >= 4, "ERR_ARGUMENT", () => `states: expected at least 4, got ${most}`);
  const price = pricer(costs);
  const problem = problemOf(space, price);
  checkEach(problem, limits);
  const { last, exact, states } = run(problem, limits, most);
  if (last.length === 0) throw unmetTogether(problem, limits, most);
  const front = frontOf(last).map((step) => sumOf(space, price, blocksOf(step)));
  const best = front.find(({ units }) => units >= (limits.units ?? 0));
  if (!best) {
    const under = (["params", "macs"] as const).flatMap((name) =>
      limits[name] === undefined ? [] : [`at most ${grouped(limits[name])} ${name}`],
    );
    throw unmet("units", `at most ${grouped(front.at(-1)!.units)} with ${under.join(" and ")}`, limits.units!);
  }
  return { device: costs.device, unit: costs.unit, best, front, exact, states };
}
