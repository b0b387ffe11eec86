/** Devices of one's own: JSON that says how they differ from a known one. */
import { WasmogradError } from "../../errors.ts";
import { parseJson } from "../../json.ts";
import { isRecord, show } from "../../network/layer-fields.ts";
import type { Device } from "./description.ts";

/** Numbers that may be 0; all others are above. */
const MAY_BE_ZERO =
  /(Latency|Delay\.\w+|activationCycles\.\w+|Saving|callCycles|endBanks|outputBanks|vectorLanes|costs\.\w+|l3\.bytes)$/;
/** Counts of things. */
const WHOLE =
  /^(rows|columns|vectorLanes|sram\.\w+|system\.\w+\.\w+InFlight|core\.(cores|banks|bankBytes|microBlock.*|largestBlock.*|engines|\w+PerEngine))$/;
/** What words may stand where. */
const WORDS: Readonly<Record<string, readonly string[]>> = {
  "system.second.area": ["dram", "flash"],
  "memory.features": ["sram", "second"],
  "memory.constants": ["onChipFlash", "second"],
  "metric.id": ["25.03", "22.02"],
  dataflow: ["os", "ws", "is"],
};
/** Numbers that a device may be without. */
export const OPTIONAL = /^system\.(sram|second)\.(reads|writes)InFlight$/;
/** What makes a device of its kind. */
const FIXED: ReadonlySet<string> = new Set(["kind"]);

/** What is wrong with a field; with the path "", with all of them. */
export function fault(name: string, path: string, expected: string, given: unknown): WasmogradError {
  return new WasmogradError(
    "ERR_ARGUMENT",
    `${name}: ${path === "" ? "" : `${path}: `}expected ${expected}, got ${show(given)}`,
  );
}

function number(name: string, path: string, given: unknown): number {
  const zero = MAY_BE_ZERO.test(path);
  const fits = typeof given === "number" && Number.isFinite(given) && (zero ? given >= 0 : given > 0);
  if (!fits) throw fault(name, path, zero ? "a number of at least 0" : "a number above 0", given);
  if (WHOLE.test(path) && !Number.isInteger(given)) throw fault(name, path, "an integer", given);
  if (path.endsWith("Saving") && given >= 1) throw fault(name, path, "a number of at least 0 and below 1", given);
  return given;
}

function merged(name: string, path: string, base: unknown, given: unknown): unknown {
  if ((path === "memory.cacheBytes" || path === "host") && given === null) return null;
  if (typeof base === "number" || path === "memory.cacheBytes") return number(name, path, given);
  if (typeof base === "boolean") {
    if (typeof given !== "boolean") throw fault(name, path, "true or false", given);
    return given;
  }
  if (typeof base === "string") {
    const words = WORDS[path];
    const fits = typeof given === "string" && given.trim() !== "" && (!words || words.includes(given));
    if (!fits) throw fault(name, path, words ? words.join(" or ") : "a text", given);
    return given;
  }
  if (Array.isArray(base)) {
    if (!Array.isArray(given) || given.length !== base.length) throw fault(name, path, `${base.length} numbers`, given);
    return given.map((value, i) => number(name, `${path}[${i}]`, value));
  }
  if (!isRecord(given)) throw fault(name, path, "an object", given);
  const result = { ...(base as Record<string, unknown>) };
  for (const [key, value] of Object.entries(given)) {
    const inner = path === "" ? key : `${path}.${key}`;
    if (OPTIONAL.test(inner)) {
      result[key] = number(name, inner, value);
      continue;
    }
    if (!Object.hasOwn(result, key) || FIXED.has(inner)) {
      const known = Object.keys(result).filter((field) => !FIXED.has(field));
      throw fault(name, path, `fields ${known.join(", ")}`, key);
    }
    result[key] = merged(name, inner, result[key], value);
  }
  return result;
}

/**
 * A known device with some of its fields replaced, nested as in `Device`: `{ "system": { "clockHz": 4e8, "sram": { "burstBytes": 8 } } }`.
 * @param name what messages begin with, such as the file's
 * @throws WasmogradError ERR_ARGUMENT, one line, on a field that the device does not have or a value that it cannot have
 */
export function withOverrides(base: Device, overrides: unknown, name = "device"): Device {
  const device = merged(name, "", base, overrides) as Device;
  if (device.kind === "ethos-u" && device.memory.features === "second" && device.system.second.area === "flash") {
    throw fault(name, "memory.features", "sram, as the second port has flash", "second");
  }
  return device;
}

/** The same from JSON text. @throws WasmogradError ERR_FORMAT when it is no JSON; ERR_ARGUMENT as `withOverrides` */
export function parseOverrides(base: Device, text: string, name = "device"): Device {
  return withOverrides(base, parseJson(text, name), name);
}
