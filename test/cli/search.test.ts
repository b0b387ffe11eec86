import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CostTable, parseCosts, serialiseCosts } from "../../src/ran/block-costs.ts";
import { countBlock } from "../../src/ran/block-shape.ts";
import { layOutSpace, shapesOf } from "../../src/ran/search-space.ts";
import { deviceIds } from "../../src/timing/devices/registry.ts";

const MAIN = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "wasmograd-search-"));
const COSTS = "costs.json";

beforeAll(() => {
  expect(existsSync(MAIN), "npm run build comes first").toBe(true);
  const entries = shapesOf(layOutSpace([224, 224])).map((shape) => {
    const { macs, units } = countBlock(shape);
    return { ...shape, cost: macs + 20 * units };
  });
  // Of blocks 8.1 and 8.2 the shape is the same.
  const distinct = [...new Map(entries.map((entry) => [JSON.stringify(entry), entry])).values()];
  writeFileSync(join(folder, COSTS), serialiseCosts(new CostTable("imagined", "cycles", distinct)));
});
afterAll(() => rmSync(folder, { recursive: true }));

function search(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  const options = { cwd: folder, encoding: "utf8" } as const;
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, "search", ...args], options);
  return { status, stdout, stderr };
}

describe("search", () => {
  test("the cheapest network within a budget, and the front, as JSON", () => {
    const budget = "macs=450M,params=4.5M,units=3M";
    const args = ["--costs", COSTS, "--budget", budget, "--pin", "2.0=k3 t6", "--forbid", "k3 t4", "--json"];
    const { status, stdout, stderr } = search("ran-e", ...args);
    expect([status, stderr]).toEqual([0, ""]);
    const report = JSON.parse(stdout);
    expect(report).toMatchObject({
      family: "ran-e",
      device: "imagined",
      unit: "cycles",
      input: [224, 224],
      budget: { macs: 450e6, params: 4.5e6, units: 3e6 },
      pins: { "2.0": "k3 t6" },
      forbidden: [{ block: "k3 t4" }],
      exact: true,
    });
    expect(Object.keys(report.networks)).toEqual(["start", "ran-e-gt", "ran-e-c"]);
    expect(report.networks["ran-e-gt"]).toMatchObject({ params: 4_486_680, macs: 434_395_808, units: 2_549_568 });
    expect(report.best.macs).toBeLessThanOrEqual(450e6);
    expect(report.best.params).toBeLessThanOrEqual(4.5e6);
    expect(report.best.units).toBeGreaterThanOrEqual(3e6);
    expect(report.best.rows[2]).toEqual({ channels: 64, stride: 2, blocks: ["k3 t6"] });
    expect(report.front).toContainEqual(report.best);
    expect(JSON.stringify(report.front)).not.toContain("k3 t4");
  });

  test("tables for people, the picture, and the costs again", () => {
    const { status, stdout, stderr } = search(
      "ran-e",
      "--costs",
      COSTS,
      "--svg",
      "f.svg",
      "--save-costs",
      "again.json",
    );
    expect([status, stderr]).toEqual([0, ""]);
    expect(stdout).toContain(
      "imagined\ncycles for a picture of 224x224, summed over blocks; accuracy is not predicted\n",
    );
    for (const name of ["start", "ran-e-gt", "ran-e-c", "best"]) expect(stdout).toMatch(new RegExp(`^${name} `, "m"));
    expect(stdout).toContain("best: the cheapest with no limit\n");
    expect(stdout).toMatch(/^front: \d+ networks, each with more units than any cheaper one, 16 of them shown$/m);
    const svg = readFileSync(join(folder, "f.svg"), "utf8");
    expect(svg).toMatch(/^<svg /);
    for (const part of ["<title", "<desc", "imagined", "active non-linear units", "ran-e-gt: "])
      expect(svg).toContain(part);
    expect(readFileSync(join(folder, "again.json"), "utf8")).toBe(readFileSync(join(folder, COSTS), "utf8"));
  });

  test("costs measured here, saved for another run", { timeout: 180_000 }, () => {
    const args = ["ran-e", "--device", "host", "--input", "32", "--seconds", "1"];
    const { status, stdout, stderr } = search(...args, "--save-costs", "host.json", "--json");
    expect([status, stderr]).toEqual([0, ""]);
    const report = JSON.parse(stdout);
    expect(report).toMatchObject({ unit: "ms", input: [32, 32] });
    expect(report.device).toContain(`Node ${process.version}`);
    const table = parseCosts(readFileSync(join(folder, "host.json"), "utf8"));
    expect([table.device, table.unit]).toEqual([report.device, "ms"]);
    expect(JSON.parse(search("ran-e", "--input", "32x32", "--costs", "host.json", "--json").stdout)).toEqual(report);
  });

  test("costs of a simulated device", () => {
    const args = ["ran-e", "--device", "ethos-u55-256", "--system", "deep-embedded", "--budget", "units=2M"];
    const { status, stdout, stderr } = search(...args, "--save-costs", "u55.json", "--json");
    expect([status, stderr]).toEqual([0, ""]);
    const report = JSON.parse(stdout);
    expect(report).toMatchObject({ device: "ethos-u55-256, simulated", unit: "ms", exact: true });
    expect(report.best.units).toBeGreaterThanOrEqual(2e6);
    expect(JSON.parse(search("ran-e", "--costs", "u55.json", "--budget", "units=2M", "--json").stdout)).toEqual(report);
  });

  const POSITIONS = "0.0, 1.0, 2.0, 3.0, 4.0, 4.1, 5.0, 5.1, 6.0, 6.1, 7.0, 8.0, 8.1, 8.2, 9.0, 9.1";
  const BLOCKS = "collapsed; k3 t4; k3 t6; k5 t4; k5 t6; k7 t4; k7 t6";
  test.each([
    [["ran-i"], 2, "search: expected the family ran-e, got ran-i"],
    [
      ["ran-e", "--device", "u55"],
      2,
      `--device: expected host, ${deviceIds().join(", ")}, FILE.json, or the costs of another by --costs FILE.json, got u55`,
    ],
    [["ran-e", "--memory", "x"], 2, "--memory: expected with --device of the timing model only, got host"],
    [["ran-e", "--budget", "ms=1"], 2, "--budget: expected some of macs=N, params=N, units=N, got ms"],
    [["ran-e", "--budget", "macs=1M,macs=2M"], 2, "--budget: expected macs once, got it twice"],
    [
      ["ran-e", "--budget", "macs=1e9"],
      2,
      "--budget: macs: expected a positive number such as 0.5, 14.7k or 3.3G, got 1e9",
    ],
    [["ran-e", "--budget", "macs=100M"], 2, "budget: macs: expected at least 340,226,432, got 100,000,000"],
    [["ran-e", "--pin", "collapsed"], 2, "--pin: expected POSITION=BLOCK such as 2.0=k3 t6, got collapsed"],
    [["ran-e", "--pin", "2.0=k3"], 2, `--pin: expected one of ${BLOCKS}, got k3`],
    [["ran-e", "--pin", "2.1=k3 t6"], 2, `pin: expected a position of ${POSITIONS}, got 2.1`],
    [["ran-e", "--forbid", "t6"], 2, `--forbid: expected one of ${BLOCKS}, got t6`],
    [["ran-e", "--costs", "none.json"], 1, "cannot read none.json: no such file or directory (ENOENT)"],
    [
      ["ran-e", "--svg", "none/f.svg", "--costs", COSTS],
      1,
      "cannot write none/f.svg: no such file or directory (ENOENT)",
    ],
  ])("%j: one line and an exit status", (args, status, message) => {
    expect(search(...args)).toEqual({ status, stdout: "", stderr: `wasmograd: ${message}\n` });
  });

  test("a table that lacks blocks: all of them in one line, and nothing is written", () => {
    const value = JSON.parse(readFileSync(join(folder, COSTS), "utf8"));
    const [first, , third] = value.blocks;
    value.blocks = value.blocks.filter((block: object) => block !== first && block !== third);
    writeFileSync(join(folder, "few.json"), JSON.stringify(value));
    const before = readdirSync(folder);
    expect(search("ran-e", "--costs", "few.json", "--svg", "g.svg", "--save-costs", "g.json")).toEqual({
      status: 2,
      stdout: "",
      stderr:
        "wasmograd: few.json: expected a cost for each block, got none for stem 3->16 /2 at 224x224; k3 t4 16->32 at 112x112\n",
    });
    expect(readdirSync(folder)).toEqual(before);
  });
});
