/**
 * One-dimensional Winograd along rows: F(4,5) takes 8 products for 4 neighbouring outputs of one kernel row, where direct convolution takes
 * 20; the kernel's rows are summed before the output transform. 2.5 times fewer products is less than two dimensions save, but the
 * transforms are almost free: each input row is transformed once, and only one output transform a row of a tile is left. With few output
 * channels, where two-dimensional transforms cost more than the products, that wins (ours; the points are those of F(6x6,3x3)).
 *
 * In the scaled form both factors fit int16: the gain of the input is 50 and that of the filter 100, one dimension each. The scale is
 * 360 = 2^3 * 45; 45 is undone by its inverse modulo 2^32, so results are exact where 2^3 times the sum fits int32.
 */
import { type Algorithm, winograd } from "./algorithm.ts";
import { type IntegerForm, integerForm, type ResultScale, resultScale } from "./integer-form.ts";
import { nest } from "./nested.ts";
import { type Transforms, transforms } from "./transforms.ts";

export interface RowAlgorithm {
  readonly id: "f1x4-5x5-rational";
  readonly kernel: "qs8_conv2d_f1x4_5x5";
  readonly algorithm: Algorithm;
  readonly form: IntegerForm;
  readonly result: ResultScale;
  /** Of both dimensions, of which only the horizontal schedules are used. */
  readonly transforms: Transforms;
}

let known: RowAlgorithm | undefined;

/** F(4,5), points 0, 1, -1, 2, -2, 1/2, -1/2 and infinity. */
export function rowAlgorithm(): RowAlgorithm {
  if (known) return known;
  const algorithm = winograd({ m: 4, r: 5, points: "0,1,-1,2,-2,1/2,-1/2,inf" });
  const form = integerForm(algorithm, "scaled");
  known = {
    id: "f1x4-5x5-rational",
    kernel: "qs8_conv2d_f1x4_5x5",
    algorithm,
    form,
    // The kernel's rows are summed as they are.
    result: resultScale(form, { ...form, scale: 1n }),
    transforms: transforms(nest({ vertical: algorithm, form: "scaled" })),
  };
  return known;
}
