/** One algorithm in figures: what it costs, how wide its values are, how many channels stay exact. */
import { algorithmOf, CATALOGUE, nestedOf } from "./catalogue.ts";
import { type ChannelLimits, channelLimits, directChannels, type Growth, growth } from "./growth.ts";
import type { FormKind } from "./integer-form.ts";
import { WINOGRAD_KERNELS } from "./kernel-table.ts";
import type { Nested } from "./nested.ts";
import { countProducts } from "./structure.ts";
import { countTransforms, type TransformCounts, transforms } from "./transforms.ts";

/** One algorithm in figures. */
export interface AlgorithmSummary {
  /** As it was given. */
  readonly title: string;
  /** As text; of both directions where they differ. */
  readonly points: string;
  /** Where the factors went. */
  readonly form: FormKind;
  /** "2G", "4G", "24G": the factor in the filter; "Gn": row-normalised; "odd Gn": its odd part in the filter. */
  readonly formName: string;
  /** Of a tile. */
  readonly outputs: number;
  /** Of the kernel: rows x columns. */
  readonly taps: number;
  /** Real products a tile and channel, with three for a complex one. */
  readonly products: number;
  /** The same with four for a complex one. */
  readonly productsWithFour: number;
  /** Multiplications of direct convolution over products. */
  readonly reduction: number;
  /** Of the transforms. */
  readonly operations: TransformCounts;
  /** What results are multiplied by. */
  readonly scale: number;
  /** Worst width of a transformed input. */
  readonly input: Growth["input"];
  /** Worst width of a transformed filter. */
  readonly filter: Growth["filter"];
  /** Magnitude. */
  readonly largestProduct: number;
  /** Two's complement width that holds every product. */
  readonly productBits: number;
  /** Whether all factors do. */
  readonly fitsInt16: boolean;
  /** Input channels that are safe. */
  readonly channels: ChannelLimits;
  /** One line: whether int8 convolution in int16 operands is exact, and up to where. */
  readonly exactness: string;
}

/**
 * All figures of an algorithm: products, operations, widths, channels; ours.
 * @param title what the summary calls it
 * @throws WasmogradError ERR_UNSUPPORTED when a coefficient passes 2^53
 */
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
