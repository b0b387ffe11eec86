/** Ethos-N, analytic mode: passes from DRAM through SRAM and engines and back, added up by one of the vendor's two metrics. */
import type { EthosN } from "../devices/description.ts";
import { hostReport } from "../host.ts";
import { leaveToHost } from "../lower.ts";
import { type HostOperation, macsOf, type Operation, type Program, tensorsOf } from "../operation.ts";
import { type LayerReport, NO_BYTES, type SimulationReport, totalOf } from "../report.ts";
import type { EncodedSize } from "../weights.ts";
import { macsPerCycle, mceCycles, pleCycles } from "./compute.ts";
import { chooseStripes, dramBytes, type PassTraffic } from "./stripes.ts";

/** Why the NPU cannot run an operation, or undefined. */
function missing(operation: Operation): string | undefined {
  if (operation.kind === "depth-to-space" && operation.block !== 2) {
    return `the NPU rearranges blocks of 2 only, not of ${operation.block}`;
  }
  if (operation.activation === "table") return "the NPU has no table for this activation";
  if (operation.kind === "elementwise" && operation.function !== "add" && operation.function !== "identity") {
    return `the NPU has no ${operation.function}`;
  }
  if (operation.kind !== "convolution" && operation.kind !== "depthwise") return undefined;
  const sides = [1, 2, 3, 5, 7, 9];
  if (operation.kernel.some((k) => !sides.includes(k))) {
    return `the NPU's kernels have sides of ${sides.join(", ")}, not ${operation.kernel.join("x")}`;
  }
  if (Math.max(...operation.stride) > 2) return `the NPU's strides are at most 2, not ${Math.max(...operation.stride)}`;
  return operation.spread > 2 ? `the NPU spreads inputs by 2 at most, not by ${operation.spread}` : undefined;
}

export interface PassEstimate {
  readonly operation: Exclude<Operation, HostOperation>;
  readonly traffic: PassTraffic;
  readonly mce: number;
  readonly winograd: boolean;
  readonly ple: number;
}

export const ADD_STRIPE_CYCLES = 1500;
export const STRIPE_CYCLES = 100;
export const LEAST_STRIPE_CYCLES = 2500;

/** Cycles of a pass by resource, and in all. */
interface PassTime {
  readonly serial: number;
  readonly dram: number;
  readonly mce: number;
  readonly ple: number;
}

function timeOf({ metric }: EthosN, operation: Operation, t: PassTraffic, mce: number, ple: number): PassTime {
  const rate = metric.bytesPerSecond / metric.clockHz;
  if (metric.id === "22.02") {
    const serial = (t.serialRead + t.serialWrite) / rate;
    return { serial, dram: (t.read + t.write - t.serialRead - t.serialWrite) / rate, mce, ple };
  }
  // Stripes have a price each and a least time.
  const stream = (bytes: number, stripes: number): number =>
    bytes === 0 ? 0 : Math.max(bytes / rate + STRIPE_CYCLES * stripes, LEAST_STRIPE_CYCLES * stripes);
  const reads = t.inputStripes + t.weightStripes;
  const serial = stream(t.serialRead, reads) + stream(t.serialWrite, t.outputStripes);
  const dram = Math.max(stream(t.read - t.serialRead, reads), stream(t.write - t.serialWrite, t.outputStripes));
  const engine = (cycles: number, each: number): number =>
    cycles === 0 ? 0 : Math.max(cycles + each * t.outputStripes, LEAST_STRIPE_CYCLES * t.outputStripes);
  const each = operation.kind === "elementwise" ? ADD_STRIPE_CYCLES : STRIPE_CYCLES;
  return { serial, dram, mce: engine(mce, STRIPE_CYCLES), ple: engine(ple, each) };
}

/** A pass by itself; the older metric leaves the PLE out. */
function longest({ metric }: EthosN, { serial, dram, mce, ple }: PassTime): number {
  return serial + Math.max(dram, mce, metric.id === "22.02" ? 0 : ple);
}

/** Feature maps that stay in SRAM from one operation to the next: of one reader, that follows at once, and of at most half the SRAM. */
function keptMaps(device: EthosN, { operations, output }: Program): Set<string> {
  const kept = new Set<string>();
  const readers = operations.flatMap((operation) => tensorsOf(operation).map(({ name }) => name));
  for (const [i, operation] of operations.entries()) {
    const next = operations[i + 1];
    const { name, shape } = operation.output;
    if (!next || next.kind === "host" || operation.kind === "host" || name === output.name) continue;
    if (next.input.name !== name || readers.filter((reader) => reader === name).length > 1) continue;
    const [h, w, c] = shape;
    const rowBytes = 8 * w * Math.ceil(c / 16) * 16;
    const small = h * w * Math.ceil(c / 16) * 16 <= device.core.sramBytes / 2;
    // Depth-to-space multiplies nothing: what makes its input hands the rows over, if both have room for theirs.
    const rows =
      operation.kind === "convolution"
        ? 4 * 8 * operation.input.shape[1] * Math.ceil(operation.input.shape[2] / 16) * 16
        : 0;
    const handed = next.kind === "depth-to-space" && rows + 4 * rowBytes <= device.core.sramBytes;
    if (small || handed) kept.add(name);
  }
  return kept;
}

