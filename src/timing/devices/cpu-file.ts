/** CPUs as JSON: calibrations that were measured, and descriptions of one's own. */
import { check } from "../../errors.ts";
import { parseJson } from "../../json.ts";
import { isRecord, show } from "../../network/layer-fields.ts";
import type { Cpu } from "./description.ts";
import { fault } from "./overrides.ts";

export const CPU_FORMAT = "wasmograd-cpu";
export const CPU_VERSION = 1;

type Holds = readonly [holds: (value: unknown) => boolean, expected: string];
interface Fields {
  readonly [name: string]: Holds | Fields;
}

const isNumber = (value: unknown): value is number => typeof value === "number" && Number.isFinite(value);
const POSITIVE: Holds = [(value) => isNumber(value) && value > 0, "a number above 0"];
const AT_LEAST_ZERO: Holds = [(value) => isNumber(value) && value >= 0, "a number of at least 0"];
const TEXT: Holds = [(value) => typeof value === "string" && value.trim() !== "", "a text"];
const TIER: Fields = { bytes: POSITIVE, bytesPerCycle: POSITIVE };

const FIELDS: Fields = {
  id: TEXT,
  source: TEXT,
  clockHz: POSITIVE,
  peak: { int8: POSITIVE, f32: POSITIVE },
  l1: TIER,
  l2: TIER,
  l3: { bytes: AT_LEAST_ZERO, bytesPerCycle: POSITIVE },
  dramBytesPerSecond: POSITIVE,
  callCycles: AT_LEAST_ZERO,
};

function checkFields(name: string, path: string, fields: Fields, value: unknown): Record<string, unknown> {
  if (!isRecord(value)) throw fault(name, path, "an object", value);
  for (const key of Object.keys(value)) {
    if (!Object.hasOwn(fields, key)) throw fault(name, path, `fields ${Object.keys(fields).join(", ")}`, key);
  }
  for (const [key, field] of Object.entries(fields)) {
    const inner = path === "" ? key : `${path}.${key}`;
    const given = value[key];
    if (!Array.isArray(field)) checkFields(name, inner, field as Fields, given);
    else if (!(field as Holds)[0](given)) throw fault(name, inner, (field as Holds)[1], given);
  }
  return value;
}

function checkKernels(name: string, value: unknown): Cpu["kernels"] {
  if (!isRecord(value)) throw fault(name, "kernels", "an object", value);
  for (const [kernel, own] of Object.entries(value)) {
    const path = `kernels.${kernel}`;
    if (!isRecord(own)) throw fault(name, path, "an object", own);
    const { costs, ...rest } = own;
    checkFields(name, path, { fraction: POSITIVE }, rest);
    if (!isRecord(costs)) throw fault(name, `${path}.costs`, "an object", costs);
    for (const [part, cycles] of Object.entries(costs)) {
      if (!AT_LEAST_ZERO[0](cycles)) throw fault(name, `${path}.costs.${part}`, AT_LEAST_ZERO[1], cycles);
    }
  }
  return value as Cpu["kernels"];
}

/**
 * A CPU from the fields of a file: `{ "format": "wasmograd-cpu", "version": 1, "device": { ... } }`, the device with all fields of `Cpu` but
 * its kind. What else the file holds, such as measurements, is not read.
 * @param name what messages begin with, such as the file's
 * @throws WasmogradError ERR_FORMAT on another format; ERR_ARGUMENT, one line, on a field that is missing or wrong
 */
export function cpuFrom(file: unknown, name = "device"): Cpu {
  const given = isRecord(file) ? file : {};
  const known = given.format === CPU_FORMAT && given.version === CPU_VERSION;
  check(known, "ERR_FORMAT", () => {
    return `${name}: expected format ${CPU_FORMAT}, version ${CPU_VERSION}, got ${show(given.format)}, ${show(given.version)}`;
  });
  if (!isRecord(given.device)) throw fault(name, "device", "an object", given.device);
  const { kernels, kind = "cpu", ...rest } = given.device;
  if (kind !== "cpu") throw fault(name, "device.kind", '"cpu"', kind);
  const fields = checkFields(name, "device", FIELDS, rest);
  return { ...(fields as unknown as Omit<Cpu, "kind" | "kernels">), kind: "cpu", kernels: checkKernels(name, kernels) };
}

/**
 * A CPU from the JSON that `wasmograd bench --calibrate` writes.
 * @param name what messages begin with, such as the file's
 * @throws WasmogradError ERR_FORMAT when it is no JSON; ERR_ARGUMENT, one line, on a field that is missing, not known or out of range
 */
export function parseCpu(text: string, name = "device"): Cpu {
  return cpuFrom(parseJson(text, name), name);
}
