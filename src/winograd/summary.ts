/** One algorithm in figures: what it costs, how wide its values are, how many channels stay exact. */
import { algorithmOf, CATALOGUE, nestedOf } from "./catalogue.ts";
import { type ChannelLimits, channelLimits, directChannels, type Growth, growth } from "./growth.ts";
import type { FormKind } from "./integer-form.ts";
import type { Nested } from "./nested.ts";
import { countProducts } from "./structure.ts";
import { countTransforms, type TransformCounts, transforms } from "./transforms.ts";

export interface AlgorithmSummary {
  readonly title: string;
  readonly points: string;
  readonly form: FormKind;
  /** "2G", "4G", "24G": the factor in the filter; "Gn": row-normalised. */
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
    formName: vertical.kind === "scaled" ? `${vertical.scale}G` : "Gn",
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

/** The catalogue, each algorithm in its preferred form, and the rational F(4x4,3x3) in the scaled one too, for its 18 bits. */
export function algorithmTable(): AlgorithmSummary[] {
  return CATALOGUE.flatMap(({ id, title }) => {
    const preferred = nestedOf(id);
    const rows = [summarise(preferred, title)];
    if (id === "f4x4-3x3-rational") rows.push(summarise(nestedOf(id, { form: "scaled" }), title));
    return rows;
  });
}

/** Channels that direct convolution sums exactly in int32, for the kernel size of an algorithm. */
export function directLimit(id: Parameters<typeof algorithmOf>[0]): number {
  return directChannels(algorithmOf(id).r ** 2);
}
