/** Which further points make an F(4x4,3x3) that fits int16: every choice of four from a list of small fractions, with 0 and infinity. */
import { type Algorithm, winograd } from "../../src/winograd/algorithm.ts";
import { channelLimits, growth } from "../../src/winograd/growth.ts";
import { type FormKind, integerForm } from "../../src/winograd/integer-form.ts";
import type { Matrix } from "../../src/winograd/matrix.ts";
import { nest } from "../../src/winograd/nested.ts";

/** Magnitudes; the list has them with both signs. */
export const SIZES = ["1", "2", "1/2", "3", "1/3", "3/2", "2/3", "4", "1/4"] as const;
const FORMS = ["scaled", "split", "row-normalised"] as const satisfies readonly FormKind[];

export interface Choice {
  readonly points: string;
  /** Forms whose inputs and filters both fit. */
  readonly forms: readonly FormKind[];
  readonly scale: number;
  readonly shift: number;
  readonly odd: number;
  readonly inputBits: number;
  /** In the row-normalised form, where filters are narrowest. */
  readonly filterBits: number;
  readonly channels: number;
}

const rowGain = (matrix: Matrix): number =>
  Math.max(...matrix.map((row) => row.reduce((sum, z) => sum + Math.abs(z.toNumber()), 0)));

/** The gain in two dimensions is the square of that in one, and a value of gain g reaches at least 127 g. */
function mayFit(vertical: Algorithm): boolean {
  const { G, BT } = integerForm(vertical, "row-normalised");
  return [G, BT].every((matrix) => 127 * rowGain(matrix) ** 2 <= 2 ** 15);
}

/** All choices that contain 1, where kernels add the bias, and of them those that fit in some form. */
export function searchPoints(): { readonly tried: number; readonly fitting: readonly Choice[] } {
  const others = SIZES.flatMap((size) => (size === "1" ? ["-1"] : [size, `-${size}`]));
  let tried = 0;
  const fitting: Choice[] = [];
  for (const [i, a] of others.entries()) {
    for (const [j, b] of others.entries()) {
      for (const c of j > i ? others.slice(j + 1) : []) {
        tried++;
        const points = ["0", "1", a, b, c, "inf"].join(",");
        const vertical = winograd({ m: 4, r: 3, points });
        if (!mayFit(vertical)) continue;
        const nested = FORMS.map((form) => nest({ vertical, form }));
        const forms = FORMS.filter((_, f) => growth(nested[f]!).fitsInt16);
        if (forms.length === 0) continue;
        const narrow = nested[FORMS.indexOf("row-normalised")]!;
        const { input, filter } = growth(narrow);
        const { scale, shift, odd } = narrow.result;
        fitting.push({
          points,
          forms,
          scale: Number(scale),
          shift,
          odd: Number(odd),
          inputBits: input.bits,
          filterBits: filter.bits,
          channels: channelLimits(narrow).oddUndone,
        });
      }
    }
  }
  return { tried, fitting };
}
