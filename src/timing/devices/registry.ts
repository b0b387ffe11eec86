/** All devices by their ids. */
import { WasmogradError } from "../../errors.ts";
import type { Device } from "./description.ts";
import { ETHOS_U, ethosU } from "./ethos-u.ts";

export interface DeviceOptions {
  /** What an Ethos-U is built into; the vendor's default unless given. */
  readonly system?: string;
  /** Its memory mode, likewise. */
  readonly memory?: string;
}

/** The ids that `device` knows. */
export function deviceIds(): string[] {
  return ETHOS_U.map(({ id }) => id);
}

/** One of a list by its id, the first unless given. @throws WasmogradError ERR_ARGUMENT */
function pick<T extends { readonly id: string }>(what: string, list: readonly T[], id: string | undefined): T {
  const found = id === undefined ? list[0] : list.find((one) => one.id === id);
  if (found) return found;
  throw new WasmogradError(
    "ERR_ARGUMENT",
    `${what}: expected one of ${list.map((one) => one.id).join(", ")}, got ${String(id)}`,
  );
}

/** @throws WasmogradError ERR_ARGUMENT on an id, system or memory mode that is not known (lists those that are) */
export function device(id: string, { system, memory }: DeviceOptions = {}): Device {
  const choice = ETHOS_U.find((one) => one.id === id);
  if (choice) return ethosU(choice, pick("system", choice.systems, system), pick("memory", choice.memories, memory));
  throw new WasmogradError("ERR_ARGUMENT", `device: expected one of ${deviceIds().join(", ")}, got ${String(id)}`);
}
