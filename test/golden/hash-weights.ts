/**
 * Weights and pictures from an integer hash, the same to the bit here and in training/golden/hash_weights.py, which
 * made the golden outputs of this folder: they need no weights beside them. The definition is in that file's header.
 */

export type Role =
  | "filter"
  | "bias"
  | "norm-scale"
  | "running-mean"
  | "running-var"
  | "layer-scale"
  | "temperature"
  | "embedding"
  | "input";

/** FNV-1a of the name's UTF-8 bytes, uint32. */
function seedOf(name: string): number {
  let seed = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(name)) seed = Math.imul(seed ^ byte, 0x01000193);
  return seed >>> 0;
}

function valueAt(seed: number, index: number): number {
  let h = (seed + Math.imul(index, 0x9e3779b9)) | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  h ^= h >>> 16;
  return ((h >>> 8) - 2 ** 23) / 2 ** 23;
}

/** Value `index` (0 .. 2^32 - 1) of a name, in [-1, 1), exact in float32. */
export function hashValue(name: string, index: number): number {
  return valueAt(seedOf(name), index);
}

/** What a tensor is, by the last part of its PyTorch name and its shape. Throws for a name of another kind. */
export function roleOf(name: string, shape: readonly number[]): Role {
  const last = name.slice(name.lastIndexOf(".") + 1);
  switch (last) {
    case "weight":
      return shape.length === 1 ? "norm-scale" : "filter";
    case "bias":
      return "bias";
    case "running_mean":
      return "running-mean";
    case "running_var":
      return "running-var";
    case "in_proj_weight":
      return "filter";
    case "in_proj_bias":
      return "bias";
    case "temperature":
      return "temperature";
    case "cls_token":
    case "class_token":
    case "pos_embed":
    case "pos_embedding":
      return "embedding";
    case "gamma":
    case "gamma1":
    case "gamma2":
    case "gamma3":
      return "layer-scale";
    case "input":
      return "input";
    default:
      throw new Error(`no role for the tensor "${name}"`);
  }
}

const product = (dimensions: readonly number[]) => dimensions.reduce((a, b) => a * b, 1);

function offsetAndScale(role: Role, shape: readonly number[], gain: number): readonly [number, number] {
  switch (role) {
    case "filter":
      return [0, gain * Math.sqrt(6 / product(shape.slice(1)))];
    case "bias":
    case "running-mean":
      return [0, 0.1];
    case "norm-scale":
      return [1, 0.2];
    case "running-var":
      return [1, 0.5];
    case "layer-scale":
      return [0.5, 0.25];
    case "temperature":
      return [4, 2];
    case "embedding":
      return [0, 0.5];
    case "input":
      return [0, 1];
  }
}

/**
 * The tensor of a PyTorch name and shape, in PyTorch's layout (OIHW, NCHW); transposing is the caller's.
 * `gain` multiplies filters only: a golden file's `filterGain`.
 */
export function hashTensor(name: string, shape: readonly number[], gain = 1): Float32Array {
  const [offset, scale] = offsetAndScale(roleOf(name, shape), shape, gain);
  const seed = seedOf(name);
  return Float32Array.from({ length: product(shape) }, (_, index) => offset + scale * valueAt(seed, index));
}
