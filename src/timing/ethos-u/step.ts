/** Ethos-U: the time and traffic of one operation with everything decided: block, memories, weight buffers. */
import type { EthosU, MemoryArea } from "../devices/description.ts";
import type { Tensor } from "../operation.ts";
import type { MemoryTraffic } from "../report.ts";
import type { Block, NpuOperation } from "./block.ts";
import { type NpuCycles, npuCycles } from "./cycles.ts";
import type { Staging } from "./staging.ts";
import { busyBytes, copyCycles, type Placement, rateOf, trafficOf } from "./transfers.ts";

export interface Step {
  readonly operation: NpuOperation;
  readonly block: Block;
  /** `weights`: where the encoded weights are before any staging. */
  readonly place: Placement;
  readonly staging?: Staging;
  /** Weights as they lie in memory, biases included; 0 of operations without. */
  readonly encodedBytes: number;
}

export interface StepEstimate {
  /** Of the units themselves, weights being where they are read from. */
  readonly units: NpuCycles;
  /** With the waits for weights and tables. */
  readonly npu: number;
  /** Cycles that each memory is busy for. */
  readonly memory: Readonly<Record<MemoryArea, number>>;
  /** The longest of all. */
  readonly total: number;
  readonly bytes: MemoryTraffic;
  /** Cycles during which the next operation's weights can arrive. */
  readonly slack: number;
}

/** Look-up tables of int8 and int16 values, which come out of the constants' memory. */
export const tableBytes = ({ activation, bits }: NpuOperation): number =>
  activation !== "table" ? 0 : bits === 8 ? 256 : 2048;

const AREAS: readonly MemoryArea[] = ["sram", "onChipFlash", "dram", "flash"];

function withWaits(device: EthosU, step: Step, units: number, slack: number, tableCycles: number): number {
  const { staging, place } = step;
  if (!staging) return units + Math.max(tableCycles - slack, 0);
  const copy = (bytes: number): number => copyCycles(device, place.weights, "sram", bytes);
  const [full, first] = [copy(staging.wholeBytes), copy(staging.firstBytes)];
  const waited =
    staging.buffers === "double"
      ? Math.max(full - slack + staging.tailCycles, units + Math.max(first - slack, 0))
      : units + full - Math.min(first, slack);
  return waited + tableCycles;
}

/** Bytes of one kind, and how many the port is busy for. */
export interface Move {
  readonly area: MemoryArea;
  readonly bytes: number;
  readonly busy: number;
}

export interface Moves {
  readonly input: Move;
  readonly second?: Move;
  readonly output: Move;
  /** As the NPU reads them: of what was copied, from SRAM. */
  readonly weights: Move;
}

/** What an operation moves while it runs. */
export function movesOf(device: EthosU, { operation, block, place, staging, encodedBytes }: Step): Moves {
  const traffic = trafficOf(device, operation, block, encodedBytes);
  const { input, output } = operation;
  const read = (area: MemoryArea, tensor: Tensor, bytes: number): Move => ({
    area,
    bytes,
    busy: busyBytes(device, area, tensor, block.input, operation, "read", bytes),
  });
  const second = operation.kind === "elementwise" ? operation.second : undefined;
  const written = busyBytes(device, place.output, output, block.output, operation, "write", traffic.output);
  return {
    input: read(place.input, input, traffic.input),
    ...(second && { second: read(place.second, second, traffic.second) }),
    output: { area: place.output, bytes: traffic.output, busy: written },
    weights: { area: staging ? "sram" : place.weights, bytes: traffic.weights, busy: traffic.weights },
  };
}

/** @param slack of the step before, 0 of the first */
export function estimateStep(device: EthosU, step: Step, slack: number): StepEstimate {
  const { operation, block, place, staging } = step;
  const readFrom = staging ? "sram" : place.weights;
  const units = npuCycles(device, operation, block, { ...place, weights: readFrom });
  const { input, second, output, weights } = movesOf(device, step);
  const busy: Record<MemoryArea, number> = { sram: 0, onChipFlash: 0, dram: 0, flash: 0 };
  const read = { ...busy };
  const write = { ...busy };
  for (const { area, bytes, busy: taken } of second ? [input, second] : [input]) {
    read[area] += bytes;
    busy[area] += taken;
  }
  write[output.area] += output.bytes;
  busy[output.area] += output.busy;
  read[readFrom] += weights.bytes;
  // What is staged comes at the pace of the copy, which the waits hold.
  if (!staging) busy[readFrom] += weights.busy;
  else {
    read[place.weights] += staging.bytes;
    write.sram += staging.bytes;
  }
  const table = tableBytes(operation);
  const tableCycles = table > 0 ? copyCycles(device, place.weights, "sram", table) : 0;
  read[place.weights] += table;
  const npu = withWaits(device, step, units.total, slack, tableCycles);
  const cycles = (area: MemoryArea): number => busy[area] / rateOf(device, area);
  const memory = {
    sram: cycles("sram"),
    onChipFlash: cycles("onChipFlash"),
    dram: cycles("dram"),
    flash: cycles("flash"),
  };
  return {
    units,
    npu,
    memory,
    total: Math.max(npu, ...AREAS.map((area) => memory[area])),
    bytes: { read, write },
    slack: staging?.tailCycles ?? units.total,
  };
}
