/**
 * How long a network takes on hardware that need not be there: `import { simulate } from "wasmograd/timing"`.
 * @module wasmograd/timing
 */

export type { Padding } from "../conv-axis.ts";
export { type ErrorCode, WasmogradError } from "../errors.ts";
export type * from "../network/description.ts";
export type { Halo, Margin } from "../network/receptive-field.ts";
export { type ChromeTrace, chromeTrace, type TraceEvent } from "../timing/chrome-trace.ts";
export { parseCpu } from "../timing/devices/cpu-file.ts";
export type {
  CacheTier,
  Cpu,
  Dataflow,
  Device,
  EthosN,
  EthosNCore,
  EthosNMetric,
  EthosU,
  EthosUCore,
  EthosUMemory,
  EthosUSystem,
  HostCpu,
  KernelCosts,
  MemoryArea,
  MemoryPort,
  Systolic,
} from "../timing/devices/description.ts";
export { deviceFrom } from "../timing/devices/device-file.ts";
export { withOverrides } from "../timing/devices/overrides.ts";
export { type DeviceOptions, device, deviceIds } from "../timing/devices/registry.ts";
export type { LowerOptions } from "../timing/lower.ts";
export type { ActivationBits, FilterSize } from "../timing/operation.ts";
export type {
  Bytes,
  LayerReport,
  MemoryTraffic,
  SimulationReport,
  TileSize,
  TilesCost,
  TilesReport,
  TotalReport,
} from "../timing/report.ts";
export { type SimulateOptions, simulate, trace } from "../timing/simulate.ts";
export type { Counter, Lane, Slice, Timeline, Traced } from "../timing/timeline.ts";
export type { EncodedSize, Weighted as WeightedOperation } from "../timing/weights.ts";
export { type WhatIfReport, type WhatIfRow, whatIf } from "../timing/what-if.ts";
