/** Systolic arrays, analytic mode: convolutions as folds, everything else through the vector unit, what neither does on the host. */
import type { Systolic } from "../devices/description.ts";
import { hostReport } from "../host.ts";
import { leaveToHost } from "../lower.ts";
import {
  type ElementwiseOperation,
  type HostOperation,
  macsOf,
  type Operation,
  type Program,
  type Tensor,
  tensorsOf,
  type WindowOperation,
} from "../operation.ts";
import { type LayerReport, NO_BYTES, type SimulationReport, totalOf } from "../report.ts";
import type { EncodedSize } from "../weights.ts";
import { mappingEfficiency } from "./mapping.ts";
import { sumOver } from "./pipeline.ts";
import { type ConvolutionFolds, convolutionFolds } from "./transfers.ts";
import { explainConvolution, explainVector } from "./why.ts";

/** Why neither array nor vector unit can run an operation, or undefined. */
function missing(array: Systolic, operation: Operation): string | undefined {
  if (operation.kind === "depth-to-space") return "the array has no depth-to-space";
  const convolution = "filter" in operation && operation.filter !== undefined;
  return convolution || array.vectorLanes > 0 ? undefined : "the array has no vector unit";
}

/** Without a vector unit only clamps can be part of a convolution. */
function splitActivations(array: Systolic, program: Program): Program {
  const operations = program.operations.flatMap((operation): Operation[] => {
    const late = operation.activation === "table" || operation.activation === "slope";
    if (array.vectorLanes > 0 || !("filter" in operation) || !operation.filter || !late) return [operation];
    const linear: Tensor = { ...operation.output, name: `${operation.name}.linear` };
    const { name, layers, output, activation, bits } = operation;
    return [
      { ...operation, name: linear.name, output: linear, activation: "none" },
      { kind: "elementwise", function: "identity", name, layers, input: linear, output, activation, bits },
    ];
  });
  return { ...program, operations };
}

const values = ({ shape: [h, w, c] }: Tensor): number => h * w * c;

function reportOf(
  array: Systolic,
  operation: WindowOperation | ElementwiseOperation,
  cyclesByResource: Readonly<Record<string, number>>,
  rest: { readonly cycles: number; readonly read: number; readonly write: number; readonly why: string },
): LayerReport {
  const macs = macsOf(operation);
  const { cycles, read, write, why } = rest;
  const most = Math.max(...Object.values(cyclesByResource));
  return {
    name: operation.name,
    layers: operation.layers,
    operation: operation.kind === "elementwise" ? operation.function : operation.kind,
    shape: operation.output.shape,
    macs,
    cyclesByResource,
    cycles,
    ms: (cycles / array.clockHz) * 1000,
    bound: Object.keys(cyclesByResource).find((resource) => cyclesByResource[resource] === most)!,
    why,
    bytes: { read: { ...NO_BYTES, dram: read }, write: { ...NO_BYTES, dram: write } },
    utilisation: macs / (cycles * array.rows * array.columns),
  };
}

/** Cycles of the ports and the array, each by itself. */
function busyOf({ sequence, foldCycles }: ConvolutionFolds): Record<"array" | Port, number> {
  return {
    array: sumOver(sequence, () => foldCycles),
    input: sumOver(sequence, ({ input }) => input.cycles),
    filter: sumOver(sequence, ({ filter }) => filter.cycles),
    output: sumOver(sequence, ({ output }) => output.cycles),
  };
}

type Port = "input" | "filter" | "output";

/** @param encoded of the weights' bytes, how many there are in memory: 1 unless they are compressed */
function convolutionReport(array: Systolic, operation: WindowOperation, encoded: number): LayerReport {
  const folds = convolutionFolds(array, operation, encoded);
  const { activation } = operation;
  const late = activation === "table" || activation === "slope";
  const vector = late ? Math.ceil(values(operation.output) / array.vectorLanes) : 0;
  const busy = { ...busyOf(folds), ...(late && { vector }) };
  const cycles = Math.max(folds.cycles, vector);
  const why = explainConvolution(array, operation, folds, {
    busy,
    cycles,
    used: mappingEfficiency(array, folds.mapping),
  });
  const { input, filter, written, readAgain } = folds.bytes;
  return reportOf(array, operation, busy, { cycles, read: input + filter + readAgain, write: written, why });
}

/** Sums, pooling, activations by themselves: a value a lane and cycle, beside reading and writing. */
function vectorReport(array: Systolic, operation: WindowOperation | ElementwiseOperation): LayerReport {
  const taps = operation.kind === "elementwise" ? 1 : operation.kernel[0] * operation.kernel[1];
  const bytes = operation.bits / 8;
  const read = tensorsOf(operation).reduce((sum, tensor) => sum + values(tensor), 0) * bytes;
  const write = values(operation.output) * bytes;
  const busy = {
    vector: Math.ceil((taps * values(operation.output)) / array.vectorLanes),
    input: Math.ceil(read / array.wordsPerCycle),
    output: Math.ceil(write / array.wordsPerCycle),
  };
  const cycles = Math.max(...Object.values(busy));
  return reportOf(array, operation, busy, { cycles, read, write, why: explainVector(array, busy, cycles) });
}

function ofHost(array: Systolic, operation: HostOperation): LayerReport {
  const write = values(operation.output) * (operation.bits / 8);
  const read = Math.max(0, operation.bytes - write);
  const bytes = { read: { ...NO_BYTES, dram: read }, write: { ...NO_BYTES, dram: write } };
  const { host, clockHz } = array;
  return hostReport(operation, bytes, { host, clockHz, macsPerCycle: array.rows * array.columns });
}

/** @throws WasmogradError ERR_UNSUPPORTED where a memory is too small, or an operation needs a host that is not there */
export function estimateSystolic(array: Systolic, program: Program, size: EncodedSize): SimulationReport {
  const prepared = leaveToHost(splitActivations(array, program), (operation) => missing(array, operation));
  const layers = prepared.operations.flatMap((operation): LayerReport[] => {
    if (operation.kind === "host") return [ofHost(array, operation)];
    // leaveToHost took these.
    if (operation.kind === "depth-to-space") return [];
    if (operation.kind === "elementwise" || !operation.filter) return [vectorReport(array, operation)];
    const { name, layers: of, filter } = operation;
    return [convolutionReport(array, operation, size({ name, layers: of, filter }) / filter.values)];
  });
  const { clockHz } = array;
  const total = totalOf(layers, { clockHz, macsPerCycle: array.rows * array.columns, sramPeakBytes: null });
  return { network: program.name, device: array.id, mode: "analytic", clockHz, total, layers };
}
