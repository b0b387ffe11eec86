/**
 * An int8 network as plain data for a JavaScript module or a JSON file: what quantisation computed, so that it need not be done again
 * where the network runs. Arrays are base64 of their little-endian bytes, as typed arrays have them on every platform there is.
 */
import { decodeBase64 } from "../base64.ts";
import { check } from "../errors.ts";
import type { Network } from "../network/description.ts";
import type { Clamp, Limits } from "./assign.ts";
import type {
  QuantisedActivation,
  QuantisedAdd,
  QuantisedClip,
  QuantisedFilter,
  QuantisedModel,
  RealFilter,
} from "./quantise.ts";
import type { QuantizationParams } from "./requantize.ts";

/** Typed arrays as text, everything else as it is. */
type Stored<T> = {
  readonly [K in keyof T]: T[K] extends ArrayBufferView | undefined ? string | (T[K] & undefined) : T[K];
};
type Table<T> = Readonly<Record<string, T>>;
/** JSON has no infinities: it holds null for them. */
type StoredRealFilter = Omit<Stored<RealFilter>, keyof Clamp> & { readonly [K in keyof Clamp]: number | null };

export interface StoredModel {
  readonly network: Network;
  readonly tensors: Table<QuantizationParams>;
  /** Names of the tensors that stay real. */
  readonly real?: readonly string[];
  readonly filters: Table<Stored<QuantisedFilter> | StoredRealFilter>;
  readonly adds: Table<QuantisedAdd>;
  readonly activations: Table<Stored<QuantisedActivation>>;
  readonly tables: Table<string>;
  readonly averages: Table<Limits>;
  readonly clips: Table<QuantisedClip>;
}

const toText = ({ buffer, byteOffset, byteLength }: ArrayBufferView): string => {
  const bytes = new Uint8Array(buffer, byteOffset, byteLength);
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
};

const store = <T extends object>(value: T): Stored<T> =>
  Object.fromEntries(
    Object.entries(value).map(([key, entry]) => [key, ArrayBuffer.isView(entry) ? toText(entry) : entry]),
  ) as Stored<T>;

const storeTable = <T extends object>(table: ReadonlyMap<string, T>): Table<Stored<T>> =>
  Object.fromEntries([...table].map(([name, value]) => [name, store(value)]));

/** @throws WasmogradError ERR_UNSUPPORTED on networks of tokens: what is stored are networks that upscale */
export function storeModel(model: QuantisedModel): StoredModel {
  const { network, tensors, real, filters, adds, activations, tables, averages, clips, tokens } = model;
  check(tokens === undefined, "ERR_UNSUPPORTED", () => `${network.name}: expected a network without tokens to store`);
  return {
    network,
    tensors: storeTable(tensors),
    ...(real && { real: [...real] }),
    filters: storeTable(filters),
    adds: storeTable(adds),
    activations: storeTable(activations),
    tables: Object.fromEntries([...tables].map(([name, table]) => [name, toText(table)])),
    averages: storeTable(averages),
    clips: storeTable(clips),
  } as StoredModel;
}

const floats = (text: string): Float32Array => new Float32Array(decodeBase64(text).buffer);

const clampOf = ({ minimum, maximum }: Pick<StoredRealFilter, keyof Clamp>): Clamp => ({
  minimum: minimum ?? Number.NEGATIVE_INFINITY,
  maximum: maximum ?? Number.POSITIVE_INFINITY,
});

const map = <From, To>(table: Table<From>, each: (value: From) => To): Map<string, To> =>
  new Map(Object.entries(table).map(([name, value]) => [name, each(value)]));

/** Trusts its input: for what `storeModel` has made. */
export function restoreModel(stored: StoredModel): QuantisedModel {
  const { network, tensors, real, filters, adds, activations, tables, averages, clips } = stored;
  const negative = (text: string | undefined) => (text === undefined ? {} : { negativeMultipliers: floats(text) });
  const added = (text: string | undefined) => (text === undefined ? {} : { residualMultipliers: floats(text) });
  return {
    network,
    tensors: map(tensors, (params) => params),
    ...(real && { real: new Set(real) }),
    filters: map(filters, ({ weights, weightScales, bias, multipliers, ...rest }) => {
      const sums = {
        weights: new Int8Array(decodeBase64(weights).buffer),
        weightScales: floats(weightScales),
        bias: new Int32Array(decodeBase64(bias).buffer),
        multipliers: floats(multipliers),
      };
      const { negativeMultipliers, residualMultipliers, ...limits } = rest;
      const vectors = { ...sums, ...negative(negativeMultipliers), ...added(residualMultipliers) };
      return "minimum" in limits ? { ...vectors, ...clampOf(limits) } : { ...vectors, ...limits };
    }),
    adds: map(adds, (add) => add),
    activations: map(activations, ({ negativeMultipliers, ...numbers }) => ({
      ...numbers,
      ...negative(negativeMultipliers),
    })),
    tables: map(tables, (text) => new Int8Array(decodeBase64(text).buffer)),
    averages: map(averages, (limits) => limits),
    clips: map(clips, (clip) => clip),
  };
}
