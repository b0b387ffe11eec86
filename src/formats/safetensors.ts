import { check } from "../errors.ts";
import { widenBfloat16, widenFloat16 } from "./half-floats.ts";

/**
 * The safetensors format (https://github.com/huggingface/safetensors#format): 8 bytes little-endian length n, n bytes of JSON
 * (name -> { dtype, shape, data_offsets }), then the values, little-endian, without gaps. As typed arrays are read in place of a
 * byte-wise loop, a little-endian machine is presumed: every one that runs WebAssembly today is.
 */
export interface SafetensorsFile {
  /** By name. */
  readonly tensors: ReadonlyMap<string, SafeTensor>;
  /** The `__metadata__` of the file: free text by name. */
  readonly metadata: ReadonlyMap<string, string>;
}

/** A tensor of a file. F16 and BF16 are widened to f32 on reading; `dtype` says what the file held. */
export type SafeTensor =
  | { readonly dtype: "F32" | "F16" | "BF16"; readonly shape: readonly number[]; readonly data: Float32Array }
  | { readonly dtype: "I32"; readonly shape: readonly number[]; readonly data: Int32Array }
  | { readonly dtype: "I8"; readonly shape: readonly number[]; readonly data: Int8Array }
  /** Counters of PyTorch's training. */
  | { readonly dtype: "I64"; readonly shape: readonly number[]; readonly data: BigInt64Array };

/** Values to write: the dtype follows from the array (F32, I32 or I8). */
export interface TensorToWrite {
  /** Its product is the number of values. */
  readonly shape: readonly number[];
  /** Row-major, the last axis fastest. */
  readonly data: Float32Array | Int32Array | Int8Array;
}

const BYTES = { F32: 4, F16: 2, BF16: 2, I32: 4, I8: 1, I64: 8 } as const;
type Dtype = keyof typeof BYTES;

const LENGTH_BYTES = 8;
/** The format's own limit on the JSON. */
const MAX_HEADER = 100_000_000;

interface Entry {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

function fail(message: string, condition = false): asserts condition {
  check(condition, "ERR_FORMAT", () => `safetensors: ${message}`);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function product(shape: readonly number[]): number {
  return shape.reduce((a, b) => a * b, 1);
}

function readHeader(bytes: Uint8Array): { header: Record<string, unknown>; dataStart: number } {
  fail(`expected at least ${LENGTH_BYTES} bytes, got ${bytes.length}`, bytes.length >= LENGTH_BYTES);
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset, LENGTH_BYTES).getBigUint64(0, true));
  const available = bytes.length - LENGTH_BYTES;
  fail(`header: expected at most ${MAX_HEADER} bytes, got ${length}`, length <= MAX_HEADER);
  fail(`header: expected ${length} bytes, got only ${available}`, length <= available);
  const dataStart = LENGTH_BYTES + length;
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(LENGTH_BYTES, dataStart)));
  } catch {
    fail("header: expected JSON in UTF-8, got something else");
  }
  const isObject = typeof header === "object" && header !== null && !Array.isArray(header);
  fail("header: expected a JSON object, got another value", isObject);
  return { header: header as Record<string, unknown>, dataStart };
}

function readEntry(name: string, value: unknown): Entry {
  const at = `tensor ${JSON.stringify(name)}`;
  const { dtype, shape, data_offsets: offsets } = (value ?? {}) as Record<string, unknown>;
  const known = Object.keys(BYTES);
  fail(
    `${at}: dtype: expected one of ${known.join(", ")}, got ${JSON.stringify(dtype)}`,
    known.includes(dtype as string),
  );
  const isShape = Array.isArray(shape) && shape.every(isCount);
  fail(`${at}: shape: expected non-negative integers, got ${JSON.stringify(shape)}`, isShape);
  const isRange = Array.isArray(offsets) && offsets.length === 2 && offsets.every(isCount) && offsets[0] <= offsets[1];
  fail(`${at}: data_offsets: expected [begin, end], got ${JSON.stringify(offsets)}`, isRange);
  const [begin, end] = offsets as [number, number];
  const bytes = product(shape as number[]) * BYTES[dtype as Dtype];
  fail(`${at}: data_offsets: expected ${bytes} bytes for shape [${shape}], got ${end - begin}`, end - begin === bytes);
  return { name, dtype: dtype as Dtype, shape: shape as number[], begin, end };
}

function readMetadata(value: unknown): Map<string, string> {
  if (value === undefined) return new Map();
  const isTexts =
    typeof value === "object" && value !== null && Object.values(value).every((v) => typeof v === "string");
  fail(`__metadata__: expected an object of strings, got ${JSON.stringify(value)}`, isTexts);
  return new Map(Object.entries(value as Record<string, string>));
}

