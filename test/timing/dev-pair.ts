/** The development pair of the timing model: per-operation CSV of the vendor's estimator, where the folder is there. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Shape } from "../../src/network/description.ts";
import type { EthosU, MemoryArea } from "../../src/timing/devices/description.ts";
import { device } from "../../src/timing/devices/registry.ts";
import type { Block, NpuOperation } from "../../src/timing/ethos-u/block.ts";
import { cyclesOfDepth, type Staging } from "../../src/timing/ethos-u/staging.ts";
import type { Placement } from "../../src/timing/ethos-u/transfers.ts";
import type { ElementwiseOperation, Tensor } from "../../src/timing/operation.ts";
import { dataFolder } from "../_helpers/data.ts";

const FOLDER = join(dataFolder, "timing-dev");

const AREAS: Readonly<Record<string, MemoryArea>> = {
  Sram: "sram",
  OnChipFlash: "onChipFlash",
  Dram: "dram",
  OffChipFlash: "flash",
};

export interface Row {
  readonly file: string;
  readonly device: EthosU;
  readonly operation: NpuOperation;
  readonly block: Block;
  readonly place: Placement;
  readonly cascade: number;
  readonly stripeRows: number;
  readonly staging: Staging | undefined;
  readonly encodedBytes: number;
  /** Lowered softmax: integer arithmetic on a handful of 32-bit values. */
  readonly softmax: boolean;
  readonly published: {
    readonly npu: number;
    readonly total: number;
    readonly memory: Readonly<Record<MemoryArea, number>>;
    readonly read: Readonly<Record<MemoryArea, number>>;
    readonly write: Readonly<Record<MemoryArea, number>>;
  };
}

const KINDS = {
  ConvolutionMxN: "convolution",
  ConvolutionDepthWise: "depthwise",
  VectorProduct: "fully-connected",
} as const;
const FUNCTIONS: Readonly<Record<string, ElementwiseOperation["function"]>> = { Add: "add", Mul: "mul" };

/** "1x8x8x64" without its batch. */
const shapeOf = (text: string): Shape => text.split("x").slice(1).map(Number) as unknown as Shape;

type Fields = Readonly<Record<string, string>>;

function operationOf(row: Fields): NpuOperation {
  const tensor = (name: string, shape: string, format: string | undefined): Tensor => ({
    name,
    shape: shapeOf(shape),
    layout: format === "NHCWB16" ? "bricks" : "linear",
  });
  const base = {
    name: row.name!,
    layers: [row.name!],
    input: tensor("input", row.ifm!, row.ifm_format),
    output: tensor(row.name!, row.ofm!, row.ofm_format),
    activation: row.act === "LUT" ? "table" : row.act === "" ? "none" : "clamp",
    bits: 8,
  } as const;
  if (row.block_type === "ElementWise") {
    // The file does not say how the second input lies; maps of one channel are the network's own input.
    const second = row.ifm2 && tensor("second", row.ifm2, shapeOf(row.ifm2)[2] === 1 ? "NHWC" : "NHCWB16");
    return { ...base, kind: "elementwise", function: FUNCTIONS[row.op!] ?? "add", ...(second && { second }) };
  }
  const kind = KINDS[row.block_type as keyof typeof KINDS] ?? (row.op === "MaxPool" ? "max-pool" : "average-pool");
  const values = Number(row.weights_elems);
  return {
    ...base,
    kind,
    kernel: [Number(row.kh), Number(row.kw)],
    stride: [Number(row.sy), Number(row.sx)],
    spread: 1,
    ...(values > 0 && { filter: { values, channels: base.output.shape[2] } }),
  };
}

function stagingOf(row: Fields, device: EthosU, operation: NpuOperation, block: Block, place: Placement) {
  if (row.weight_buffers === "") return undefined;
  const buffers = row.weight_buffers!.split(";").map((text) => Number(text.split(":")[0]));
  const slices = row.depth_slices!.split(";").map(Number);
  const double = buffers.length === 2;
  const depth = slices.at(-1)! - slices.at(-2)!;
  const staging: Staging = {
    buffers: double ? "double" : "single",
    slices,
    firstBytes: buffers[0]!,
    bytes: Number(row.weights_encoded_bytes),
    wholeBytes: Number(row.full_weight_transfer_cycles) - device.system.second.readLatency,
    bufferBytes: buffers.reduce((a, b) => a + b),
    tailCycles: cyclesOfDepth(device, operation, block, place, depth),
  };
  return staging;
}

function rowsOf(file: string): Row[] {
  const [header, ...lines] = readFileSync(join(FOLDER, file), "utf8").trim().split(/\r?\n/);
  const names = header!.split(",");
  const target = device(`ethos-${file.split(".")[0]!}`) as EthosU;
  return lines.map((line): Row => {
    const row: Fields = Object.fromEntries(line.split(",").map((value, i) => [names[i]!, value]));
    const operation = operationOf(row);
    const block = {
      output: shapeOf(row.ofm_block!),
      input: shapeOf(row.ifm_block!),
      partKernel: row.partkernel === "1",
    };
    const place: Placement = {
      input: AREAS[row.ifm_area!]!,
      second: AREAS[row.ifm_area!]!,
      output: AREAS[row.ofm_area!]!,
      weights: "flash",
    };
    const bytes = (direction: string): Record<MemoryArea, number> => {
      const total: Record<MemoryArea, number> = { sram: 0, onChipFlash: 0, dram: 0, flash: 0 };
      for (const [name, area] of Object.entries(AREAS)) {
        for (const what of ["fm", "w", "other"]) total[area] += Number(row[`bytes_${name}_${what}_${direction}`]);
      }
      return total;
    };
    return {
      file,
      device: target,
      operation,
      block,
      place,
      cascade: Number(row.cascade),
      stripeRows: shapeOf(row.stripe!)[0],
      staging: stagingOf(row, target, operation, block, place),
      encodedBytes: Number(row.weights_encoded_bytes),
      softmax: row.name!.startsWith("Identity_int8_"),
      published: {
        npu: Number(row.cyc_npu),
        total: Number(row.cyc_total),
        memory: {
          sram: Number(row.cyc_sram),
          onChipFlash: Number(row.cyc_onflash),
          dram: Number(row.cyc_dram),
          flash: Number(row.cyc_offflash),
        },
        read: bytes("Read"),
        write: bytes("Write"),
      },
    };
  });
}

/** All rows, file by file, or nothing where the folder is absent. */
export function devPair(): Row[][] {
  if (!existsSync(FOLDER)) return [];
  return readdirSync(FOLDER)
    .filter((name) => name.endsWith(".csv"))
    .sort()
    .map(rowsOf);
}
