/** What would change a network's time: the same simulation with one thing of device or network changed at a time. */
import { check, WasmogradError } from "../errors.ts";
import type { Layer, Network, PlainActivation } from "../network/description.ts";
import { halo } from "../network/receptive-field.ts";
import type { Cpu, Device, EthosN, EthosU, Systolic } from "./devices/description.ts";
import { ETHOS_U } from "./devices/ethos-u.ts";
import type { TotalReport } from "./report.ts";
import { type SimulateOptions, simulate } from "./simulate.ts";

/** One change and what it does. */
export interface WhatIfRow {
  /** Short, such as "bandwidth-x2". */
  readonly id: string;
  /** In words. */
  readonly change: string;
  /** null where the device cannot run the network so; `error` says why. */
  readonly ms: number | null;
  /** ms less the baseline's. */
  readonly deltaMs: number | null;
  /** ms over the baseline's: below 1 is faster. */
  readonly ratio: number | null;
  /** Read and written; null as `ms`. */
  readonly dramBytes: number | null;
  /** Why the device cannot run the network so. */
  readonly error?: string;
}

/** What `whatIf` returns. */
export interface WhatIfReport {
  /** Its name. */
  readonly network: string;
  /** Its id. */
  readonly device: string;
  /** With nothing changed. */
  readonly baseline: TotalReport;
  /** Changes of the device first. */
  readonly rows: readonly WhatIfRow[];
}

interface Change {
  readonly id: string;
  readonly change: string;
  readonly device?: Device;
  readonly network?: Network;
  readonly options?: Partial<SimulateOptions>;
}

const FACTORS = [0.5, 2, 4] as const;
const TILES = [64, 128, 256, 512] as const;
const times = (factor: number): string => (factor === 0.5 ? "half" : factor === 2 ? "twice" : `${factor} times`);

function ethosUChanges(device: EthosU): Change[] {
  const { system, memory, core } = device;
  const [sram, second] = [system.sram, system.second].map((port) => 2 * port.bytesPerSecond) as [number, number];
  const faster = { ...system.second, bytesPerSecond: second };
  const larger = ETHOS_U.find((choice) => choice.core.macsPerCycle === 2 * core.macsPerCycle);
  const { cacheBytes } = memory;
  return [
    {
      id: "bandwidth-x2",
      change: "twice the bandwidth of both ports",
      device: { ...device, system: { ...system, sram: { ...system.sram, bytesPerSecond: sram }, second: faster } },
    },
    {
      id: "second-port-x2",
      change: `twice the bandwidth of the ${system.second.area}`,
      device: { ...device, system: { ...system, second: faster } },
    },
    ...(cacheBytes === null
      ? []
      : FACTORS.map((factor) => ({
          id: `sram-x${factor}`,
          change: `${times(factor)} the SRAM`,
          device: { ...device, memory: { ...memory, cacheBytes: factor * cacheBytes } },
        }))),
    ...(larger
      ? [
          {
            id: "macs-x2",
            change: `twice the MACs: the core of ${larger.id}`,
            device: { ...device, core: larger.core },
          },
        ]
      : []),
    {
      id: "clock-x2",
      change: "twice the clock, memories as fast as before",
      device: { ...device, system: { ...system, clockHz: 2 * system.clockHz } },
    },
  ];
}

function ethosNChanges(device: EthosN): Change[] {
  const { core, metric } = device;
  return [
    {
      id: "bandwidth-x2",
      change: "twice the bandwidth of the DRAM",
      device: { ...device, metric: { ...metric, bytesPerSecond: 2 * metric.bytesPerSecond } },
    },
    ...FACTORS.map((factor) => ({
      id: `sram-x${factor}`,
      change: `${times(factor)} the SRAM`,
      device: { ...device, core: { ...core, sramBytes: factor * core.sramBytes } },
    })),
    {
      id: `winograd-${device.winograd ? "off" : "on"}`,
      change: device.winograd ? "no Winograd: all products direct" : "Winograd where it is faster",
      device: { ...device, winograd: !device.winograd },
    },
    ...(device.activationSaving > 0
      ? [{ id: "uncompressed", change: "maps in DRAM not compressed", device: { ...device, activationSaving: 0 } }]
      : []),
    {
      id: "macs-x2",
      change: "twice the MACs: output generators of an engine",
      device: { ...device, core: { ...core, outputsPerEngine: 2 * core.outputsPerEngine } },
    },
    {
      id: "clock-x2",
      change: "twice the clock, DRAM as fast as before",
      device: { ...device, metric: { ...metric, clockHz: 2 * metric.clockHz } },
    },
  ];
}

function systolicChanges(device: Systolic): Change[] {
  const { sram } = device;
  const flows = { os: "sums", ws: "filters", is: "inputs" } as const;
  return [
    {
      id: "bandwidth-x2",
      change: "twice the bandwidth of the DRAM",
      device: { ...device, wordsPerCycle: 2 * device.wordsPerCycle },
    },
    ...FACTORS.map((factor) => ({
      id: `sram-x${factor}`,
      change: `${times(factor)} the SRAM`,
      device: {
        ...device,
        sram: {
          inputBytes: factor * sram.inputBytes,
          filterBytes: factor * sram.filterBytes,
          outputBytes: factor * sram.outputBytes,
        },
      },
    })),
    { id: "rows-x2", change: "twice the rows", device: { ...device, rows: 2 * device.rows } },
    { id: "columns-x2", change: "twice the columns", device: { ...device, columns: 2 * device.columns } },
    ...(["os", "ws", "is"] as const)
      .filter((flow) => flow !== device.dataflow)
      .map((dataflow) => ({
        id: `dataflow-${dataflow}`,
        change: `${flows[dataflow]} stay in the cells`,
        device: { ...device, dataflow },
      })),
    {
      id: "clock-x2",
      change: "twice the clock, DRAM as fast as before",
      device: { ...device, clockHz: 2 * device.clockHz, wordsPerCycle: device.wordsPerCycle / 2 },
    },
  ];
}

