/** The calibration of this machine: what is measured, what is fitted to it, how well that predicts, as one file. */
import { check } from "../errors.ts";
import { parseJson } from "../json.ts";
import type { FitErrors } from "../timing/cpu/fit.ts";
import { CPU_FORMAT, CPU_VERSION } from "../timing/devices/cpu-file.ts";
import type { Cpu } from "../timing/devices/description.ts";
import { type Caches, caseRun, copyBandwidths, type TimingSettings, timeRuns } from "./calibration.ts";
import {
  type CalibrationRun,
  calibrationErrors,
  fitCalibration,
  predictCases,
  type TimedCase,
} from "./fit-calibration.ts";
import { calibrationCases, caseLabel, type KernelCase } from "./kernel-cases.ts";

/** What only the surroundings of a run know. */
export interface Machine {
  /** Processor, runtime and day, as people read it. */
  readonly machine: string;
  /** Nominal. */
  readonly clockHz: number;
  readonly caches: Caches;
}

export interface Calibration {
  readonly run: CalibrationRun;
  readonly device: Cpu;
  readonly fitted: FitErrors;
  readonly heldOut: FitErrors;
}

/** What a run's measurements say. */
export function calibrationOf(run: CalibrationRun): Calibration {
  const device = fitCalibration(run);
  return {
    run,
    device,
    fitted: calibrationErrors(predictCases(device, run.fitted)).all,
    heldOut: calibrationErrors(predictCases(device, run.heldOut)).all,
  };
}

/** Times all cases, about three minutes on one thread, and fits a CPU to those that are not held out. @throws WasmogradError as `timeRuns` */
export async function calibrate(machine: Machine, settings: TimingSettings = {}): Promise<Calibration> {
  const { fitted, heldOut } = calibrationCases();
  const bytesPerSecond = copyBandwidths(machine.caches);
  const { timed, macsPerSecond } = await timeRuns([...fitted, ...heldOut].map(caseRun), settings);
  const withTimes = (cases: readonly KernelCase[], first: number): TimedCase[] =>
    cases.map((c, i) => ({ case: c, ms: timed[first + i]!.ms }));
  return calibrationOf({
    ...machine,
    bytesPerSecond,
    macsPerSecond,
    fitted: withTimes(fitted, 0),
    heldOut: withTimes(heldOut, fitted.length),
  });
}

/** The file that `parseCpu` reads: the device, and beside it all that it was made from. */
export function serialiseCalibration({ run, device, fitted, heldOut }: Calibration): string {
  const { kind: _, ...fields } = device;
  const { machine, clockHz, caches, bytesPerSecond, macsPerSecond } = run;
  const times = [...run.fitted, ...run.heldOut].map(
    ({ case: c, ms }) => `      ${JSON.stringify(caseLabel(c))}: ${ms}`,
  );
  const line = (name: string, value: unknown, indent = "  "): string =>
    `${indent}"${name}": ${JSON.stringify(value)},\n`;
  return (
    `{\n${line("format", CPU_FORMAT)}${line("version", CPU_VERSION)}` +
    line("errors", { fitted, heldOut }) +
    `  "device": ${JSON.stringify(fields, undefined, 2).replaceAll("\n", "\n  ")},\n` +
    `  "measured": {\n` +
    line("machine", machine, "    ") +
    line("clockHz", clockHz, "    ") +
    line("caches", caches, "    ") +
    line("bytesPerSecond", bytesPerSecond, "    ") +
    line("macsPerSecond", macsPerSecond, "    ") +
    `    "milliseconds": {\n${times.join(",\n")}\n    }\n  }\n}\n`
  );
}

/** Times by the labels of their cases. */
type Measured = Omit<CalibrationRun, "fitted" | "heldOut"> & {
  readonly milliseconds: Readonly<Record<string, number>>;
};

/**
 * The measurements of such a file.
 * @throws WasmogradError ERR_FORMAT when it has none, or not those of today's cases
 */
export function parseCalibrationRun(text: string, name = "calibration"): CalibrationRun {
  const file = parseJson(text, name) as { measured?: Measured } | null;
  const measured = file?.measured;
  check(measured?.milliseconds !== undefined, "ERR_FORMAT", () => `${name}: expected measurements, got none`);
  const { milliseconds, ...rest } = measured;
  const timesOf = (cases: readonly KernelCase[]): TimedCase[] =>
    cases.map((c) => {
      const ms = milliseconds[caseLabel(c)];
      check(
        ms !== undefined,
        "ERR_FORMAT",
        () => `${name}: expected a time of ${caseLabel(c)}, got none; calibrate again`,
      );
      return { case: c, ms };
    });
  const { fitted, heldOut } = calibrationCases();
  return { ...rest, fitted: timesOf(fitted), heldOut: timesOf(heldOut) };
}
