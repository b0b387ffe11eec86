/**
 * Lossless compaction of softmax attention. Scores depend on W_Q and W_K by their product alone, head by head, so both may be written in any
 * base: in that of some of the input's own channels part of W_K becomes the identity, which is neither stored nor multiplied. W_V and W_O
 * likewise. (Derived here; docs/compact-attention.md has the proof.)
 */
import type { Conv2dLayer, Layer, Model, PivotProjectionLayer, RealModel, RealWeight } from "../network/description.ts";
import { withNewWeights } from "../network/passes/new-weights.ts";
import { roundWeights } from "../network/passes/round.ts";
import { inferChannels } from "../network/shapes.ts";
import { validate } from "../network/validate.ts";
import { checkWeights } from "../network/weights.ts";
import {
  columnsOf,
  inverse,
  type Matrix,
  matrix,
  multiply,
  normOf,
  pivotColumns,
  rowsOf,
  stackColumns,
  stackRows,
  transpose,
} from "./matrix.ts";
import { type Affine, addBias } from "./merge.ts";
import { biasOfHeads } from "./simplify-biases.ts";
import { type AttentionBlock, attentionBlocks, type Projection } from "./structure.ts";
import { affineOf, named } from "./weights-of.ts";

/** One head of one projection that was brought into a base of its inputs. */
export interface GaugeReport {
  /** The attention layer. */
  readonly attention: string;
  /** The projection, and the roles that it has. */
  readonly projection: string;
  /** Keys, values, or both. */
  readonly roles: readonly ("k" | "v")[];
  /** From 0. */
  readonly head: number;
  /** Input channels that are the head's channels now. */
  readonly pivots: readonly number[];
  /**
   * Condition of the block that became the identity, |R| |R^-1| by the norm of the largest sum of a row. Rounding grows by up to as much: f32
   * bears thousands, int8 little.
   */
  readonly condition: number;
}

const range = (from: number, count: number): number[] => Array.from({ length: count }, (_, i) => from + i);

/** A head [n][in] with n pivots: R, its inverse and what is left, or undefined of one whose rank is below n. */
interface Base {
  readonly pivots: readonly number[];
  readonly block: Matrix;
  readonly rest: Matrix;
  readonly condition: number;
}

function baseOf(head: Matrix): Base | undefined {
  const pivots = pivotColumns(head);
  if (pivots.length < head.rows || head.columns <= head.rows) return undefined;
  const block = columnsOf(head, pivots);
  const inverted = inverse(block);
  if (!inverted) return undefined;
  const others = range(0, head.columns).filter((c) => !pivots.includes(c));
  const rest = multiply(inverted, columnsOf(head, others));
  return { pivots, block, rest, condition: normOf(block) * normOf(inverted) };
}

/** The rows of each head of the queries times R^T of the head of the keys that it meets. */
function turnedQueries({ weights, bias }: Affine, heads: number, bases: readonly Base[]): Affine {
  const own = weights.rows / heads;
  const turns = range(0, heads).map((j) => transpose(bases[Math.floor((j * bases.length) / heads)]!.block));
  const turned = turns.map((turn, j) => multiply(turn, rowsOf(weights, j * own, own)));
  const vector = bias && matrix(bias.length, 1, (r) => bias[r]!);
  const turnedBias = vector && stackRows(turns.map((turn, j) => multiply(turn, rowsOf(vector, j * own, own)))).data;
  return { weights: stackRows(turned), bias: turnedBias };
}

/** The columns of each head of W_O times S of the head of the values that it averages. */
function turnedOutput(weights: Matrix, heads: number, bases: readonly Base[]): Matrix {
  const own = weights.columns / heads;
  return stackColumns(
    range(0, heads).map((j) => {
      const { block } = bases[Math.floor((j * bases.length) / heads)]!;
      return multiply(columnsOf(weights, range(j * own, own)), block);
    }),
  );
}

interface Changes {
  readonly layers: Map<string, Layer>;
  readonly made: Map<string, RealWeight>;
  readonly report: GaugeReport[];
}

/** Whether what else must turn with this projection is there to turn. */
function canTurn({ projections, output }: AttentionBlock, { roles, layer }: Projection): boolean {
  if (roles.includes("q")) return false;
  const q = projections.q;
  const queries = !roles.includes("k") || (q !== undefined && q.roles.length === 1 && q.layer !== layer);
  return queries && (!roles.includes("v") || output !== undefined);
}

