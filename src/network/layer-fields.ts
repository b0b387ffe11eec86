import { check } from "../errors.ts";
import type { AttentionLayer, Layer } from "./description.ts";

/** Shows a value of unknown origin inside a one-line message. */
export function show(value: unknown): string {
  if (typeof value === "function") return "a function";
  if (typeof value === "number" || typeof value === "bigint" || typeof value === "symbol") return String(value);
  let text: string;
  try {
    text = JSON.stringify(value) ?? String(value);
  } catch {
    text = "an object that JSON cannot hold";
  }
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

/** What a field must be. `test` sees unknown data, as from JSON. */
interface Field {
  readonly expected: string;
  readonly test: (value: unknown) => boolean;
  readonly optional?: true;
}

type Fields = Readonly<Record<string, Field>>;

/** An object with names, and no array. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function integer(low: number, high: number): Field {
  const test = (v: unknown) => Number.isInteger(v) && (v as number) >= low && (v as number) <= high;
  return { expected: `an integer from ${low} to ${high}`, test };
}

function oneOf(...values: readonly unknown[]): Field {
  return { expected: values.map(show).join(" or "), test: (v) => values.includes(v) };
}

function pairOf(field: Field): Field {
  return {
    expected: `two of: ${field.expected}`,
    test: (v) => Array.isArray(v) && v.length === 2 && v.every(field.test),
  };
}

function optional(field: Field): Field {
  return { ...field, optional: true };
}

/** A nested object with exactly these fields. */
function object(fields: Fields): Field {
  const expected = `{ ${Object.entries(fields).map(([name, f]) => `${name}${f.optional ? "?" : ""}: ${f.expected}`)} }`;
  return { expected, test: (value) => isRecord(value) && fault(value, fields) === undefined };
}

/** The first thing wrong with the fields of `value`, or undefined. A field that is undefined counts as absent. */
function fault(value: Record<string, unknown>, fields: Fields): string | undefined {
  for (const [name, field] of Object.entries(fields)) {
    const given = value[name];
    if (given === undefined ? field.optional : field.test(given)) continue;
    return `${name}: expected ${field.expected}, got ${given === undefined ? "nothing" : show(given)}`;
  }
  const extra = Object.keys(value).find((name) => value[name] !== undefined && !Object.hasOwn(fields, name));
  if (extra === undefined) return undefined;
  return `${extra}: not a field here; expected only ${Object.keys(fields).join(", ")}`;
}

/** Names reach messages and terminals as they are, so they hold nothing that moves a cursor or breaks a line. */
const CONTROL = /\p{Cc}/u;
const text: Field = {
  expected: "a non-empty string without control characters",
  test: (v) => typeof v === "string" && v.length > 0 && !CONTROL.test(v),
};
const finite: Field = { expected: "a finite number", test: (v) => Number.isFinite(v) };
const flag: Field = { expected: "true or false", test: (v) => typeof v === "boolean" };
const channels = integer(1, 65536);
const kernel = pairOf(integer(1, 255));
const filter = object({ weights: text, bias: optional(text) });
const stride = integer(1, 16);
const unit: Field = {
  expected: "a number from 0 to 1",
  test: (v) => Number.isFinite(v) && 0 <= (v as number) && (v as number) <= 1,
};
const epsilon: Field = { expected: "a positive number", test: (v) => Number.isFinite(v) && (v as number) > 0 };
const padding: Field = {
  expected: '"same", "valid" or an integer from 0 to 127',
  test: (v) => v === "same" || v === "valid" || integer(0, 127).test(v),
};
const plainKind = oneOf("relu", "relu6", "hard-swish", "gelu");
const plainActivation = object({ kind: plainKind });
const prelu = object({ kind: oneOf("prelu"), slope: text });
const mixed = object({ kind: oneOf("mixed"), of: plainKind, amount: unit });
const activation: Field = {
  expected: `{ kind: ${plainKind.expected} }, { kind: "prelu", slope: the name of a weight } or { kind: "mixed", of, amount }`,
  test: (v) => plainActivation.test(v) || prelu.test(v) || mixed.test(v),
};
const heads = integer(1, 1024);
const pivots: Field = {
  expected: "a non-empty array of arrays of one length, each of different integers from 0 to 65535",
  test: (v) =>
    Array.isArray(v) &&
    v.length > 0 &&
    v.every((group) => Array.isArray(group) && group.length > 0 && group.length === v[0].length) &&
    v.every((group: unknown[]) => group.every(integer(0, 65535).test) && new Set(group).size === group.length),
};
const affine = { scale: text, offset: optional(text) };
const residual = object({
  tensor: text,
  position: oneOf("before-activation", "after-activation"),
  scale: optional(text),
});

function isQuad(v: unknown): boolean {
  return channels.test(v) && (v as number) % 4 === 0;
}

/** Every operator with its fields besides `op` and `name`: the schema of a description (docs/network.md prints it). */
const OPERATORS: Readonly<Record<Layer["op"], Fields>> = {
  input: { channels },
  conv2d: {
    input: text,
    kernel,
    stride,
    padding,
    channels,
    depthwise: optional(oneOf(true)),
    weights: text,
    bias: optional(text),
    activation: optional(activation),
    residual: optional(residual),
  },
  "linear-block": {
    input: text,
    kernel,
    expansion: channels,
    channels,
    shortResidual: flag,
    expand: filter,
    project: filter,
  },
  "conv2d-transpose": { input: text, kernel, stride, channels, weights: text, bias: optional(text) },
  "batch-norm": { input: text, scale: text, offset: text, mean: text, variance: text, epsilon },
  "layer-norm": { input: text, scale: text, offset: text, epsilon },
  "channel-affine": { input: text, ...affine },
  activation: { input: text, activation, affine: optional(object(affine)) },
  "max-pool": { input: text, kernel, stride, padding },
  "global-average-pool": { input: text },
  subsample: { input: text, stride, channels, before: integer(0, 65535) },
  add: { inputs: pairOf(text) },
  offset: { input: text, value: finite },
  split: { input: text },
  "depth-to-space": { input: text, block: integer(2, 64) },
  clip: { input: text, min: finite, max: finite },
  attention: {
    q: text,
    k: text,
    v: text,
    heads,
    keyHeads: optional(heads),
    valueHeads: optional(heads),
    map: oneOf("softmax", "xca"),
    temperature: optional(text),
  },
  "class-token": { input: text, weights: text },
  positions: { input: text, tokens: integer(1, 2 ** 24), weights: text },
  "fourier-positions": {
    input: text,
    channels: { ...channels, expected: "a multiple of 4 from 4 to 65536", test: isQuad },
  },
  "take-token": { input: text },
  "replace-token": { inputs: pairOf(text) },
  "pivot-projection": { input: text, pivots, weights: text },
};

const networkFields: Fields = {
  name: text,
  layers: { expected: "a non-empty array of layers", test: (v) => Array.isArray(v) && v.length > 0 },
  output: text,
};

/** Checks the fields of the description itself. @throws WasmogradError ERR_NETWORK */
export function checkNetworkFields(
  network: unknown,
): asserts network is { name: string; layers: unknown[]; output: string } {
  check(isRecord(network), "ERR_NETWORK", () => `network: expected an object with layers, got ${show(network)}`);
  const wrong = fault(network, networkFields);
  check(wrong === undefined, "ERR_NETWORK", () => `network: ${wrong}`);
}

/** What one field of attention asks of another. */
function checkAttention({ name, heads: all, map, temperature, ...layer }: AttentionLayer): void {
  for (const field of ["keyHeads", "valueHeads"] as const) {
    const given = layer[field] ?? all;
    const message = () => `layer ${show(name)}: ${field}: expected a divisor of the ${all} heads, got ${given}`;
    check(all % given === 0, "ERR_NETWORK", message);
  }
  const expected = map === "xca" ? "the name of a weight, as map is xca" : "none, as map is softmax";
  const given = temperature === undefined ? "nothing" : show(temperature);
  const fits = (temperature !== undefined) === (map === "xca");
  check(fits, "ERR_NETWORK", () => `layer ${show(name)}: temperature: expected ${expected}, got ${given}`);
}

/** Checks one layer by itself: operator, name and the range of every field. @throws WasmogradError ERR_NETWORK */
export function checkLayerFields(layer: unknown, index: number): asserts layer is Layer {
  const at = `layers[${index}]`;
  check(isRecord(layer), "ERR_NETWORK", () => `${at}: expected an object with op and name, got ${show(layer)}`);
  const { op, name } = layer;
  const known = Object.keys(OPERATORS);
  const isKnown = (v: unknown): v is Layer["op"] => typeof v === "string" && known.includes(v);
  check(text.test(name), "ERR_NETWORK", () => `${at}.name: expected ${text.expected}, got ${show(name)}`);
  check(
    isKnown(op),
    "ERR_NETWORK",
    () => `layer ${show(name)}: op: expected one of ${known.join(", ")}, got ${show(op)}`,
  );
  const wrong = fault(layer, { op: text, name: text, ...OPERATORS[op] });
  check(wrong === undefined, "ERR_NETWORK", () => `layer ${show(name)}: ${wrong}`);
  if (op === "max-pool") {
    // Every window then has a pixel.
    const { kernel: size, padding: pad } = layer as { kernel: readonly [number, number]; padding: unknown };
    const most = Math.min(...size) - 1;
    const inside = typeof pad !== "number" || pad <= most;
    check(
      inside,
      "ERR_NETWORK",
      () => `layer ${show(name)}: padding: expected at most ${most} for this kernel, got ${pad}`,
    );
  }
  if (op === "attention") checkAttention(layer as unknown as AttentionLayer);
  if (op === "clip") {
    const { min, max } = layer as { min: number; max: number };
    check(min < max, "ERR_NETWORK", () => `layer ${show(name)}: min: expected less than max ${max}, got ${min}`);
  }
}
