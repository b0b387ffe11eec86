/** Up to which sizes the sums of int8 attention fit int32: docs/quantization.md has the arithmetic. */
import { check } from "../errors.ts";

/**
 * Keys of softmax attention, and channels of a head of xca, of which no description has as many: weights of eight bits at least, times
 * values, sum to below 2^31.
 */
export const MOST_KEYS_S8 = 65793;
/** Channels of a head of softmax attention, whatever the zero points: channels * 255^2 stays below 2^31. */
export const MOST_HEAD_CHANNELS_S8 = 33025;

/** Tokens of xca, whose sums of products stay below 2^31 and sums of squares below 2^32. */
export function mostXcaTokens(zeroQ: number, zeroK: number): number {
  const [q, k] = [zeroQ, zeroK].map((zero) => Math.max(127 - zero, zero + 128)) as [number, number];
  return Math.min(Math.floor((2 ** 31 - 1) / (q * k)), Math.floor((2 ** 32 - 1) / Math.max(q, k) ** 2));
}

/** @throws WasmogradError ERR_UNSUPPORTED naming the layer when there are more keys than sums can hold */
export function checkKeys(layer: string, map: "softmax" | "xca", keys: number, zeroQ: number, zeroK: number): void {
  const most = map === "softmax" ? MOST_KEYS_S8 : mostXcaTokens(zeroQ, zeroK);
  check(keys <= most, "ERR_UNSUPPORTED", () => `layer ${layer}: expected at most ${most} keys in int8, got ${keys}`);
}