function fixProjection(
  block: AttentionBlock,
  projection: Projection,
  now: (conv: Conv2dLayer) => { layer: Conv2dLayer; value: Affine },
  changes: Changes,
): void {
  const { attention, projections, output } = block;
  const { heads } = attention;
  const roles = projection.roles as readonly ("k" | "v")[];
  const { layer, value } = now(projection.layer);
  const shared = (roles.includes("k") ? attention.keyHeads : attention.valueHeads) ?? heads;
  // Heads of keys and of values that are cut differently have no common base.
  const cuts = roles.map((role) => (role === "k" ? attention.keyHeads : attention.valueHeads) ?? heads);
  if (new Set(cuts).size > 1) return;
  const own = value.weights.rows / shared;
  const found = range(0, shared).map((head) => baseOf(rowsOf(value.weights, head * own, own)));
  if (found.some((base) => base === undefined)) return;
  const bases = found as readonly Base[];

  const weights = `${layer.name}.pivoted.weight`;
  const pivoted: PivotProjectionLayer = {
    op: "pivot-projection",
    name: layer.name,
    input: layer.input,
    pivots: bases.map(({ pivots }) => pivots),
    weights,
  };
  changes.layers.set(layer.name, pivoted);
  for (const [name, weight] of named({ weights: stackRows(bases.map(({ rest }) => rest)) }, { weights })) {
    changes.made.set(name, weight);
  }
  const replace = (conv: Conv2dLayer, turned: Affine): void => {
    const names = {
      weights: `${conv.name}.turned.weight`,
      ...(turned.bias && { bias: `${conv.name}.turned.bias` }),
    };
    for (const [name, weight] of named(turned, names)) changes.made.set(name, weight);
    changes.layers.set(conv.name, { ...conv, ...names });
  };
  if (roles.includes("k")) {
    const q = now(projections.q!.layer);
    replace(q.layer, turnedQueries(q.value, heads, bases));
  }
  if (roles.includes("v")) {
    const o = now(output!);
    const added = value.bias && biasOfHeads(value.bias, heads, shared);
    replace(o.layer, { weights: turnedOutput(o.value.weights, heads, bases), bias: addBias(o.value, added) });
  }
  for (const [head, { pivots, condition }] of bases.entries()) {
    changes.report.push({ attention: attention.name, projection: layer.name, roles, head, pivots, condition });
  }
}

/** `gaugeFix` before rounding. */
export function gaugeFixReal(model: RealModel): { readonly model: RealModel; readonly report: readonly GaugeReport[] } {
  const before = validate(model.network);
  checkWeights(before, model.weights);
  const changes: Changes = { layers: new Map(), made: new Map(), report: [] };
  const now = (conv: Conv2dLayer) => {
    const layer = (changes.layers.get(conv.name) as Conv2dLayer | undefined) ?? conv;
    const weights = new Map([...model.weights, ...changes.made]);
    return { layer, value: affineOf(layer, weights) };
  };
  for (const block of attentionBlocks(before)) {
    const { attention, projections } = block;
    if (attention.map !== "softmax") continue;
    for (const projection of new Set([projections.k, projections.v])) {
      if (projection && canTurn(block, projection)) fixProjection(block, projection, now, changes);
    }
  }
  const layers = before.layers.map((layer) => changes.layers.get(layer.name) ?? layer);
  const network = validate({ ...before, layers });
  inferChannels(network);
  return { model: withNewWeights(network, model.weights, changes.made), report: changes.report };
}

/**
 * Writes keys and values of softmax attention in bases of their inputs' own channels: their projections become `pivot-projection` layers,
 * which hold d_h^2 weights less a head (2 d^2 / h a layer of width d with h heads, as many multiply-accumulates a token), queries and output
 * projection are turned to match, biases of keys and values go as in `simplifyBiases`. The same function in real arithmetic, without
 * retraining. Heads that share keys or values share their base; a projection that is keys and values turns both; one that is the queries
 * too, keys or values that are the input itself, and heads of lower rank stay as they are, and so does xca, where norms stand between.
 *
 * Weights go by the names `<layer>.pivoted.weight` and `<layer>.turned.*`. f32 networks have a kernel for it; `lowerPivots`, and so `prepare`,
 * makes ordinary convolutions of it again, as int8 needs them.
 * @returns the model, and the condition of every block that became the identity
 * @throws WasmogradError ERR_NETWORK when a new name is taken; as `validate`, `checkWeights`
 */
export function gaugeFix(model: Model): { readonly model: Model; readonly report: readonly GaugeReport[] } {
  const { model: fixed, report } = gaugeFixReal(model);
  return { model: roundWeights(fixed), report };
}
