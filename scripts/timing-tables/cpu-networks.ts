/** The networks that the CPU model is checked with, and how the check is read. */
import { buildModel } from "../../src/models/registry.ts";
import type { Cpu } from "../../src/timing/devices/description.ts";
import { simulate } from "../../src/timing/simulate.ts";

export interface CpuNetwork {
  readonly id: string;
  readonly precision: "f32" | "int8";
  readonly input: readonly [height: number, width: number];
}

const both = (id: string, input: CpuNetwork["input"]): CpuNetwork[] => [
  { id, precision: "int8", input },
  { id, precision: "f32", input },
];
const PICTURE = [224, 224] as const;

/** Upscalers x2. */
export const CPU_NETWORKS: readonly CpuNetwork[] = [
  ...both("sesr-m5", [360, 640]),
  ...both("ran-e-gt", PICTURE),
  ...both("convnext-t", PICTURE),
  ...both("ran-i-t", PICTURE),
  ...both("efficientnet-lite0", PICTURE),
  ...both("mobilenet-v2", PICTURE),
  ...both("resnet18", PICTURE),
  ...both("resnet20-cifar", [32, 32]),
  ...both("fsrcnn", [360, 640]),
  ...both("deit-ti", PICTURE),
  ...both("xcit-t12", PICTURE),
];

/** What scripts/time-networks.ts writes. */
export interface NetworkTimes {
  readonly machine: string;
  readonly macsPerSecond: { readonly int8: number; readonly f32: number };
  readonly networks: readonly (CpuNetwork & {
    readonly ms: number;
    readonly strips: number;
    /** Of the convolutions, in order. */
    readonly algorithms: readonly string[];
  })[];
}

export interface NetworkCheck extends CpuNetwork {
  /** Milliseconds, brought to the clock of the calibration by what the probe took in either. */
  readonly measured: number;
  readonly predicted: number;
}

/** @param device as it was calibrated on the same machine */
export function checkNetworks(device: Cpu, times: NetworkTimes): NetworkCheck[] {
  const speed = times.macsPerSecond.int8 / (device.peak.int8 * device.clockHz);
  return times.networks.map(({ id, precision, input, ms }) => {
    const predicted = simulate(buildModel(id), device, { input, precision }).total.ms;
    return { id, precision, input, measured: ms * speed, predicted };
  });
}
