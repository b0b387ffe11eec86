/** Winograd algorithms of your own points, exactly: `import { winograd } from "wasmograd/winograd"`. */
export { type ErrorCode, WasmogradError } from "../errors.ts";
export { type Algorithm, type AlgorithmSpec, winograd } from "../winograd/algorithm.ts";
export { type CountedLayer, type LayerCounts, runCounted, runDirect } from "../winograd/counting.ts";
export { channelLimits, type Growth, growth, planeLimits } from "../winograd/growth.ts";
export type { FormKind } from "../winograd/integer-form.ts";
export { isExact, type Nested, nest } from "../winograd/nested.ts";
export { type AlgorithmSummary, summarise } from "../winograd/summary.ts";
export { countTransforms, type Transforms, transforms } from "../winograd/transforms.ts";
