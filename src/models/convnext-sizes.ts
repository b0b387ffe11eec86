/** Depths and widths of ConvNeXt (arXiv 2201.03545) and of RAN-i, which is ConvNeXt-T at another depth and width (RAN, official code). */
import { check } from "../errors.ts";
import { roundHalfEven } from "../rounding.ts";

/** One number a stage. */
export type Stages = readonly [number, number, number, number];

/** What tells one network of the family from another. */
export interface ConvNextSizes {
  /** Blocks of each stage. */
  readonly depths: Stages;
  /** Channels of each stage. */
  readonly dims: Stages;
}

/** By what RAN-i scales its template, ConvNeXt-T. */
export interface Multipliers {
  /** Of the channels of each stage, at most 1000. */
  readonly width: number;
  /** Of the blocks of each stage, at most 1000. */
  readonly depth: number;
}

/** ConvNeXt-T, which RAN-i scales. */
export const TEMPLATE: ConvNextSizes = { depths: [3, 3, 9, 3], dims: [96, 192, 384, 768] };

export interface Variant extends ConvNextSizes {
  readonly id: string;
  readonly title: string;
  /** Of the template; absent where depths and widths are not scaled by one number each. */
  readonly multipliers?: Multipliers;
}

const scaled = (id: string, title: string, width: number, depth: number): Variant => ({
  id,
  title,
  multipliers: { width, depth },
  ...sizesOf({ width, depth }),
});

/** ConvNeXt (arXiv 2201.03545) and the released RAN-i networks (RAN, official code). */
export const VARIANTS: readonly Variant[] = [
  { id: "convnext-t", title: "ConvNeXt-T", ...TEMPLATE },
  { id: "convnext-s", title: "ConvNeXt-S", depths: [3, 3, 27, 3], dims: TEMPLATE.dims },
  { id: "convnext-b", title: "ConvNeXt-B", depths: [3, 3, 27, 3], dims: [128, 256, 512, 1024] },
  scaled("ran-i-t", "RAN-i-T", 0.666, 1.65),
  scaled("ran-i-s", "RAN-i-S", 0.789, 1.65),
  scaled("ran-i-b", "RAN-i-B", 0.9105, 2.3),
];

/**
 * Depths and widths of a scaled template, ConvNeXt-T, each product rounded as Python's `round` does: halves to even (RAN, official code).
 *
 * @throws WasmogradError ERR_ARGUMENT on multipliers that leave a stage without blocks or channels, or above 1000
 */
export function sizesOf({ width, depth }: Multipliers): ConvNextSizes {
  const times = (name: string, template: Stages, by: number): Stages => {
    const rounded = template.map((n) => roundHalfEven(n * by)) as unknown as Stages;
    check(
      by <= 1000 && rounded.every((n) => n >= 1),
      "ERR_ARGUMENT",
      () => `${name}: expected more than ${(0.5 / Math.min(...template)).toFixed(4)} and at most 1000, got ${by}`,
    );
    return rounded;
  };
  return { depths: times("depth", TEMPLATE.depths, depth), dims: times("width", TEMPLATE.dims, width) };
}
