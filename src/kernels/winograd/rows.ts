/** The row algorithm (winograd/rows.ts) as the kernels' side needs it: where it applies, when it is exact, its filters. */
import { type PackedFilters, written } from "./filter.ts";
import { ROW_TABLE } from "./rows-table.ts";

export { ROW_TABLE };
export type RowId = typeof ROW_TABLE.algorithm;

export function rowsApply({
  kh,
  kw,
  stride,
  depthwise,
}: {
  readonly kh: number;
  readonly kw: number;
  readonly stride: number;
  readonly depthwise?: boolean;
}): boolean {
  return kh === ROW_TABLE.r && kw === ROW_TABLE.r && stride === 1 && !depthwise;
}

/** The exact rule: 2^shift |acc| < 2^31. @param largest magnitude of the layer's sums, zero point and bias included */
export function rowsFit(largest: number): boolean {
  return 2 ** ROW_TABLE.shift * largest < 2 ** 31;
}

/** OHWI int8 filters -> int16 [oc/4][planes][kernel rows][pairs of channels, whole eights][4 outputs][2]. */
export function packRows(weights: Int8Array, oc: number, ic: number): PackedFilters {
  const { planes, r, filter } = ROW_TABLE;
  const steps = Math.ceil(ic / 8) * 4;
  const packed = new Int16Array(Math.ceil(oc / 4) * planes * r * steps * 8);
  for (let o = 0; o < oc; o++) {
    for (let p = 0; p < planes; p++) {
      const row = filter[p]!;
      for (let u = 0; u < r; u++) {
        const to = ((Math.floor(o / 4) * planes + p) * r + u) * steps * 8 + (o % 4) * 2;
        for (let c = 0; c < ic; c++) {
          let sum = 0;
          for (let v = 0; v < r; v++) sum += row[v]! * weights[((o * r + u) * r + v) * ic + c]!;
          packed[to + (c >> 1) * 8 + (c & 1)] = sum;
        }
      }
    }
  }
  return written(packed);
}
