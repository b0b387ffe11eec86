/**
 * The Ethos-U model against the vendor's estimator on the development pair (ResNet-8 and SESR-M5 x2 at 128x128, U55-128 and U55-256).
 * Cascades, and which weights are buffered, are taken from the files; blocks too, or chosen.
 */
import { describe, expect, test } from "vitest";
import type { Layer, Network } from "../../src/network/description.ts";
import { chooseBlock } from "../../src/timing/ethos-u/block.ts";
import { chooseStaging } from "../../src/timing/ethos-u/staging.ts";
import { estimateStep, type StepEstimate } from "../../src/timing/ethos-u/step.ts";
import { simulate } from "../../src/timing/simulate.ts";
import type { EncodedSize } from "../../src/timing/weights.ts";
import { devPair, type Row } from "./dev-pair.ts";

const files = devPair();
const AREAS = ["sram", "onChipFlash", "dram", "flash"] as const;

interface Compared {
  readonly row: Row;
  readonly step: StepEstimate;
}

function estimate(rows: readonly Row[], blocks: "given" | "chosen"): Compared[] {
  let slack = 0;
  return rows.map((row) => {
    const { device, operation, place, staging, encodedBytes, stripeRows } = row;
    const block = blocks === "given" ? row.block : chooseBlock(device.core, operation, stripeRows);
    const step = estimateStep(device, { operation, block, place, encodedBytes, ...(staging && { staging }) }, slack);
    slack = step.slack;
    return { row, step };
  });
}

const error = (ours: number, published: number): number =>
  published === ours ? 0 : Math.abs(ours - published) / published;

/** Nearest rank. */
function quantile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)]!;
}

const large = ({ row }: Compared): boolean => !row.softmax && row.published.npu >= 1000;

describe.skipIf(files.length === 0)("Ethos-U against the development pair", () => {
  test("there are four files with 42 operations of at least 1,000 cycles, the softmax apart", () => {
    expect(files).toHaveLength(4);
    expect(files.flatMap((rows) => estimate(rows, "given")).filter(large)).toHaveLength(42);
  });

  test.each([
    ["given", 0.01, 0.1],
    ["chosen", 0.05, 0.2],
  ] as const)("NPU cycles with %s blocks", (blocks, median, most) => {
    const errors = files
      .flatMap((rows) => estimate(rows, blocks))
      .filter(large)
      .map(({ row, step }) => error(step.npu, row.published.npu));
    expect(quantile(errors, 0.5)).toBeLessThanOrEqual(median);
    expect(quantile(errors, 0.95)).toBeLessThanOrEqual(most);
    // Better than asked for: every one is exact.
    expect(Math.max(...errors)).toBe(0);
  });

  test("our blocks are the vendor's", () => {
    for (const { device, operation, stripeRows, block, softmax } of files.flat()) {
      if (!softmax) expect(chooseBlock(device.core, operation, stripeRows), operation.name).toEqual(block);
    }
  });

  test.each(["given", "chosen"] as const)("a network's total, the softmax not modelled, with %s blocks", (blocks) => {
    for (const rows of files) {
      const compared = estimate(rows, blocks);
      const ours = compared.reduce((sum, { row, step }) => sum + (row.softmax ? 0 : step.total), 0);
      const published = compared.reduce((sum, { row }) => sum + row.published.total, 0);
      expect(error(ours, published), rows[0]!.file).toBeLessThanOrEqual(0.015);
    }
  });

  test("bytes and busy cycles of each memory", () => {
    for (const { row, step } of files.flatMap((rows) => estimate(rows, "chosen"))) {
      if (row.softmax) continue;
      for (const area of AREAS) {
        const { name } = row.operation;
        expect(step.memory[area], `${name} ${area}`).toBeCloseTo(row.published.memory[area], 6);
        expect(step.bytes.read[area], `${name} ${area}`).toBeCloseTo(row.published.read[area], 6);
        expect(step.bytes.write[area], `${name} ${area}`).toBeCloseTo(row.published.write[area], 6);
      }
    }
  });

  test("ResNet-8's weight slices are the vendor's", () => {
    for (const rows of files.filter(([row]) => row!.file.includes("resnet8"))) {
      let slack = 0;
      for (const { device, operation, block, place, encodedBytes, staging, softmax } of rows) {
        if (softmax) continue;
        const limit = Number.POSITIVE_INFINITY;
        const chosen = chooseStaging(device, operation, block, place, encodedBytes, { slack, limit });
        expect(chosen?.slices, operation.name).toEqual(staging?.slices);
        slack = estimateStep(
          device,
          { operation, block, place, encodedBytes, ...(staging && { staging }) },
          slack,
        ).slack;
      }
    }
  });
});

