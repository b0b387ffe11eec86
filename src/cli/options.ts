/** Command-line options: what a command takes, and one-line errors for what it does not. */
import { parseArgs } from "node:util";
import { WasmogradError } from "../errors.ts";
import type { Size } from "../image/types.ts";
import { type AlgorithmOption, checkAlgorithm } from "../kernels/convolution/choice.ts";
import { MOST_SCALE } from "../upscale/target-size.ts";
import { FEWEST_BITS, type FilterScaling, GRANULARITIES, MOST_BITS } from "../winograd/filter-scaling.ts";

/** A wrong command line: exit status 2. */
export class UsageError extends Error {}

/** Everything that cannot be blamed on what the user typed: exit status 1. */
const MISUSE: ReadonlySet<string> = new Set(["ERR_ARGUMENT"]);

export function exitStatus(error: unknown): 1 | 2 {
  if (error instanceof UsageError) return 2;
  return error instanceof WasmogradError && MISUSE.has(error.code) ? 2 : 1;
}

interface OptionSpec {
  readonly type: "string" | "boolean";
  /** Shown as `--name VALUE`. */
  readonly value?: string;
  readonly help: string;
}

export type OptionSpecs = Readonly<Record<string, OptionSpec>>;

export interface CommandSpec {
  readonly name: string;
  readonly positionals: readonly string[];
  readonly summary: string;
  readonly options: OptionSpecs;
}

export interface Parsed {
  readonly positionals: readonly string[];
  readonly text: (name: string) => string | undefined;
  readonly flag: (name: string) => boolean;
}

/** Options that every command has. */
const COMMON: OptionSpecs = {
  json: { type: "boolean", help: "print one JSON document" },
  help: { type: "boolean", help: "show this help" },
};

/** @throws UsageError on unknown options, missing values, and missing or surplus arguments */
export function parseCommand(spec: CommandSpec, args: readonly string[]): Parsed {
  const options = Object.fromEntries(
    Object.entries({ ...spec.options, ...COMMON }).map(([name, { type }]) => [name, { type }]),
  );
  let parsed: { values: Record<string, string | boolean | undefined>; positionals: string[] };
  try {
    parsed = parseArgs({ args: [...args], options, allowPositionals: true }) as typeof parsed;
  } catch (error) {
    // Node's message has a second sentence on "--" that does not help here.
    const [first] = (error as Error).message.split(/\.\s|\n/);
    throw new UsageError(`${spec.name}: ${first}; see wasmograd ${spec.name} --help`);
  }
  const { values, positionals } = parsed;
  const wanted = spec.positionals.length;
  if (!values.help && positionals.length !== wanted) {
    const expected = wanted === 0 ? "no argument" : spec.positionals.join(" ");
    const given = positionals.length === 0 ? "none" : positionals.join(" ");
    throw new UsageError(`${spec.name}: expected ${expected}, got ${given}; see wasmograd ${spec.name} --help`);
  }
  return {
    positionals,
    text: (name) => values[name] as string | undefined,
    flag: (name) => values[name] === true,
  };
}

export function commandHelp(spec: CommandSpec): string {
  const options = Object.entries({ ...spec.options, ...COMMON });
  const left = options.map(([name, { value }]) => `  --${name}${value ? ` ${value}` : ""}`);
  const width = Math.max(...left.map((text) => text.length)) + 2;
  const lines = options.map(([, { help }], i) => left[i]!.padEnd(width) + help);
  const usage = ["wasmograd", spec.name, ...spec.positionals, "[options]"].join(" ");
  return `Usage: ${usage}\n\n${spec.summary}\n\nOptions:\n${lines.join("\n")}\n`;
}

/** A whole number within [least, most]. @throws UsageError */
export function integerOption(parsed: Parsed, name: string, least: number, most: number): number | undefined {
  const text = parsed.text(name);
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < least || value > most) {
    const range = most === Number.POSITIVE_INFINITY ? `from ${least}` : `from ${least} to ${most}`;
    throw new UsageError(`--${name}: expected an integer ${range}, got ${text}`);
  }
  return value;
}

const POWER = { "": 0, k: 3, M: 6, G: 9 } as const;

/** A positive number, which may end in k, M or G. @throws UsageError; `name` is what the message begins with */
export function positiveNumber(text: string, name: string): number {
  const [, digits, suffix] = /^(\d+(?:\.\d+)?)([kMG]?)$/.exec(text) ?? [];
  // As a literal, so that 3.3G is 3300000000 without the rounding of a product.
  const value = Number(`${digits}e${POWER[suffix as keyof typeof POWER]}`);
  if (!(value > 0 && value < Number.POSITIVE_INFINITY)) {
    throw new UsageError(`${name}: expected a positive number such as 0.5, 14.7k or 3.3G, got ${text}`);
  }
  return value;
}

