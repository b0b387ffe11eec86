import { spawnSync } from "node:child_process";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";

const MAIN = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));
const CALIBRATION = fileURLToPath(new URL("../../bench/results/calibration-node20.json", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "wasmograd-cpu-"));

beforeAll(() => {
  copyFileSync(CALIBRATION, join(folder, "here.json"));
  const file = JSON.parse(readFileSync(CALIBRATION, "utf8"));
  file.device.peak.int8 = -1;
  writeFileSync(join(folder, "wrong.json"), JSON.stringify(file));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function cli(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [MAIN, ...args], { encoding: "utf8", cwd: folder });
}

test("a CPU by id and by its calibration's file: time, what binds it, where the figures come from", () => {
  const { status, stdout } = cli("simulate", "resnet20-cifar", "--device", "host");
  expect(status).toBe(0);
  expect(stdout).toMatch(/qs8_conv2d_f4x4_3x3/);
  expect(stdout).toMatch(/figures: measured on .+, node v/);
  const report = (...args: string[]) =>
    JSON.parse(cli("simulate", "resnet20-cifar", "--json", "--device", ...args).stdout);
  const host = report("host");
  expect(report("here.json")).toEqual(host);
  expect(host.source).toMatch(/^measured on/);
  expect(report("neoverse-n1").source).toMatch(/^projected/);
  expect(report("host", "--precision", "f32").total.ms).toBeGreaterThan(host.total.ms);
});

test("Arm cores are listed with what they can be compiled for", () => {
  const { stdout } = cli("devices");
  expect(stdout).toMatch(/^neoverse-n1 +4 +2,500 MHz +webassembly native$/m);
  expect(stdout).toMatch(/^host /m);
});

test.each([
  [
    ["simulate", "resnet20-cifar", "--device", "wrong.json"],
    2,
    /device\.peak\.int8: expected a number above 0, got -1/,
  ],
  [["simulate", "resnet20-cifar", "--device", "none.json"], 1, /none\.json/],
  [["simulate", "resnet20-cifar", "--device", "host", "--bits", "16"], 2, /expected none for a CPU/],
  [["bench", "--calibrate", "x.json", "--suite", "int8"], 2, /--suite: expected none together with --calibrate/],
  [["bench", "--calibrate", "nowhere/x.json"], 1, /nowhere/],
])("bad input %j", (args, expected, message) => {
  const { status, stderr } = cli(...args);
  expect(stderr).toMatch(message);
  expect(stderr.trim()).not.toContain("\n");
  expect(status).toBe(expected);
});
