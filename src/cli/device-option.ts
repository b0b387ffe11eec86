/** The options that choose a device of the timing model. */
import type { Device } from "../timing/devices/description.ts";
import { parseDevice } from "../timing/devices/device-file.ts";
import { parseOverrides } from "../timing/devices/overrides.ts";
import { device, deviceIds } from "../timing/devices/registry.ts";
import { readText } from "./input-files.ts";
import { type OptionSpecs, type Parsed, UsageError } from "./options.ts";

/** Beside --device itself, of which each command says what it is by default. */
export const DEVICE_OPTIONS = {
  system: {
    type: "string",
    value: "ID",
    help: "Ethos-U: what it is built into; Arm CPUs: webassembly (default) or native products",
  },
  memory: { type: "string", value: "ID", help: "Ethos-U: memory mode" },
  metric: { type: "string", value: "ID", help: "Ethos-N: 22.02 (default) or 25.03" },
  config: {
    type: "string",
    value: "FILE",
    help: 'JSON with what differs from the device, such as {"system": {"clockHz": 4e8}}',
  },
} as const satisfies OptionSpecs;

const CHOICES = ["system", "memory", "metric"] as const;

/** A device described in a file and not known by an id. */
export const isDeviceFile = (id: string): boolean => id.toLowerCase().endsWith(".json");

/** @throws UsageError without --device; WasmogradError on an unknown one, ERR_IO, ERR_FORMAT and ERR_ARGUMENT on files */
export async function deviceOption(parsed: Parsed): Promise<Device> {
  const id = parsed.text("device");
  if (id === undefined) throw new UsageError(`--device: expected one of ${deviceIds().join(", ")}, got none`);
  const given = CHOICES.flatMap((name) => {
    const value = parsed.text(name);
    return value === undefined ? [] : [[name, value] as const];
  });
  if (isDeviceFile(id) && given[0]) {
    throw new UsageError(`--${given[0][0]}: expected with the id of a device only; a file says it in "options"`);
  }
  const known = isDeviceFile(id) ? parseDevice(await readText(id), id) : device(id, Object.fromEntries(given));
  const config = parsed.text("config");
  return config === undefined ? known : parseOverrides(known, await readText(config), config);
}
