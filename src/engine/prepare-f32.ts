/** The passes behind f32 networks, loaded with the first of them: an int8 network comes prepared. */
import { pivotsSave } from "../kernels/attention/pivots.ts";
import type { Model } from "../network/description.ts";
import { lowerMixed } from "../network/passes/lower-mixed.ts";
import { lowerPivots } from "../network/passes/lower-pivots.ts";
import { prepareKept } from "../network/passes/prepare.ts";

/** The form of a model that has an f32 kernel for every layer. @throws WasmogradError as `lowerPivots`, `prepareKept`, `lowerMixed` */
export function prepareF32(model: Model): Model {
  const worthIt = lowerPivots(model, ({ pivots }, inputs) =>
    pivotsSave({ inputs, groups: pivots.length, own: pivots[0]!.length }),
  );
  return lowerMixed(prepareKept(worthIt));
}
