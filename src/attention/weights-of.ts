/** The values of projections in a model. */
import type { Conv2dLayer, RealWeight, RealWeights } from "../network/description.ts";
import { filterMatrix, toFilter } from "./matrix.ts";
import type { Affine } from "./merge.ts";

export function affineOf(conv: Conv2dLayer, weights: RealWeights): Affine {
  const bias = conv.bias === undefined ? undefined : Float64Array.from(weights.get(conv.bias)!.data);
  return { weights: filterMatrix(weights.get(conv.weights)!), bias };
}

/** The weights of an affine map by these names; a bias only where there is a name for it. */
export function named(
  { weights, bias }: Affine,
  names: { readonly weights: string; readonly bias?: string | undefined },
): [string, RealWeight][] {
  const vector = (data: Float64Array): RealWeight => ({ shape: [data.length], data });
  const made: [string, RealWeight][] = [[names.weights, toFilter(weights)]];
  if (names.bias !== undefined && bias) made.push([names.bias, vector(bias)]);
  return made;
}
