/** How attention is cut into calls of its kernels, and what those need. */
import { WasmogradError } from "../errors.ts";
import { attentionScratchBytes, xcaScratchBytes } from "../kernels/attention/scratch.ts";
import type { AttentionLayer, Layer, Shape } from "../network/description.ts";
import { checkKeys } from "../quantization/attention-limits.ts";
import type { Program, ProgramS8 } from "./program.ts";

/** By a field and not by `instanceof`: what is loaded later has no classes in common with what loads it (scripts/bundle.mjs). */
export const isInt8 = (program: Program): program is ProgramS8 => program.precision === "int8";

/** One call: the first of its heads, and how many bytes behind the first channel of a token its queries (and results), keys and values lie. */
interface HeadCall {
  readonly head: number;
  readonly q: number;
  readonly k: number;
  readonly v: number;
}

interface Heads {
  readonly tokens: number;
  readonly keys: number;
  readonly headChannels: number;
  /** Heads a call. */
  readonly count: number;
  readonly calls: readonly HeadCall[];
}

/**
 * Heads that have keys and values of their own run in one call, heads that share them one by one.
 * @param bytes of an element
 * @throws WasmogradError ERR_UNSUPPORTED where values have other channels a head than queries
 */
export function headsOf(layer: AttentionLayer, shapes: ReadonlyMap<string, Shape>, bytes: number): Heads {
  const { heads, keyHeads = heads, valueHeads = heads } = layer;
  const [qh, qw, channels] = shapes.get(layer.q)!;
  const [kh, kw] = shapes.get(layer.k)!;
  const headChannels = channels / heads;
  const own = shapes.get(layer.v)![2] / valueHeads;
  if (own !== headChannels) {
    const message = `layer "${layer.name}": expected values of ${headChannels} channels a head as the queries have, got ${own}`;
    throw new WasmogradError("ERR_UNSUPPORTED", message);
  }
  const shared = keyHeads !== heads || valueHeads !== heads;
  const calls = Array.from({ length: shared ? heads : 1 }, (_, head) => {
    const place = (count: number): number => Math.floor((head * count) / heads) * headChannels * bytes;
    return { head, q: place(heads), k: place(keyHeads), v: place(valueHeads) };
  });
  return { tokens: qh * qw, keys: kh * kw, headChannels, count: shared ? 1 : heads, calls };
}

/** Bytes between tokens of the queries, keys, values and results. */
export function stridesOf(
  { q, k, v, name }: AttentionLayer,
  shapes: ReadonlyMap<string, Shape>,
  bytes: number,
): [q: number, k: number, v: number, to: number] {
  const stride = (tensor: string): number => shapes.get(tensor)![2] * bytes;
  return [stride(q), stride(k), stride(v), stride(name)];
}

/** Bytes of working memory of a layer's step. @throws WasmogradError ERR_UNSUPPORTED on sizes that the kernels do not take */
export function tokenScratchBytes(program: Program, layer: Layer, shapes: ReadonlyMap<string, Shape>): number {
  if (layer.op !== "attention") return 0;
  const { name, map } = layer;
  const { keys, headChannels } = headsOf(layer, shapes, 1);
  if (isInt8(program)) {
    checkKeys(name, map, keys, program.tensorParams(layer.q).zeroPoint, program.tensorParams(layer.k).zeroPoint);
  }
  const bytes = map === "softmax" ? attentionScratchBytes : xcaScratchBytes;
  return bytes(program.precision, keys, headChannels);
}
