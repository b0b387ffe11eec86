/** All devices by their ids. */
import { check, WasmogradError } from "../../errors.ts";
import { CPU_CORES, CPU_SYSTEMS, cpu } from "./cpu.ts";
import type { Device } from "./description.ts";
import { ETHOS_N_METRICS, ethosN, ethosNIds } from "./ethos-n78.ts";
import { ETHOS_U, ethosU } from "./ethos-u.ts";
import { HOST_COSTS } from "./host-costs.ts";
import { systolicArrays } from "./systolic.ts";

/** Of `device`. */
export interface DeviceOptions {
  /**
   * What an Ethos-U is built into; the vendor's default unless given. Of an Arm CPU: what kernels are compiled to; "webassembly" unless
   * given.
   */
  readonly system?: string;
  /** Its memory mode, likewise. */
  readonly memory?: string;
  /** Which of the vendor's metrics adds up an Ethos-N's passes; "22.02" unless given. */
  readonly metric?: string;
}

/** The ids that `device` knows. */
export function deviceIds(): string[] {
  const ids = (list: readonly { readonly id: string }[]): string[] => list.map(({ id }) => id);
  return [...ids(ETHOS_U), ...ethosNIds(), ...ids(systolicArrays()), ...ids(CPU_CORES), HOST_COSTS.id];
}

/** What `DeviceOptions` can be for a device, its defaults first. @throws WasmogradError ERR_ARGUMENT on an unknown id */
export function deviceOptions(id: string): {
  readonly systems: readonly string[];
  readonly memories: readonly string[];
  readonly metrics: readonly string[];
} {
  const ids = (list: readonly { readonly id: string }[] | undefined): string[] => (list ?? []).map((one) => one.id);
  const { kind } = device(id);
  const choice = ETHOS_U.find((one) => one.id === id);
  const metrics = kind === "ethos-n" ? ids(ETHOS_N_METRICS) : [];
  const systems = CPU_CORES.some((one) => one.id === id) ? CPU_SYSTEMS : choice?.systems;
  return { systems: ids(systems), memories: ids(choice?.memories), metrics };
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

function refuse(id: string, options: Readonly<Record<string, string | undefined>>): void {
  for (const [name, value] of Object.entries(options)) {
    check(value === undefined, "ERR_ARGUMENT", () => `${name}: expected none for ${id}, got ${String(value)}`);
  }
}

/**
 * A device by its id; docs/timing-model.md has the sources of its figures.
 * @throws WasmogradError ERR_ARGUMENT on an id or option that is not known (lists those that are), or that the device does not have
 */
export function device(id: string, { system, memory, metric }: DeviceOptions = {}): Device {
  const choice = ETHOS_U.find((one) => one.id === id);
  if (choice) {
    refuse(id, { metric });
    return ethosU(choice, pick("system", choice.systems, system), pick("memory", choice.memories, memory));
  }
  if (ethosNIds().includes(id)) {
    refuse(id, { system, memory });
    return ethosN(id, pick("metric", ETHOS_N_METRICS, metric));
  }
  const array = systolicArrays().find((one) => one.id === id);
  if (array) {
    refuse(id, { system, memory, metric });
    return array;
  }
  const core = CPU_CORES.find((one) => one.id === id);
  if (core) {
    refuse(id, { memory, metric });
    return cpu(core, pick("system", CPU_SYSTEMS, system).id);
  }
  if (id === HOST_COSTS.id) {
    refuse(id, { system, memory, metric });
    return HOST_COSTS;
  }
  throw new WasmogradError("ERR_ARGUMENT", `device: expected one of ${deviceIds().join(", ")}, got ${String(id)}`);
}
