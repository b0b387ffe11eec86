/** What blocks cost on a device: the interface that the search asks, and tables of measured or computed costs, kept as JSON. */
import { check, WasmogradError } from "../errors.ts";
import { parseJson } from "../json.ts";
import { RAN_E_BLOCKS } from "../models/ran-e-blocks.ts";
import { type BlockKind, type BlockShape, isConsistent, shapeName } from "./block-shape.ts";

export const COST_UNITS: readonly CostUnit[] = ["ms", "cycles"];
/** Milliseconds, or cycles of the device. */
export type CostUnit = "ms" | "cycles";

/** Costs of one device, for one picture; the search adds them up. */
export interface BlockCosts {
  /** What was measured or modelled, as people read it. */
  readonly device: string;
  /** Of what `costOf` returns. */
  readonly unit: CostUnit;
  /** Finite and at least 0. @throws WasmogradError ERR_ARGUMENT on a block whose cost is not known */
  costOf(block: BlockShape): number;
}

/** A block, and what it costs. */
export interface BlockCost extends BlockShape {
  /** In the table's unit. */
  readonly cost: number;
}

const FORMAT = "wasmograd-block-costs";
const VERSION = 1;

/** Costs that are written down. */
export class CostTable implements BlockCosts {
  readonly device: string;
  readonly unit: CostUnit;
  /** Each shape once. */
  readonly entries: readonly BlockCost[];
  readonly #costs: ReadonlyMap<string, number>;

  /** @internal `parseCosts` makes them. */
  constructor(device: string, unit: CostUnit, entries: readonly BlockCost[]) {
    this.device = device;
    this.unit = unit;
    this.entries = entries;
    this.#costs = new Map(entries.map((entry) => [shapeName(entry), entry.cost]));
  }

  costOf(block: BlockShape): number {
    this.requireAll([block], this.device);
    return this.#costs.get(shapeName(block))!;
  }

  /** @throws WasmogradError ERR_ARGUMENT, one line that lists every shape without a cost; `name` is what it begins with */
  requireAll(shapes: readonly BlockShape[], name: string): void {
    const names = shapes.map(shapeName).filter((shape) => !this.#costs.has(shape));
    const missing = [...new Set(names)];
    check(
      missing.length === 0,
      "ERR_ARGUMENT",
      () => `${name}: expected a cost for each block, got none for ${missing.join("; ")}`,
    );
  }
}

/** The JSON text of a table: an entry a line, so that two tables can be compared by eye. */
export function serialiseCosts({ device, unit, entries }: CostTable): string {
  const lines = entries.map(
    ({ block, input, output, stride, residual, height, width, cost }) =>
      `    ${JSON.stringify({ block, input, output, stride, residual, height, width, cost })}`,
  );
  const head = { format: FORMAT, version: VERSION, device, unit };
  const fields = Object.entries(head).map(([key, value]) => `  ${JSON.stringify(key)}: ${JSON.stringify(value)},\n`);
  return `{\n${fields.join("")}  "blocks": [\n${lines.join(",\n")}\n  ]\n}\n`;
}

const kinds = (): string[] => ["stem", ...RAN_E_BLOCKS, "top"];
const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) > 0;
const isCost = (value: unknown): boolean => Number.isFinite(value) && (value as number) >= 0;
const isText = (value: unknown): boolean => typeof value === "string" && value.trim() !== "";

type Fields = Readonly<Record<string, readonly [holds: (value: unknown) => boolean, expected: () => string]>>;

const COUNT = [isCount, () => "a positive integer"] as const;
const TABLE_FIELDS: Fields = {
  format: [(value) => value === FORMAT, () => JSON.stringify(FORMAT)],
  version: [(value) => value === VERSION, () => String(VERSION)],
  device: [isText, () => "a text"],
  unit: [
    (value) => (COST_UNITS as readonly unknown[]).includes(value),
    () => COST_UNITS.map((u) => `"${u}"`).join(" or "),
  ],
  blocks: [Array.isArray, () => "an array"],
};
const BLOCK_FIELDS: Fields = {
  block: [(value) => kinds().includes(value as BlockKind), () => `one of ${kinds().join(", ")}`],
  input: COUNT,
  output: COUNT,
  stride: COUNT,
  residual: [(value) => typeof value === "boolean", () => "true or false"],
  height: COUNT,
  width: COUNT,
  cost: [isCost, () => "a finite number of at least 0"],
};

function fault(where: string, expected: string, got: unknown): WasmogradError {
  const text = JSON.stringify(got) ?? "nothing";
  return new WasmogradError("ERR_FORMAT", `${where}: expected ${expected}, got ${text.slice(0, 60)}`);
}

/** An object of exactly these fields. @throws WasmogradError ERR_FORMAT */
function checkFields(name: string, value: unknown, fields: Fields): void {
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  if (!isObject) throw fault(name, "an object", value);
  for (const [key, [holds, expected]] of Object.entries(fields)) {
    const field = Object.hasOwn(value, key) ? (value as Record<string, unknown>)[key] : undefined;
    if (!holds(field)) throw fault(`${name}: ${key}`, expected(), field);
  }
  const extra = Object.keys(value).filter((key) => !Object.hasOwn(fields, key));
  if (extra.length > 0) throw fault(name, `only ${Object.keys(fields).join(", ")}`, extra.join(", "));
}

/**
 * A table from its JSON text: `{ format, version, device, unit, blocks: [{ block, input, output, stride, residual, height, width, cost }] }`.
 * Sizes in pixels and channels, costs in `unit`. Ours.
 * @param name what messages begin with, such as the file's
 * @throws WasmogradError ERR_FORMAT, one line, on text that is no such table
 */
export function parseCosts(text: string, name = "costs"): CostTable {
  const value = parseJson(text, name);
  checkFields(name, value, TABLE_FIELDS);
  const { device, unit, blocks } = value as { device: string; unit: CostUnit; blocks: BlockCost[] };
  const seen = new Map<string, number>();
  for (const [i, block] of blocks.entries()) {
    checkFields(`${name}: blocks[${i}]`, block, BLOCK_FIELDS);
    const shape = shapeName(block);
    const expected = (what: string): string => `${name}: blocks[${i}]: expected ${what}, got ${shape}`;
    check(isConsistent(block), "ERR_FORMAT", () =>
      expected("a residual exactly in blocks of stride 1 with equal channels"),
    );
    check(!seen.has(shape), "ERR_FORMAT", () => expected(`another block than blocks[${seen.get(shape)}]`));
    seen.set(shape, i);
  }
  return new CostTable(device, unit, blocks);
}
