import type { Model, RealModel, RealWeight, Weight } from "../description.ts";

/** What a pass has computed in float64, rounded to f32 once; f32 weights stay the arrays that they are. */
export function roundWeights({ network, weights }: RealModel): Model {
  const round = ({ shape, data }: RealWeight): Weight => ({
    shape,
    data: data instanceof Float32Array ? data : Float32Array.from(data),
  });
  return { network, weights: new Map([...weights].map(([name, weight]) => [name, round(weight)])) };
}
