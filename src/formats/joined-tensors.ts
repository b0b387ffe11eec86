/** Matrices that a checkpoint holds as one and a description apart: the projections of attention, below each other. */
import type { Weight } from "../network/description.ts";

/** The end of a joined tensor's name, and what stands there in the names of its parts, in order. */
const JOINED: readonly { readonly pattern: RegExp; readonly parts: readonly string[] }[] = [
  { pattern: /\bqkv\.(weight|bias)$/, parts: ["q", "k", "v"] },
  { pattern: /\bin_proj_(weight|bias)$/, parts: ["q", "k", "v"] }, // torch.nn.MultiheadAttention
  { pattern: /\bkv\.(weight|bias)$/, parts: ["k", "v"] },
];

/**
 * The names of the parts that the network has in place of a tensor that it does not have; undefined unless it has them all.
 * @param expected the names that the network has
 */
export function partsOf(name: string, expected: ReadonlySet<string>): string[] | undefined {
  if (expected.has(name)) return undefined;
  for (const { pattern, parts } of JOINED) {
    const names = parts.map((part) => name.replace(pattern, (_, end: string) => `${part}.${end}`));
    if (pattern.test(name) && names.every((part) => expected.has(part))) return names;
  }
  return undefined;
}

/** Equal numbers of rows, from the first on. Undefined where the rows cannot be divided so. */
export function splitRows({ shape, data }: Weight, count: number): Weight[] | undefined {
  const [rows = 0, ...rest] = shape;
  if (rows % count !== 0) return undefined;
  const length = data.length / count;
  return Array.from({ length: count }, (_, i) => ({
    shape: [rows / count, ...rest],
    data: data.slice(i * length, (i + 1) * length),
  }));
}
