/** One algorithm in figures: what it costs, how wide its values are, how many channels stay exact. */
import { algorithmOf, CATALOGUE, nestedOf } from "./catalogue.ts";
import { type ChannelLimits, channelLimits, directChannels, type Growth, growth } from "./growth.ts";
import type { FormKind } from "./integer-form.ts";
import { WINOGRAD_KERNELS } from "./kernel-table.ts";
import type { Nested } from "./nested.ts";
import { countProducts } from "./structure.ts";
import { countTransforms, type TransformCounts, transforms } from "./transforms.ts";

export interface AlgorithmSummary {
  readonly title: string;
  readonly points: string;
  readonly form: FormKind;
  /** "2G", "4G", "24G": the factor in the filter; "Gn": row-normalised; "odd Gn": its odd part in the filter. */
  readonly formName: string;
  /** Outputs of a tile, taps of the kernel: rows x columns. */
  readonly outputs: number;
  readonly taps: number;
  /** Real products a tile and channel; with four multiplications a complex product. */
  readonly products: number;
  readonly productsWithFour: number;
  /** Multiplications of direct convolution over products. */
  readonly reduction: number;
  readonly operations: TransformCounts;
  readonly scale: number;
  readonly input: Growth["input"];
  readonly filter: Growth["filter"];
  readonly largestProduct: number;
  readonly productBits: number;
  readonly fitsInt16: boolean;
  readonly channels: ChannelLimits;
  /** One line: whether int8 convolution in int16 operands is exact, and up to where. */
  readonly exactness: string;
}

export function summarise(nested: Nested, title: string): AlgorithmSummary {
  const { vertical, horizontal, result, structure } = nested;
  const [v, h] = [vertical.algorithm, horizontal.algorithm];
  const [outputs, taps] = [v.m * h.m, v.r * h.r];
  const { products, withFour } = countProducts(structure);
  const grown = growth(nested);
  const channels = channelLimits(nested);
  const points = v === h ? [v] : [v, h];
  const wide = (["input", "filter"] as const)
    .filter((side) => grown[side].bits > 16)
    .map((side) => `${side} ${grown[side].bits} bits`);
  return {
    title,
    points: points.map((algorithm) => algorithm.points.join(",")).join(" x "),
    form: vertical.kind,
    formName: { scaled: `${vertical.scale}G`, "row-normalised": "Gn", split: "odd Gn" }[vertical.kind],
    outputs,
    taps,
    products,
    productsWithFour: withFour,
    reduction: (outputs * taps) / products,
    operations: countTransforms(transforms(nested)),
    scale: Number(result.scale),
    input: grown.input,
    filter: grown.filter,
    largestProduct: grown.largestProduct,
    productBits: grown.productBits,
    fitsInt16: grown.fitsInt16,
    channels,
    exactness:
      wide.length === 0
        ? `exact to ${channels.oddUndone} channels whatever the data`
        : `does not fit int16: ${wide.join(", ")}`,
  };
}

export interface TableRow extends AlgorithmSummary {
  /** Kernels that compute in this form. */
  readonly kernels: readonly string[];
}

/** The catalogue, each algorithm in its preferred form and in those that kernels use; rational F(4x4,3x3) in all three. */
export function algorithmTable(): TableRow[] {
  return CATALOGUE.flatMap(({ id, title }) => {
    const used = WINOGRAD_KERNELS.filter(({ algorithm }) => algorithm === id);
    const preferred = nestedOf(id).vertical.kind;
    const forms = new Set<FormKind>([preferred, ...used.map(({ form }) => form)]);
    return [...forms].map((form) => ({
      ...summarise(nestedOf(id, { form }), title),
      kernels: used.filter((entry) => entry.form === form).map(({ kernel }) => kernel),
    }));
  });
}

/** Channels that direct convolution sums exactly in int32, for the kernel size of an algorithm. */
export function directLimit(id: Parameters<typeof algorithmOf>[0]): number {
  return directChannels(algorithmOf(id).r ** 2);
}
