/** Slow, plain forms of what the kernels of activations compute, rounding included. */
import type { FeatureMap } from "../network/description.ts";

/** Hard-swish (network/activations.ts) with each operation rounded to binary32, as the f32 kernel computes it; x is a binary32 number. */
export function hardSwishF32(x: number): number {
  const t = Math.min(6, Math.max(0, Math.fround(x + 3)));
  return Math.fround(x * Math.fround(t / 6));
}

/** table[x + 128] of an int8 map; `tables` has 256 values, or 256 for each channel one after the other. */
export function tableS8({ shape, data }: FeatureMap<Int8Array>, tables: Int8Array): FeatureMap<Int8Array> {
  const perChannel = tables.length > 256;
  return { shape, data: data.map((x, i) => tables[(perChannel ? (i % shape[2]) * 256 : 0) + x + 128]!) };
}
