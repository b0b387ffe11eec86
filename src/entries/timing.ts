/** How long a network takes on hardware that need not be there: `import { simulate } from "wasmograd/timing"`. */
export { type ErrorCode, WasmogradError } from "../errors.ts";
export type * from "../network/description.ts";
export { type ChromeTrace, chromeTrace, type TraceEvent } from "../timing/chrome-trace.ts";
export { parseCpu } from "../timing/devices/cpu-file.ts";
export type { Device } from "../timing/devices/description.ts";
export { deviceFrom } from "../timing/devices/device-file.ts";
export { withOverrides } from "../timing/devices/overrides.ts";
export { type DeviceOptions, device, deviceIds } from "../timing/devices/registry.ts";
export type { LayerReport, SimulationReport, TilesReport } from "../timing/report.ts";
export { type SimulateOptions, simulate, trace } from "../timing/simulate.ts";
export type { Counter, Lane, Slice, Timeline, Traced } from "../timing/timeline.ts";
export { type WhatIfReport, type WhatIfRow, whatIf } from "../timing/what-if.ts";
