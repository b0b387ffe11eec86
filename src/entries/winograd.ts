/**
 * Winograd algorithms of your own points, exactly: `import { winograd } from "wasmograd/winograd"`.
 * @module wasmograd/winograd
 */
export { type ErrorCode, WasmogradError } from "../errors.ts";
export { type Algorithm, type AlgorithmSpec, type Point, winograd } from "../winograd/algorithm.ts";
export type { Arithmetic, OperationCount } from "../winograd/arithmetic.ts";
export {
  type CountedLayer,
  type CountedResult,
  type DirectCounts,
  type LayerCounts,
  runCounted,
  runDirect,
  type StoredBytes,
} from "../winograd/counting.ts";
export type { Gaussian } from "../winograd/gaussian.ts";
export {
  type ChannelLimits,
  channelLimits,
  type Factor,
  type Growth,
  growth,
  type Magnitudes,
  type OperandRanges,
  planeLimits,
  type Range as IntegerRange,
} from "../winograd/growth.ts";
export type { FormKind, IntegerForm, ResultScale } from "../winograd/integer-form.ts";
export type { Matrix, Vector } from "../winograd/matrix.ts";
export { type Doubling, isExact, type Nested, type NestedOptions, nest } from "../winograd/nested.ts";
export type { IntegerMatrix, RealForm } from "../winograd/real-form.ts";
export type { Operation, Schedule } from "../winograd/schedule.ts";
export type { Entry, Plane, Structure } from "../winograd/structure.ts";
export { type AlgorithmSummary, summarise } from "../winograd/summary.ts";
export {
  type Complex,
  countTransforms,
  type DirectionSchedules,
  type Entries,
  type TransformCounts,
  type Transforms,
  transforms,
} from "../winograd/transforms.ts";
