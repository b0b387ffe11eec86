import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, it, test } from "vitest";
import { checkNetworks, type NetworkCheck } from "../../scripts/timing-tables/cpu-networks.ts";
import { hostModule, storedCalibration, storedNetworks } from "../../scripts/timing-tables/host.ts";
import { type Calibration, parseCalibrationRun, serialiseCalibration } from "../../src/bench/calibrate.ts";
import { buildModel } from "../../src/models/registry.ts";
import { lowerForCpu } from "../../src/timing/cpu/lower.ts";
import { parseCpu } from "../../src/timing/devices/cpu-file.ts";
import { device } from "../../src/timing/devices/registry.ts";

describe("the calibrated machine", () => {
  let calibration: Calibration;
  let networks: NetworkCheck[];
  beforeAll(() => {
    calibration = storedCalibration();
    networks = checkNetworks(calibration.device, storedNetworks());
  });

  it("predicts shapes that were held out: median within 10 %, 95th percentile within 25 %", () => {
    expect(calibration.heldOut.count).toBeGreaterThan(400);
    expect(calibration.heldOut.median).toBeLessThanOrEqual(0.1);
    expect(calibration.heldOut.p95).toBeLessThanOrEqual(0.25);
    expect(calibration.fitted.median).toBeLessThanOrEqual(calibration.heldOut.median);
  });

  test.each([
    ["sesr-m5", "int8"],
    ["sesr-m5", "f32"],
    ["ran-e-gt", "int8"],
    ["ran-e-gt", "f32"],
    ["convnext-t", "f32"],
  ])("predicts %s in %s within 15 %%", (id, precision) => {
    const { measured, predicted } = networks.find((one) => one.id === id && one.precision === precision)!;
    expect(Math.abs(predicted / measured - 1)).toBeLessThanOrEqual(0.15);
  });

  it("expects the algorithms and the strips that the engine had when networks were timed, on the same machine", () => {
    const times = storedNetworks();
    expect(times.machine.split(",")[0]).toBe(calibration.run.machine.split(",")[0]);
    for (const { id, precision, input, strips, algorithms } of times.networks) {
      const { convolutions, schedule } = lowerForCpu(buildModel(id), input, { precision });
      expect(
        [...convolutions.values()].map(({ algorithm }) => algorithm),
        `${id} ${precision}`,
      ).toEqual(algorithms);
      expect(schedule.strips.strips.length, `${id} ${precision}`).toBe(strips);
    }
  });

  it("is what device host is", () => {
    expect(device("host")).toEqual(calibration.device);
    expect(hostModule(calibration)).toBe(readFileSync("src/timing/devices/host-costs.ts", "utf8"));
  });

  it("is written so that it is read again, measurements and all", () => {
    const text = serialiseCalibration(calibration);
    expect(parseCpu(text)).toEqual(calibration.device);
    expect(parseCalibrationRun(text)).toEqual(calibration.run);
  });

  test.each([
    ["{", /^own\.json: expected JSON: /],
    ["{}", /^own\.json: expected measurements, got none$/],
    ['{"measured": {"milliseconds": {}}}', /^own\.json: expected a time of int8 .*, got none; calibrate again$/],
  ])("refuses measurements of %s", (text, message) => {
    expect(() => parseCalibrationRun(text, "own.json")).toThrow(message);
  });
});
