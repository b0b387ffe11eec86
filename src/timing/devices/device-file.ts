/** Devices of one's own in files: JSON that describes all of a device of a kind, or says how it differs from a known one. */
import { check } from "../../errors.ts";
import { parseJson } from "../../json.ts";
import { isRecord, show } from "../../network/layer-fields.ts";
import { CPU_FORMAT, cpuFrom } from "./cpu-file.ts";
import type { Device } from "./description.ts";
import { OPTIONAL, withOverrides } from "./overrides.ts";
import { type DeviceOptions, device, deviceIds } from "./registry.ts";

type Fields = Readonly<Record<string, unknown>>;

/** A known device of each kind: what fields its kind has. */
const templates = (): ReadonlyMap<string, Device> => {
  const known = deviceIds().map((id) => device(id));
  // CPUs have files of their own, with a format.
  return new Map(known.filter(({ kind }) => kind !== "cpu").map((one) => [one.kind, required(one) as Device]));
};

/** A device without the fields that it may be without: a description from nothing says them itself. */
function required(value: unknown, path = ""): unknown {
  if (!isRecord(value)) return value;
  const kept = Object.entries(value).flatMap(([key, field]) => {
    const inner = path === "" ? key : `${path}.${key}`;
    return OPTIONAL.test(inner) ? [] : [[key, required(field, inner)] as const];
  });
  return Object.fromEntries(kept);
}

/** The first field that `given` lacks of `whole`, or undefined. */
function lacking(whole: unknown, given: unknown, path: string): string | undefined {
  if (!isRecord(whole) || !isRecord(given)) return undefined;
  for (const [key, value] of Object.entries(whole)) {
    const inner = path === "" ? key : `${path}.${key}`;
    if (!Object.hasOwn(given, key)) return inner;
    const missing = lacking(value, given[key], inner);
    if (missing !== undefined) return missing;
  }
  return undefined;
}

function extended(name: string, fields: Fields): Device {
  const { extends: base, options = {}, ...overrides } = fields;
  check(
    typeof base === "string" && deviceIds().includes(base),
    "ERR_ARGUMENT",
    () => `${name}: extends: expected one of ${deviceIds().join(", ")}, got ${show(base)}`,
  );
  const known = ["system", "memory", "metric"];
  const sound =
    isRecord(options) &&
    Object.entries(options).every(([key, value]) => known.includes(key) && typeof value === "string");
  check(sound, "ERR_ARGUMENT", () => `${name}: options: expected ids of ${known.join(", ")}, got ${show(options)}`);
  return withOverrides(device(base, options as DeviceOptions), overrides, name);
}

/**
 * A device from the fields of a file: `{ "extends": ID, "options"?: { "system" | "memory" | "metric": ID }, ...what differs }`, or
 * `{ "kind": KIND, ...all fields of the kind }`; docs/timing-model.md lists the fields. A CPU as `parseCpu` reads it.
 * @param name what messages begin with, such as the file's
 * @throws WasmogradError ERR_ARGUMENT, one line, on a field that is missing, not known or out of range
 */
export function deviceFrom(fields: unknown, name = "device"): Device {
  check(isRecord(fields), "ERR_ARGUMENT", () => `${name}: expected an object, got ${show(fields)}`);
  if (fields.format === CPU_FORMAT) return cpuFrom(fields, name);
  if (Object.hasOwn(fields, "extends")) return extended(name, fields);
  const kinds = templates();
  const { kind, ...rest } = fields;
  const template = kinds.get(kind as string);
  check(
    template !== undefined,
    "ERR_ARGUMENT",
    () =>
      `${name}: expected "extends" with a known device, or "kind" of ${[...kinds.keys()].join(", ")}, got ${show(kind)}`,
  );
  const { kind: _, ...whole } = template;
  const missing = lacking(whole, rest, "");
  check(missing === undefined, "ERR_ARGUMENT", () => `${name}: expected a field ${missing}, got none`);
  return withOverrides(template, rest, name);
}

/** The same from JSON text. @throws WasmogradError ERR_FORMAT when it is no JSON; ERR_ARGUMENT as `deviceFrom` */
export function parseDevice(text: string, name = "device"): Device {
  return deviceFrom(parseJson(text, name), name);
}