/** The same as an option. @throws UsageError */
export function positiveOption(parsed: Parsed, name: string): number | undefined {
  const text = parsed.text(name);
  return text === undefined ? undefined : positiveNumber(text, `--${name}`);
}

/** One of a few words. @throws UsageError */
export function choiceOption<T extends string>(parsed: Parsed, name: string, choices: readonly T[], fallback: T): T {
  const text = parsed.text(name) ?? fallback;
  const found = choices.find((choice) => choice === text);
  if (found === undefined) throw new UsageError(`--${name}: expected ${choices.join(" or ")}, got ${text}`);
  return found;
}

/** --scale: 2 unless given. @throws UsageError */
export function scaleOption(parsed: Parsed): 2 | 4 {
  return choiceOption(parsed, "scale", ["2", "4"], "2") === "4" ? 4 : 2;
}

/** --scale as any factor that pictures can be enlarged by, 2 unless given. @throws UsageError */
export function factorOption(parsed: Parsed): number {
  const text = parsed.text("scale") ?? "2";
  const factor = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (factor >= 1 && factor <= MOST_SCALE) return factor;
  throw new UsageError(`--scale: expected a factor from 1 to ${MOST_SCALE}, got ${text}`);
}

/** WxH, as pictures' sizes are written. @throws UsageError */
export function boxOption(parsed: Parsed, name: string): Size | undefined {
  const text = parsed.text(name);
  if (text === undefined) return undefined;
  const match = /^([1-9]\d*)x([1-9]\d*)$/.exec(text);
  if (!match) throw new UsageError(`--${name}: expected WIDTHxHEIGHT such as 1920x1080, got ${text}`);
  return { width: Number(match[1]), height: Number(match[2]) };
}

/** HxW, as tensors are written. @throws UsageError */
export function sizeOption(parsed: Parsed, name: string): readonly [height: number, width: number] | undefined {
  const text = parsed.text(name);
  if (text === undefined) return undefined;
  const match = /^([1-9]\d*)x([1-9]\d*)$/.exec(text);
  if (!match) throw new UsageError(`--${name}: expected HEIGHTxWIDTH such as 360x640, got ${text}`);
  return [Number(match[1]), Number(match[2])];
}

/** N, for NxN, or HxW. @throws UsageError */
export function inputOption(parsed: Parsed, name: string): readonly [height: number, width: number] | undefined {
  const text = parsed.text(name);
  if (text !== undefined && /^[1-9]\d*$/.test(text)) return [Number(text), Number(text)];
  return sizeOption(parsed, name);
}

/** The options that choose a network. */
export const MODEL_OPTIONS = {
  model: { type: "string", value: "ID", help: "network, sesr-m5 by default; see wasmograd models" },
  scale: { type: "string", value: "2|4", help: "upscaling factor, 2 by default" },
  precision: { type: "string", value: "int8|f32", help: "arithmetic, int8 by default" },
} as const satisfies OptionSpecs;

/** The options that choose how convolutions are computed. */
export const ALGORITHM_OPTIONS = {
  algorithm: {
    type: "string",
    value: "NAME",
    help: "auto (default), direct, winograd, or one such as f4x4-3x3-complex",
  },
  "filter-bits": {
    type: "string",
    value: "N",
    help: "int8: Winograd filters scaled to 8 to 16 bits, which is not exact",
  },
  granularity: { type: "string", value: "NAME", help: `of those scales: ${GRANULARITIES.join(", ")}; tap by default` },
} as const satisfies OptionSpecs;

/** What ALGORITHM_OPTIONS say, as `compile` and `createUpscaler` take it. @throws UsageError, WasmogradError ERR_ARGUMENT */
export function algorithmOptions(parsed: Parsed): { algorithm?: AlgorithmOption; filterScaling?: FilterScaling } {
  const algorithm = parsed.text("algorithm");
  if (algorithm !== undefined) checkAlgorithm(algorithm, "--algorithm");
  const bits = integerOption(parsed, "filter-bits", FEWEST_BITS, MOST_BITS);
  if (bits === undefined && parsed.text("granularity") !== undefined) {
    throw new UsageError("--granularity: expected together with --filter-bits only");
  }
  return {
    ...(algorithm !== undefined && { algorithm }),
    ...(bits !== undefined && {
      filterScaling: { bits, granularity: choiceOption(parsed, "granularity", GRANULARITIES, "tap") },
    }),
  };
}
