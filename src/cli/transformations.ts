/** Exact transformations of attention in a model with weights, by the names that `compact --apply` takes. */
import { compactAttentionReal } from "../attention/compact-model.ts";
import { type GaugeReport, gaugeFixReal } from "../attention/gauge-fix.ts";
import { simplifyBiasesReal } from "../attention/simplify-biases.ts";
import type { Model, Network, RealModel } from "../network/description.ts";
import { roundWeights } from "../network/passes/round.ts";
import { UsageError } from "./options.ts";

interface Transformed {
  readonly model: RealModel;
  readonly gauge?: readonly GaugeReport[];
}

/** The library merges any number of heads; what makes a network larger is hardly meant here. */
function checkMerge({ layers }: Network): void {
  for (const layer of layers) {
    if (layer.op !== "attention") continue;
    if (layer.map === "xca") {
      throw new UsageError(
        `--apply: merge: expected softmax attention, as with xca it is not exact, got ${layer.name}`,
      );
    }
    if (layer.heads > 1) {
      const message = `--apply: merge: expected attention of one head, as more would make the network larger, got ${layer.heads} in ${layer.name}`;
      throw new UsageError(message);
    }
  }
}

const TRANSFORMATIONS = {
  "drop-k-bias": (model: RealModel): Transformed => ({ model: simplifyBiasesReal(model, ["k"]) }),
  "fold-v-bias": (model: RealModel): Transformed => ({ model: simplifyBiasesReal(model, ["v"]) }),
  merge: (model: RealModel): Transformed => {
    checkMerge(model.network);
    return { model: compactAttentionReal(model, { qk: "merged", vo: "merged" }) };
  },
  "gauge-fix": (model: RealModel): Transformed => {
    const { model: fixed, report } = gaugeFixReal(model);
    return { model: fixed, gauge: report };
  },
} as const;

export type Transformation = keyof typeof TRANSFORMATIONS;
export const TRANSFORMATION_NAMES = Object.keys(TRANSFORMATIONS) as readonly Transformation[];

/** Names with commas between. @throws UsageError */
export function transformationsOf(text: string): readonly Transformation[] {
  return text.split(",").map((part) => {
    const found = TRANSFORMATION_NAMES.find((name) => name === part.trim());
    if (!found) throw new UsageError(`--apply: expected some of ${TRANSFORMATION_NAMES.join(", ")}, got ${part}`);
    return found;
  });
}

/** One after the other in float64, rounded to f32 once. @throws UsageError; WasmogradError as the passes */
export function transform(
  model: Model,
  names: readonly Transformation[],
): { readonly model: Model; readonly gauge: readonly GaugeReport[] } {
  let current: RealModel = model;
  const gauge: GaugeReport[] = [];
  for (const name of names) {
    const done: Transformed = TRANSFORMATIONS[name](current);
    current = done.model;
    gauge.push(...(done.gauge ?? []));
  }
  return { model: roundWeights(current), gauge };
}
