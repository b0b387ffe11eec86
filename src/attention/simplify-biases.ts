/** Biases that softmax attention does not need: those of K have no effect, those of V pass through the map. */
import type { Conv2dLayer, Layer, Model, RealModel, RealWeight } from "../network/description.ts";
import { withNewWeights } from "../network/passes/new-weights.ts";
import { roundWeights } from "../network/passes/round.ts";
import { validate } from "../network/validate.ts";
import { checkWeights } from "../network/weights.ts";
import { addBias } from "./merge.ts";
import { type AttentionBlock, attentionBlocks } from "./structure.ts";
import { affineOf } from "./weights-of.ts";

function withoutBias({ bias: _, ...conv }: Conv2dLayer): Conv2dLayer {
  return conv;
}

/** A bias of the values as all heads see it: heads that share a head of the values have its part in common. */
export function biasOfHeads(bias: Float64Array, heads: number, valueHeads: number): Float64Array {
  const own = bias.length / valueHeads;
  return Float64Array.from({ length: heads * own }, (_, i) => {
    const shared = Math.floor((Math.floor(i / own) * valueHeads) / heads);
    return bias[shared * own + (i % own)]!;
  });
}

type BiasRole = "k" | "v";
const BIAS_ROLES: readonly BiasRole[] = ["k", "v"];

/** `simplifyBiases` before rounding. */
export function simplifyBiasesReal(model: RealModel, roles: readonly BiasRole[] = BIAS_ROLES): RealModel {
  const before = validate(model.network);
  checkWeights(before, model.weights);
  const changed = new Map<string, Layer>();
  const made = new Map<string, RealWeight>();

  const simplify = ({ attention, projections, output }: AttentionBlock): void => {
    if (attention.map !== "softmax") return;
    for (const projection of new Set([projections.k, projections.v])) {
      // What is Q too changes the scores.
      if (!projection || projection.layer.bias === undefined || projection.roles.includes("q")) continue;
      if (!roles.includes(projection.roles.includes("v") ? "v" : "k")) continue;
      if (projection.roles.includes("v")) {
        if (!output) continue;
        const { heads, valueHeads = heads } = attention;
        const { bias } = affineOf(projection.layer, model.weights);
        const data = addBias(affineOf(output, model.weights), biasOfHeads(bias!, heads, valueHeads))!;
        const name = `${output.name}.folded.bias`;
        made.set(name, { shape: [data.length], data });
        changed.set(output.name, { ...output, bias: name });
      }
      changed.set(projection.layer.name, withoutBias(projection.layer));
    }
  };
  attentionBlocks(before).forEach(simplify);
  const layers = before.layers.map((layer) => changed.get(layer.name) ?? layer);
  return withNewWeights(validate({ ...before, layers }), model.weights, made);
}

/**
 * Drops the biases of keys in softmax attention, which add the same to all scores of a query, and moves those of values into the bias of the
 * output projection, `<layer>.folded.bias`: rows of the map sum to 1. A projection that serves as keys and values does both, one that is the
 * queries too keeps its bias, and so does one of values whose heads no 1x1 convolution reads alone. Exact but for rounding; xca stays as it
 * is, where neither holds.
 * @param roles whose biases go, both by default; those of a projection that is both go with "v"
 * @throws WasmogradError ERR_NETWORK when a new name is taken; as `validate`, `checkWeights`
 */
export function simplifyBiases(model: Model, roles: readonly ("k" | "v")[] = BIAS_ROLES): Model {
  return roundWeights(simplifyBiasesReal(model, roles));
}