function estimatePass(
  device: EthosN,
  operation: PassEstimate["operation"],
  kept: ReadonlySet<string>,
  size: EncodedSize,
): PassEstimate {
  const { cycles: mce, winograd } = mceCycles(device, operation);
  const ple = pleCycles(device, operation, winograd);
  const where = (name: string): "dram" | "sram" => (kept.has(name) ? "sram" : "dram");
  const filter = "filter" in operation ? operation.filter : undefined;
  const weightBytes = filter
    ? size({ name: operation.name, layers: operation.layers, filter }) * (1 - device.weightSaving)
    : 0;
  const inputs = tensorsOf(operation).map(({ name }) => where(name));
  const pass = { operation, inputs, output: where(operation.output.name), weightBytes };
  const traffic = chooseStripes(device, pass, (t) => longest(device, timeOf(device, operation, t, mce, ple)));
  return { operation, traffic, mce, winograd, ple };
}

const percent = (part: number): string => `${Math.round(100 * part)} %`;

function explain(device: EthosN, pass: PassEstimate, time: PassTime, bound: string): string {
  const serial = time.serial / longest(device, time);
  const waits = serial > 0.1 ? `; ${percent(serial)} of the time engines wait, as the SRAM holds no stripe more` : "";
  return reasonOf(device, pass, bound, waits);
}

/** @param waits what is said of the time in which engines wait */
export function reasonOf(
  device: EthosN,
  { operation, traffic, winograd, mce }: PassEstimate,
  bound: string,
  waits: string,
): string {
  if (bound === "dram") {
    return `${Math.round((traffic.read + traffic.write) / 1e5) / 10} MB to and from DRAM take longer than to compute${waits}`;
  }
  if (bound === "ple") return "the engine behind the multipliers takes longer than they do";
  const peak = macsOf(operation) / (mce * macsPerCycle(device));
  const how = winograd
    ? "Winograd tiles"
    : operation.kind === "depthwise"
      ? "depthwise filters, one input each"
      : "direct products";
  return `the multipliers work at ${percent(peak)} of their direct peak (${how})${waits}`;
}

function boundOf({ metric }: EthosN, { serial, dram, mce, ple }: PassTime): "dram" | "mce" | "ple" {
  const counted = metric.id === "22.02" && Math.max(serial + dram, mce) > 0 ? 0 : ple;
  if (serial + dram >= Math.max(mce, counted)) return "dram";
  return mce >= counted ? "mce" : "ple";
}

/**
 * Cycles of every pass. By 25.03 DRAM and engines overlap pass by pass; by 22.02 over the whole network, without the PLE, and what overlaps
 * is shared out among the passes by what each would take alone, as the metric itself has no time for a pass.
 */
function passCycles(device: EthosN, times: readonly PassTime[]): number[] {
  if (device.metric.id === "25.03") return times.map((time) => longest(device, time));
  const sum = (of: (time: PassTime) => number): number => times.reduce((total, time) => total + of(time), 0);
  const share = ({ dram, mce, ple }: PassTime): number => Math.max(dram, mce, ple);
  const overlapped = Math.max(
    sum(({ dram }) => dram),
    sum(({ mce }) => mce),
  );
  const all = sum(share);
  return times.map((time) => time.serial + (all === 0 ? 0 : (overlapped * share(time)) / all));
}

export function ofHost(device: EthosN, operation: HostOperation): LayerReport {
  const bytes = {
    read: { ...NO_BYTES, dram: dramBytes(device, operation.input) },
    write: { ...NO_BYTES, dram: dramBytes(device, operation.output) },
  };
  const { host, metric } = device;
  return hostReport(operation, bytes, { host, clockHz: metric.clockHz, macsPerCycle: macsPerCycle(device) });
}

/** What the NPU and its host do. */
export interface Passes {
  readonly passes: readonly (PassEstimate | HostOperation)[];
  /** Names of the maps that stay in SRAM. */
  readonly kept: ReadonlySet<string>;
}

/** @throws WasmogradError ERR_UNSUPPORTED when an operation's smallest stripes do not fit */
export function passesOf(device: EthosN, program: Program, size: EncodedSize): Passes {
  const prepared = leaveToHost(program, missing);
  const kept = keptMaps(device, prepared);
  const passes = prepared.operations.map((operation) =>
    operation.kind === "host" ? operation : estimatePass(device, operation, kept, size),
  );
  return { passes, kept };
}

/** What is the same of a pass in both modes. */
export function describePass({ operation, traffic }: PassEstimate) {
  return {
    name: operation.name,
    layers: operation.layers,
    operation: operation.kind === "elementwise" ? operation.function : operation.kind,
    shape: operation.output.shape,
    macs: macsOf(operation),
    bytes: { read: { ...NO_BYTES, dram: traffic.read }, write: { ...NO_BYTES, dram: traffic.write } },
  };
}

/** @throws WasmogradError as `passesOf` */
export function estimateEthosN(device: EthosN, program: Program, size: EncodedSize): SimulationReport {
  const { clockHz } = device.metric;
  const { passes } = passesOf(device, program, size);
  const times = passes.flatMap((pass) =>
    "traffic" in pass ? [timeOf(device, pass.operation, pass.traffic, pass.mce, pass.ple)] : [],
  );
  const shares = passCycles(device, times);
  let next = 0;
  const layers = passes.map((pass): LayerReport => {
    if (!("traffic" in pass)) return ofHost(device, pass);
    const [time, cycles] = [times[next]!, shares[next]!];
    next++;
    const bound = boundOf(device, time);
    const described = describePass(pass);
    return {
      ...described,
      cyclesByResource: { dram: time.serial + time.dram, mce: time.mce, ple: time.ple },
      cycles,
      ms: (cycles / clockHz) * 1000,
      bound,
      why: explain(device, pass, time, bound),
      utilisation: described.macs / (cycles * macsPerCycle(device)),
    };
  });
  const total = totalOf(layers, { clockHz, macsPerCycle: macsPerCycle(device), sramPeakBytes: null });
  return { network: program.name, device: device.id, mode: "analytic", clockHz, total, layers };
}