/** The SESR-M5 of the files as a description. */
function sesrNetwork(): Network {
  const conv = (name: string, input: string, kernel: number, channels: number, relu: boolean): Layer => ({
    op: "conv2d",
    name,
    input,
    kernel: [kernel, kernel],
    stride: 1,
    padding: "same",
    channels,
    weights: `${name}.weight`,
    bias: `${name}.bias`,
    ...(relu && { activation: { kind: "relu" } }),
  });
  const middle = [0, 1, 2, 3, 4].map((i) => conv(`mid${i}`, i === 0 ? "first5x5" : `mid${i - 1}`, 3, 16, true));
  const layers: Layer[] = [
    { op: "input", name: "x", channels: 1 },
    conv("first5x5", "x", 5, 16, false),
    ...middle,
    { op: "add", name: "res_long", inputs: ["mid4", "first5x5"] },
    conv("last5x5", "res_long", 5, 4, false),
    { op: "add", name: "res_input", inputs: ["last5x5", "x"] },
  ];
  return { name: "sesr", layers, output: "res_input" };
}

describe.skipIf(files.length === 0)("SESR-M5 from its description alone", () => {
  const both = files.filter(([row]) => row!.file.includes("sesr")).map((rows) => ({ rows }));

  test.each(both)("blocks, cascade and buffers are the vendor's", ({ rows }) => {
    const bytes = new Map(rows.map(({ operation, encodedBytes }) => [operation.name, encodedBytes]));
    const encodedSize: EncodedSize = ({ name, filter }) => bytes.get(name)! - 10 * filter.channels;
    const report = simulate(sesrNetwork(), rows[0]!.device, { input: [128, 128], encodedSize, mode: "analytic" });
    for (const [i, { operation, published }] of rows.entries()) {
      const { name, cycles, cyclesByResource } = report.layers[i]!;
      expect(name).toBe(operation.name);
      expect([cyclesByResource.npu, cycles], name).toEqual([published.npu, published.total]);
    }
  });

  test.each(both)(
    "event mode: within 10 % outside the cascade, longer in it: its stripes are of one row",
    ({ rows }) => {
      const bytes = new Map(rows.map(({ operation, encodedBytes }) => [operation.name, encodedBytes]));
      const encodedSize: EncodedSize = ({ name, filter }) => bytes.get(name)! - 10 * filter.channels;
      const { layers, total } = simulate(sesrNetwork(), rows[0]!.device, { input: [128, 128], encodedSize });
      for (const [i, { cascade, published }] of rows.entries()) {
        const { name, cycles } = layers[i]!;
        if (cascade === 0) expect(error(cycles, published.total), name).toBeLessThanOrEqual(0.1);
        // Stripes wait for each other, and fill half of a micro-block of two rows.
        else expect(cycles, name).toBeLessThanOrEqual(1.6 * published.total);
      }
      const published = rows.reduce((sum, row) => sum + row.published.total, 0);
      expect(total.cycles).toBeGreaterThan(published);
      expect(error(total.cycles, published)).toBeLessThanOrEqual(0.35);
    },
  );
});
