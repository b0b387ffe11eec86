/**
 * BT.601 studio-range YCbCr as 3x4 affine maps (ITU-R BT.601 with Y in 16..235, Cb and Cr in
 * 16..240). RGB has the range of its depth, 0..255 or 0..65535; YCbCr always has the units of 8 bits, not rounded.
 */
import type { Depth } from "./types.ts";

/** For R, G, B in 0..1. The one place in which the coefficients are written down. */
const FORWARD = [
  [65.481, 128.553, 24.966, 16],
  [-37.797, -74.203, 112, 128],
  [112, -93.786, -18.214, 128],
] as const;

/** Exact inverse of [A | t]: [A^-1 | -A^-1 t], by cofactors. */
function invert(m: readonly (readonly number[])[]): number[][] {
  const at = (row: number, col: number) => m[row % 3]![col % 3]!;
  const cofactor = (i: number, j: number) => at(i + 1, j + 1) * at(i + 2, j + 2) - at(i + 1, j + 2) * at(i + 2, j + 1);
  const determinant = at(0, 0) * cofactor(0, 0) + at(0, 1) * cofactor(0, 1) + at(0, 2) * cofactor(0, 2);
  return [0, 1, 2].map((i) => {
    const row = [0, 1, 2].map((j) => cofactor(j, i) / determinant);
    return [...row, -(row[0]! * m[0]![3]! + row[1]! * m[1]![3]! + row[2]! * m[2]![3]!)];
  });
}

const INVERSE = invert(FORWARD);

/** [R, G, B, 1] of the given depth -> Y, Cb, Cr: 12 coefficients, row-major. */
export function rgbToYCbCrCoefficients(depth: Depth): number[] {
  const unit = 1 / (2 ** depth - 1);
  return FORWARD.flatMap(([r, g, b, offset]) => [r * unit, g * unit, b * unit, offset]);
}

/** [Y, Cb, Cr, 1] -> R, G, B of the given depth: 12 coefficients, row-major. */
export function yCbCrToRgbCoefficients(depth: Depth): number[] {
  const limit = 2 ** depth - 1;
  return INVERSE.flatMap((row) => row.map((value) => value * limit));
}

/** Luma of grey g: Y = g * scale + offset, g in the range of its depth. */
export function greyToY(depth: Depth): { readonly scale: number; readonly offset: number } {
  const [r, g, b, offset] = FORWARD[0];
  return { scale: (r + g + b) / (2 ** depth - 1), offset };
}
