/** The same pass on a model with weights, where an exact identity allows it. */
import { check } from "../errors.ts";
import type { Conv2dLayer, Model, RealModel, RealWeight } from "../network/description.ts";
import { show } from "../network/layer-fields.ts";
import { withNewWeights } from "../network/passes/new-weights.ts";
import { roundWeights } from "../network/passes/round.ts";
import { validate } from "../network/validate.ts";
import { checkWeights } from "../network/weights.ts";
import { blocksToCompact, type CompactOptions, compactBlocks, type FullBlock, madeNames } from "./compact.ts";
import { type AttentionOption, type AttentionSpec, attentionSpec } from "./family.ts";
import { type Matrix, rowsOf, stackRows } from "./matrix.ts";
import { type Affine, mergeQueryKey, mergeValueOutput } from "./merge.ts";
import { affineOf, named } from "./weights-of.ts";

const equal = (a: ArrayLike<number>, b: ArrayLike<number>): boolean =>
  a.length === b.length && Array.from(a).every((x, i) => x === b[i]);
const isZero = (values: ArrayLike<number> | undefined): boolean => !values || Array.from(values).every((x) => x === 0);
const isIdentity = (m: Matrix): boolean =>
  m.rows === m.columns && m.data.every((x, i) => x === (Math.floor(i / m.columns) === i % m.columns ? 1 : 0));

/** Equal biases; what is absent is zeros. */
const sameBias = ({ bias: a }: Affine, { bias: b }: Affine): boolean => (a && b ? equal(a, b) : isZero(a) && isZero(b));

/** The first head of each group, if the others are equal to it. */
function firstOfGroups({ weights, bias }: Affine, heads: number, grouping: number): Affine | undefined {
  const own = weights.rows / heads;
  const rows: Matrix[] = [];
  const kept: number[] = [];
  for (let head = 0; head < heads; head++) {
    const slice = rowsOf(weights, head * own, own);
    const values = bias ? [...bias.subarray(head * own, (head + 1) * own)] : [];
    if (head % grouping === 0) {
      rows.push(slice);
      kept.push(...values);
      continue;
    }
    if (!equal(slice.data, rows.at(-1)!.data) || !equal(values, kept.slice(kept.length - values.length)))
      return undefined;
  }
  return { weights: stackRows(rows), bias: bias && Float64Array.from(kept) };
}

/** Checks that the member computes what this block computes, and makes the weights that it needs. */
function exactWeights(block: FullBlock, spec: AttentionSpec, weights: RealModel["weights"]): [string, RealWeight][] {
  const { attention } = block;
  const { heads, map } = attention;
  const softmax = map === "softmax";
  const value = (conv: Conv2dLayer): Affine => affineOf(conv, weights);
  const [q, k, v, o] = [value(block.q.layer), value(block.k.layer), value(block.v.layer), value(block.o)];
  const layers = { q: block.q.layer, k: block.k.layer, v: block.v.layer, o: block.o };
  const demand = (role: keyof typeof layers, condition: boolean, expected: string): void => {
    const message = () =>
      `layer ${show(layers[role].name)}: expected ${expected}, for the compact form to compute the same, got other weights`;
    check(condition, "ERR_UNSUPPORTED", message);
  };
  const isInput = ({ weights: w, bias }: Affine): boolean => isIdentity(w) && isZero(bias);

  if (spec.k === "=q") {
    // The bias of K adds the same to all scores of a query.
    demand("k", equal(k.weights.data, q.weights.data) && (softmax || sameBias(k, q)), "the weights of q");
  }
  if (spec.k === "input") demand("k", isIdentity(k.weights) && (softmax || isZero(k.bias)), "the identity");
  if (spec.v === "=q") demand("v", equal(v.weights.data, q.weights.data) && sameBias(v, q), "the weights of q");
  if (spec.v === "=k") demand("v", equal(v.weights.data, k.weights.data) && sameBias(v, k), "the weights of k");
  if (spec.v === "input") demand("v", isInput(v), "the identity");
  if (spec.o === "none") demand("o", isInput(o), "the identity");

  const present = { q: true, k: spec.k === "own", v: spec.v === "own", o: spec.o === "own" };
  for (const [role, { bias }] of Object.entries({ q, k, v, o }) as [keyof typeof layers, Affine][]) {
    const free = role === "k" && softmax && spec.v !== "=k";
    if (present[role] && !spec.bias[role]) demand(role, free || isZero(bias), "no bias, or zeros");
  }
  // It would become part of a bias that is not to be there.
  if (spec.vo === "merged" && !spec.bias.o) demand("v", isZero(v.bias), "no bias, or zeros");

  const made: [string, RealWeight][] = [];
  if (spec.grouping > 1) {
    for (const role of ["k", "v"] as const) {
      if (spec[role] !== "own") continue;
      const grouped = firstOfGroups({ k, v }[role], heads, spec.grouping);
      demand(role, grouped !== undefined, `equal heads in each group of ${spec.grouping}`);
      made.push(...named(grouped!, madeNames(layers[role], "grouped")));
    }
  }
  if (spec.qk === "merged") {
    made.push(...named(mergeQueryKey(q, k, heads), madeNames(layers.q, "merged")));
  }
  if (spec.vo === "merged") {
    made.push(...named(mergeValueOutput(v, o, heads), madeNames(layers.o, "merged")));
  }
  return made;
}

/** `compactAttentionModel` before rounding. */
export function compactAttentionReal(
  model: RealModel,
  member: AttentionOption,
  options: CompactOptions = {},
): RealModel {
  const spec = attentionSpec(member);
  const before = validate(model.network);
  checkWeights(before, model.weights);
  const blocks = blocksToCompact(before, spec, options);
  const made = new Map(blocks.flatMap((block) => exactWeights(block, spec, model.weights)));
  return withNewWeights(compactBlocks(before, blocks, spec), model.weights, made);
}

/**
 * `compactAttention` with weights, where the member computes what the model computes: merging (softmax; worth it with one head), and sharing,
 * leaving out or grouping projections whose weights happen to be equal, the identity, or equal head by head, to the bit. Computed in float64
 * and rounded to f32 once. All else would change the network and is refused: train the description that `compactAttention` gives.
 * @throws WasmogradError ERR_UNSUPPORTED naming the projection whose weights stand against it; as `compactAttention`, `checkWeights`
 */
export function compactAttentionModel(model: Model, member: AttentionOption, options: CompactOptions = {}): Model {
  return roundWeights(compactAttentionReal(model, member, options));
}