function cpuChanges(device: Cpu, precision: SimulateOptions["precision"] = "int8"): Change[] {
  const { peak, l2, clockHz, dramBytesPerSecond } = device;
  const other = precision === "int8" ? "f32" : "int8";
  return [
    {
      id: "bandwidth-x2",
      change: "twice the bandwidth of the DRAM",
      device: { ...device, dramBytesPerSecond: 2 * dramBytesPerSecond },
    },
    ...FACTORS.map((factor) => ({
      id: `l2-x${factor}`,
      change: `${times(factor)} the second cache`,
      device: { ...device, l2: { ...l2, bytes: factor * l2.bytes } },
    })),
    {
      id: "macs-x2",
      change: "twice the products a cycle",
      device: { ...device, peak: { int8: 2 * peak.int8, f32: 2 * peak.f32 } },
    },
    { id: "clock-x2", change: "twice the clock, DRAM as fast as before", device: { ...device, clockHz: 2 * clockHz } },
    { id: other, change: `${other} instead of ${precision}`, options: { precision: other } },
  ];
}

function deviceChanges(device: Device, { precision }: SimulateOptions): Change[] {
  switch (device.kind) {
    case "ethos-u":
      return ethosUChanges(device);
    case "ethos-n":
      return ethosNChanges(device);
    case "systolic":
      return systolicChanges(device);
    case "cpu":
      return cpuChanges(device, precision);
  }
}

type Kind = "hard-swish" | "gelu" | "prelu" | "mixed";

function activationsOf({ layers }: Network): Set<string> {
  const found = layers.flatMap((layer) => ("activation" in layer && layer.activation ? [layer.activation.kind] : []));
  return new Set(found);
}

/** The network with another activation in place of those of some kinds. */
function withActivation(network: Network, kinds: readonly Kind[], activation: PlainActivation): Network {
  const layers = network.layers.map((layer): Layer => {
    const found =
      "activation" in layer && layer.activation && (kinds as readonly string[]).includes(layer.activation.kind);
    return found ? { ...layer, activation } : layer;
  });
  return { ...network, layers };
}

const CURVED = ["gelu", "prelu", "mixed"] as const satisfies readonly Kind[];

function networkChanges(network: Network, device: Device, { activations, tile, input }: SimulateOptions): Change[] {
  const kinds = activations === "clamped" ? new Set<string>() : activationsOf(network);
  const changes: Change[] = [];
  if (kinds.has("hard-swish")) {
    changes.push({
      id: "relu6",
      change: "ReLU6 for hard-swish",
      network: withActivation(network, ["hard-swish"], { kind: "relu6" }),
    });
  }
  if (CURVED.some((kind) => kinds.has(kind))) {
    // NPUs have readings of activations, CPUs run what is described.
    const how =
      device.kind === "cpu"
        ? { network: withActivation(network, CURVED, { kind: "relu" }) }
        : { options: { activations: "clamped" as const } };
    changes.push({ id: "clamped", change: "ReLU for every activation", ...how });
  }
  try {
    halo(network);
  } catch (error) {
    // It cannot run in tiles.
    if (error instanceof WasmogradError && error.code === "ERR_UNSUPPORTED") return changes;
    throw error;
  }
  const smaller = TILES.filter((side) => side < Math.max(...input) && !(tile?.[0] === side && tile[1] === side));
  for (const side of smaller) {
    changes.push({ id: `tile-${side}`, change: `tiles of ${side}x${side}`, options: { tile: [side, side] } });
  }
  if (tile) changes.push({ id: "untiled", change: "in one piece", options: { tile: input } });
  return changes;
}

/**
 * A simulation, and how its time changes with twice the bandwidth, more and less SRAM, more MACs, a faster clock, without Winograd, with
 * another dataflow (what of these the device has), with cheaper activations and in tiles (what of these the network can).
 * @throws WasmogradError as `simulate` of the unchanged device and network
 */
export function whatIf(network: Network, device: Device, options: SimulateOptions): WhatIfReport {
  const baseline = simulate(network, device, options);
  const { ms } = baseline.total;
  const rows = [...deviceChanges(device, options), ...networkChanges(network, device, options)].map(
    (change): WhatIfRow => {
      const { id, change: words } = change;
      try {
        const changed = { ...options, ...change.options };
        const { total } = simulate(change.network ?? network, change.device ?? device, changed);
        return {
          id,
          change: words,
          ms: total.ms,
          deltaMs: total.ms - ms,
          ratio: total.ms / ms,
          dramBytes: total.dramBytes,
        };
      } catch (error) {
        if (!(error instanceof WasmogradError)) throw error;
        const none = { ms: null, deltaMs: null, ratio: null, dramBytes: null };
        return { id, change: words, ...none, error: error.message };
      }
    },
  );
  check(rows.length > 0, "ERR_ARGUMENT", () => `whatIf: expected something to change about ${device.id}, got nothing`);
  return { network: baseline.network, device: baseline.device, baseline: baseline.total, rows };
}
