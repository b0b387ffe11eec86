/** The tables of `f32_pivot_projection`, and whether it is worth it. Layouts: assembly/attention/pivot-projection.ts. */

const LANES = 8;
/** Bytes of a channel in a panel: four pixels, f32. */
const STEP = 16;

/** Of a projection with pivots. */
export interface PivotShape {
  readonly inputs: number;
  readonly groups: number;
  /** Outputs, and pivots, a group. */
  readonly own: number;
}

/** Whether fewer steps of eight outputs are left than a dense 1x1 convolution has; gathering the others' channels counts as an eighth of a block. */
export function pivotsSave({ inputs, groups, own }: PivotShape): boolean {
  const blocks = groups * (Math.ceil(own / LANES) + 1 / LANES);
  return blocks * (inputs - own) < Math.ceil((groups * own) / LANES) * inputs;
}

export interface PackedPivots {
  readonly channels: Int32Array<ArrayBuffer>;
  readonly filter: Float32Array<ArrayBuffer>;
}

/** @param weights [groups * own, inputs - own] */
export function packPivots(
  pivots: readonly (readonly number[])[],
  inputs: number,
  weights: Float32Array,
): PackedPivots {
  const own = pivots[0]!.length;
  const rest = inputs - own;
  const blocks = Math.ceil(own / LANES);
  const channels = new Int32Array(pivots.length * (blocks * LANES + rest));
  const filter = new Float32Array(pivots.length * blocks * rest * LANES);
  for (const [group, list] of pivots.entries()) {
    const isPivot = new Set(list);
    const others = Array.from({ length: inputs }, (_, c) => c).filter((c) => !isPivot.has(c));
    const table = group * (blocks * LANES + rest);
    // Lanes without an output start from channel 0 and are not stored.
    for (const [i, c] of list.entries()) channels[table + i] = c * STEP;
    for (const [t, c] of others.entries()) channels[table + blocks * LANES + t] = c * STEP;
    for (let i = 0; i < own; i++) {
      const block = (group * blocks + Math.floor(i / LANES)) * rest;
      for (let t = 0; t < rest; t++) {
        filter[(block + t) * LANES + (i % LANES)] = weights[(group * own + i) * rest + t]!;
      }
    }
  }
  return { channels, filter };
}
