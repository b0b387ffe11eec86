/** Systolic arrays: a few of round figures, none of them a product's; others are made of them by `withOverrides` or a device file. */
import type { Dataflow, HostCpu, Systolic } from "./description.ts";

const KIB = 1024;

/** A little core: half of the peak of its dot products, half of a load and a store of 16 bytes a cycle. */
const LITTLE_CORE: HostCpu = {
  name: "little core",
  clockHz: 1.8e9,
  int8MacsPerCycle: 8,
  bytesPerCycle: 8,
  callCycles: 5000,
};

function square(
  id: string,
  side: number,
  dataflow: Dataflow,
  [input, filter, output]: readonly [input: number, filter: number, output: number],
  wordsPerCycle: number,
  megahertz: number,
): Systolic {
  return {
    kind: "systolic",
    id,
    rows: side,
    columns: side,
    dataflow,
    sram: { inputBytes: input * KIB, filterBytes: filter * KIB, outputBytes: output * KIB },
    wordsPerCycle,
    vectorLanes: side,
    clockHz: megahertz * 1e6,
    host: LITTLE_CORE,
  };
}

/** The first is SCALE-Sim's default in size, memories and bandwidth. A function, so that pages that do not ask do not load them. */
export const systolicArrays = (): readonly Systolic[] => [
  square("systolic", 32, "os", [64, 64, 64], 10, 1000),
  square("systolic-16x16-ws", 16, "ws", [64, 64, 64], 8, 500),
  square("systolic-64x64-is", 64, "is", [256, 256, 256], 16, 1000),
  square("systolic-128x128-ws", 128, "ws", [4096, 2048, 2048], 64, 1000),
  square("systolic-256x256-ws", 256, "ws", [6144, 6144, 2048], 64, 700),
];