/** The format allows no gap, no overlap and nothing behind the last tensor: the data must be used up exactly. */
function checkLayout(entries: readonly Entry[], dataBytes: number): void {
  let used = 0;
  for (const { name, begin, end } of entries.toSorted((a, b) => a.begin - b.begin || a.end - b.end)) {
    const at = `tensor ${JSON.stringify(name)}: data_offsets`;
    fail(`${at}: expected to begin at ${used} without gap or overlap, got ${begin}`, begin === used);
    fail(`${at}: expected an end within the ${dataBytes} bytes of data, got ${end}`, end <= dataBytes);
    used = end;
  }
  fail(`expected ${used} bytes of data, got ${dataBytes}`, used === dataBytes);
}

function readTensor({ dtype, shape, begin, end }: Entry, data: Uint8Array): SafeTensor {
  const copy = data.slice(begin, end).buffer; // aligned, and independent of the caller's bytes
  switch (dtype) {
    case "F32":
      return { dtype, shape, data: new Float32Array(copy) };
    case "F16":
      return { dtype, shape, data: widenFloat16(new Uint16Array(copy)) };
    case "BF16":
      return { dtype, shape, data: widenBfloat16(new Uint16Array(copy)) };
    case "I32":
      return { dtype, shape, data: new Int32Array(copy) };
    case "I64":
      return { dtype, shape, data: new BigInt64Array(copy) };
    default:
      return { dtype, shape, data: new Int8Array(copy) };
  }
}

/**
 * Reads a safetensors file. The values are copies; NaN and infinities pass (`checkWeights` looks for them).
 * @throws WasmogradError ERR_FORMAT on truncated or surplus bytes, a header that is not the JSON it should be, unknown dtypes,
 *   offsets that leave the data, overlap, leave gaps or do not fit the shape
 */
export function parseSafetensors(bytes: Uint8Array): SafetensorsFile {
  const { header, dataStart } = readHeader(bytes);
  const { __metadata__, ...rest } = header;
  const entries = Object.entries(rest).map(([name, value]) => readEntry(name, value));
  // A plain view: a Node Buffer's own slice() would not copy.
  const data = new Uint8Array(bytes.buffer, bytes.byteOffset + dataStart, bytes.length - dataStart);
  checkLayout(entries, data.length);
  return {
    tensors: new Map(entries.map((entry): [string, SafeTensor] => [entry.name, readTensor(entry, data)])),
    metadata: readMetadata(__metadata__),
  };
}

function dtypeOf(data: TensorToWrite["data"]): "F32" | "I32" | "I8" {
  if (data instanceof Float32Array) return "F32";
  return data instanceof Int32Array ? "I32" : "I8";
}

/**
 * Writes tensors as safetensors: four-byte values before int8 ones, otherwise in the order of the map, behind a header padded with
 * spaces, so that all values are aligned. The same tensors always give the same bytes.
 * @throws WasmogradError ERR_ARGUMENT when a shape does not fit its values, or a tensor is named `__metadata__`
 */
export function serialiseSafetensors(
  tensors: ReadonlyMap<string, TensorToWrite>,
  metadata: ReadonlyMap<string, string> = new Map(),
): Uint8Array<ArrayBuffer> {
  const header: [string, unknown][] = metadata.size > 0 ? [["__metadata__", Object.fromEntries(metadata)]] : [];
  const ordered = [...tensors].toSorted(([, a], [, b]) => b.data.BYTES_PER_ELEMENT - a.data.BYTES_PER_ELEMENT);
  let offset = 0;
  for (const [name, { shape, data }] of ordered) {
    const message = () =>
      `tensors: ${JSON.stringify(name)}: expected ${product(shape)} values for shape [${shape}], got ${data.length}`;
    check(data.length === product(shape), "ERR_ARGUMENT", message);
    check(
      name !== "__metadata__",
      "ERR_ARGUMENT",
      () => "tensors: expected another name than the reserved __metadata__",
    );
    header.push([name, { dtype: dtypeOf(data), shape, data_offsets: [offset, offset + data.byteLength] }]);
    offset += data.byteLength;
  }
  const unpadded = JSON.stringify(Object.fromEntries(header));
  const encoded = new TextEncoder().encode(unpadded);
  const headerBytes = Math.ceil(encoded.length / 8) * 8;
  const file = new Uint8Array(LENGTH_BYTES + headerBytes + offset);
  new DataView(file.buffer).setBigUint64(0, BigInt(headerBytes), true);
  file.fill(0x20, LENGTH_BYTES, LENGTH_BYTES + headerBytes);
  file.set(encoded, LENGTH_BYTES);
  let at = LENGTH_BYTES + headerBytes;
  for (const [, { data }] of ordered) {
    file.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += data.byteLength;
  }
  return file;
}
