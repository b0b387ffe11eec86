import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { deviceIds } from "../../src/timing/devices/registry.ts";

const MAIN = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "wasmograd-simulate-"));

beforeAll(() => {
  expect(existsSync(MAIN), "npm run build comes first").toBe(true);
  writeFileSync(join(folder, "slow.json"), '{"system": {"clockHz": 2.5e8}}');
  writeFileSync(join(folder, "wrong.json"), '{"system": {"clock": 1}}');
  writeFileSync(join(folder, "board.json"), '{"extends": "systolic", "rows": 16, "wordsPerCycle": 4}');
  writeFileSync(join(folder, "bad-board.json"), '{"extends": "systolic", "rows": 0}');
  writeFileSync(
    join(folder, "bad-network.json"),
    '{"name": "n", "layers": [{"op": "conv3d", "name": "x"}], "output": "x"}',
  );
  writeFileSync(join(folder, "no-network.json"), "[");
  const layers = [
    { op: "input", name: "x", channels: 8 },
    { op: "depth-to-space", name: "y", input: "x", block: 2 },
  ];
  writeFileSync(join(folder, "own.json"), JSON.stringify({ name: "own", layers, output: "y" }));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function cli(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [MAIN, ...args], { encoding: "utf8", cwd: folder });
}

/** The JSON document that a command prints. */
// biome-ignore lint/suspicious/noExplicitAny: documents looked into by the assertions
function json(...args: string[]): any {
  const { status, stdout, stderr } = cli(...args, "--json");
  expect(stderr).toBe("");
  expect(status).toBe(0);
  return JSON.parse(stdout);
}

describe("devices", () => {
  test("lists every device with its choices", () => {
    const { devices } = json("devices");
    expect(devices.map(({ id }: { id: string }) => id)).toEqual(deviceIds());
    expect(devices[0]).toEqual({
      id: "ethos-u55-32",
      macsPerCycle: 32,
      clockHz: 5e8,
      systems: ["high-end-embedded", "deep-embedded"],
      memories: ["shared-sram", "sram-only"],
      metrics: [],
    });
    expect(cli("devices").stdout.split("\n")).toHaveLength(deviceIds().length + 2);
  });
});

describe("simulate", () => {
  test("one document with totals and layers", () => {
    const report = json("simulate", "resnet18", "--device", "ethos-u65-512", "--memory", "dedicated-sram-512kb");
    expect(report).toMatchObject({
      network: "resnet18",
      device: "ethos-u65-512",
      system: "client-server",
      memory: "dedicated-sram-512kb",
      mode: "event",
      input: [224, 224],
      clockHz: 1e9,
    });
    const { total, layers } = report;
    expect(Object.keys(total)).toEqual(
      expect.arrayContaining([
        "cycles",
        "ms",
        "fps",
        "macs",
        "utilisation",
        "dramBytes",
        "sramBytes",
        "flashBytes",
        "sramPeakBytes",
      ]),
    );
    expect(total.sramPeakBytes).toBeLessThanOrEqual(512 * 1024);
    expect(layers[0]).toMatchObject({ bound: expect.any(String), why: expect.any(String) });
    expect(layers[0].cyclesByResource[layers[0].bound]).toBeGreaterThan(0);
    const sum = layers.reduce((cycles: number, layer: { cycles: number }) => cycles + layer.cycles, 0);
    expect(total.cycles).toBeCloseTo(sum, 3);
  });

  test("a table with a reason a line, and the size asked for", () => {
    const args = ["simulate", "sesr-m5", "--device", "ethos-n78-4tops-4ple", "--input", "300x400"];
    const { stdout } = cli(...args);
    expect(stdout).toMatch(/^sesr-m5-x2 on 300x400, ethos-n78-4tops-4ple at 1,250 MHz, event simulation\n/);
    expect(stdout).toMatch(/\nfirst +convolution +300x400x16 .* % +(dram|mce) +\S.*\n/);
    expect(stdout).toMatch(/ % of the peak; \w+ binds \d+ of \d+ operations, which take \d+ % of the time\n/);
    expect(cli(...args, "--mode", "analytic").stdout).toMatch(/MHz, analytic estimate\n/);
    expect(stdout).toMatch(/\nSRAM .* moved\n$/);
  });

  test("a device of one's own, activations as clamps, int16", () => {
    const run = (...args: string[]) =>
      json("simulate", "efficientnet-lite0-hswish", "--device", "ethos-u55-256", ...args);
    const { total } = run();
    expect(run("--config", "slow.json").clockHz).toBe(2.5e8);
    expect(run("--activations", "clamped").total.ms).toBeLessThan(0.8 * total.ms);
    expect(run("--bits", "16").total.ms).toBeGreaterThan(total.ms);
  });

  test("what the NPU lacks takes the host's time and says why", () => {
    const { layers } = json("simulate", "own.json", "--device", "ethos-u55-256", "--input", "16x16");
    expect(layers).toHaveLength(1);
    expect(layers[0]).toMatchObject({ bound: "host", why: expect.stringMatching(/no depth-to-space/) });
    expect(layers[0].ms).toBeGreaterThan(0);
  });

  test("a trace and pictures of the same simulation, and nothing but them beside", () => {
    const files = ["--trace", "t.json", "--gantt", "g.svg", "--roofline", "r.svg"];
    const { total, layers } = json("simulate", "resnet20-cifar", "--device", "ethos-u55-128", ...files);
    const { traceEvents } = JSON.parse(readFileSync(join(folder, "t.json"), "utf8"));
    const named = traceEvents.filter(({ cat }: { cat?: string }) => cat === "layer");
    expect(named.map(({ name }: { name: string }) => name)).toEqual(layers.map(({ name }: { name: string }) => name));
    const time = named.reduce((sum: number, { dur }: { dur: number }) => sum + dur, 0);
    expect(time / 1000 / total.ms).toBeCloseTo(1, 6);
    for (const file of ["g.svg", "r.svg"]) {
      const svg = readFileSync(join(folder, file), "utf8");
      expect(svg).toMatch(/^<svg [^>]*role="img"[\s\S]*<\/svg>\n$/);
      expect(svg).toMatch(/resnet20-cifar/);
      expect(svg).not.toMatch(/NaN|undefined|Infinity/);
    }
    expect(readdirSync(folder).filter((name) => name.endsWith(".tmp"))).toEqual([]);
  });

  test("a device from a file, and what would change its time", () => {
    const report = json("simulate", "resnet20-cifar", "--device", "board.json");
    expect(report).toMatchObject({ device: "systolic", input: [32, 32] });
    const { baseline, rows } = json("simulate", "resnet20-cifar", "--device", "board.json", "--what-if");
    expect(baseline.ms).toBe(report.total.ms);
    expect(rows.map(({ id }: { id: string }) => id)).toEqual(expect.arrayContaining(["bandwidth-x2", "rows-x2"]));
    const { stdout } = cli("simulate", "sesr-m5", "--device", "board.json", "--input", "90x160", "--what-if");
    expect(stdout).toMatch(/^sesr-m5-x2 on 90x160, systolic: one thing changed at a time\n/);
    expect(stdout).toMatch(/\n[\d.]+ +[+-][\d.]+ +[+-][\d.]+ % +[\d.]+ MB {2}tiles of 128x128\n$/);
  });

  test("tiles of a width and a height, with what their margins cost", () => {
    const args = ["sesr-m5", "--device", "ethos-n78-4tops-4ple", "--input", "120x160", "--tile", "80x60"];
    const { tiles, total } = json("simulate", ...args);
    expect(tiles).toMatchObject({ height: 60, width: 80, count: 4, halo: { top: 9, scale: 2 } });
    expect(tiles.sizes).toEqual([{ height: 69, width: 89, count: 4, ms: expect.any(Number) }]);
    expect(total.macs / tiles.untiled.macs).toBeCloseTo(tiles.overUntiled.macs, 12);
    expect(cli("simulate", ...args).stdout).toContain("\n4 tiles of 80 wide, 60 high, margins of 9 pixels;");
  });

  test("weights that compress as the checkpoint's values would", () => {
    const file = fileURLToPath(new URL("../../weights/sesr-m5-x2.safetensors", import.meta.url));
    const args = ["sesr-m5", "--device", "ethos-u55-128", "--input", "128x128"];
    const { total } = json("simulate", ...args);
    expect(json("simulate", ...args, "--weights", file).total.flashBytes).toBeLessThan(total.flashBytes);
    expect(cli("simulate", "sesr-m7", "--device", "systolic", "--weights", file).stderr).toMatch(
      /^wasmograd: weights of "sesr-m7-x2": .*\n$/,
    );
  });

  const cases: [string, string[], number, RegExp][] = [
    [
      "a device file",
      ["sesr-m5", "--device", "bad-board.json"],
      2,
      /bad-board\.json: rows: expected a number above 0, got 0/,
    ],
    [
      "an option beside a file",
      ["sesr-m5", "--device", "board.json", "--system", "x"],
      2,
      /--system: expected with the id/,
    ],
    ["a tile", ["sesr-m5", "--device", "systolic", "--tile", "64"], 2, /--tile: expected WIDTHxHEIGHT in input pixels/],
    ["tiles of strides", ["resnet18", "--device", "systolic", "--tile", "64x64"], 1, /to run in tiles, got/],
    ["a network", ["bad-network.json", "--device", "systolic"], 1, /layer "x": .*conv3d/],
    ["no JSON", ["no-network.json", "--device", "systolic"], 1, /no-network\.json: expected JSON/],
    ["no device", ["sesr-m5"], 2, /--device: expected one of ethos-u55-32, .*, got none/],
    ["an unknown device", ["sesr-m5", "--device", "u55"], 2, /device: expected one of ethos-u55-32, .*, got u55/],
    ["an unknown model", ["vgg", "--device", "ethos-u55-32"], 2, /model: expected one of/],
    [
      "an unknown mode",
      ["sesr-m5", "--device", "ethos-u55-32", "--mode", "fast"],
      2,
      /--mode: expected event or analytic, got/,
    ],
    [
      "a wrong field",
      ["sesr-m5", "--device", "ethos-u55-32", "--config", "wrong.json"],
      2,
      /wrong\.json: system: expected/,
    ],
    ["no file", ["sesr-m5", "--device", "ethos-u55-32", "--config", "none.json"], 1, /none\.json: cannot be read/],
    [
      "nowhere to write",
      ["sesr-m5", "--device", "ethos-u55-32", "--trace", "none/t.json"],
      1,
      /cannot write none\/t\.json/,
    ],
    ["a size", ["sesr-m5", "--device", "ethos-u55-32", "--input", "12"], 2, /--input: expected HEIGHTxWIDTH/],
  ];
  test.each(cases)("bad input: %s", (_, args, status, message) => {
    const result = cli("simulate", ...args);
    expect(result.stderr).toMatch(message);
    expect(result.stderr).toMatch(/^wasmograd: [^\n]+\n$/);
    expect([result.stdout, result.status]).toEqual(["", status]);
  });
});
