import { check } from "../errors.ts";
import type { Layer, Network } from "../network/description.ts";
import type { ModelFamily, ModelOptions } from "./family.ts";

/** m middle blocks, f feature channels, p channels inside a linear block (reference: SESR, arXiv 2103.09404 and its code). */
export const SESR_VARIANTS = {
  m3: { blocks: 3, features: 16, expansion: 256 },
  m5: { blocks: 5, features: 16, expansion: 256 },
  m7: { blocks: 7, features: 16, expansion: 256 },
  m11: { blocks: 11, features: 16, expansion: 64 },
  xl: { blocks: 11, features: 32, expansion: 64 },
} as const satisfies Record<SesrVariant, object>;

/** Sizes of SESR, from 3 to 11 blocks (arXiv 2103.09404). */
export type SesrVariant = "m3" | "m5" | "m7" | "m11" | "xl";

/** Of `sesr`. */
export interface SesrOptions {
  /** Which size. */
  readonly variant: SesrVariant;
  /** Upscaling factor. */
  readonly scale: 2 | 4;
  /** "collapsed" (default) is the network that runs; "expanded" the one that trains, in linear blocks. */
  readonly form?: "collapsed" | "expanded";
}

/** One kxk step of the network in either form; the layer's name is also the stem of its weights' names. */
function convolution(
  form: "collapsed" | "expanded",
  options: { name: string; input: string; kernel: number; channels: number; expansion: number; shortResidual: boolean },
): Layer {
  const { name, input, channels, expansion, shortResidual } = options;
  const kernel = [options.kernel, options.kernel] as const;
  if (form === "collapsed") {
    const weights = { weights: `${name}.weight`, bias: `${name}.bias` };
    return { op: "conv2d", name, input, kernel, stride: 1, padding: "same", channels, ...weights };
  }
  const expand = { weights: `${name}.expand.weight`, bias: `${name}.expand.bias` };
  const project = { weights: `${name}.project.weight`, bias: `${name}.project.bias` };
  return { op: "linear-block", name, input, kernel, expansion, channels, shortResidual, expand, project };
}

/**
 * The SESR super-resolution network: luma [h, w, 1] in 0..1 (Y / 255) -> luma [s*h, s*w, 1] in 0..1.
 *
 * The convolution path sees x - 0.5; x itself is added to every output channel before depth-to-space, which amounts to adding the
 * nearest-neighbour upsampling. Scale 4 is depth-to-space 2 twice. In the collapsed form the short residual of a middle block
 * lies in its kernel. Weights (OHWI): `first`, `blocks.0` ..., `last`, each with `.weight` and `.bias`, blocks with `.slope`;
 * in the expanded form `.expand.weight`, `.expand.bias`, `.project.weight` and `.project.bias` instead of the first two.
 *
 * Source: arXiv 2103.09404, section 3; the input's offset and the shipped sizes are ours.
 * @throws WasmogradError ERR_ARGUMENT on an unknown variant, scale or form
 */
export function sesr(options: SesrOptions): Network {
  const { variant, scale, form = "collapsed" } = options;
  const known = Object.keys(SESR_VARIANTS).join(", ");
  check(
    Object.hasOwn(SESR_VARIANTS, variant),
    "ERR_ARGUMENT",
    () => `variant: expected one of ${known}, got ${String(variant)}`,
  );
  check(scale === 2 || scale === 4, "ERR_ARGUMENT", () => `scale: expected 2 or 4, got ${String(scale)}`);
  check(
    form === "collapsed" || form === "expanded",
    "ERR_ARGUMENT",
    () => `form: expected "collapsed" or "expanded", got ${String(form)}`,
  );
  const { blocks, features, expansion } = SESR_VARIANTS[variant];
  const layers: Layer[] = [
    { op: "input", name: "x", channels: 1 },
    { op: "offset", name: "x.centred", input: "x", value: -0.5 },
    convolution(form, {
      name: "first",
      input: "x.centred",
      kernel: 5,
      channels: features,
      expansion,
      shortResidual: false,
    }),
  ];
  let last = "first";
  for (let i = 0; i < blocks; i++) {
    const name = `blocks.${i}`;
    layers.push(
      convolution(form, { name, input: last, kernel: 3, channels: features, expansion, shortResidual: true }),
    );
    last = `${name}.prelu`;
    layers.push({ op: "activation", name: last, input: name, activation: { kind: "prelu", slope: `${name}.slope` } });
  }
  layers.push(
    { op: "add", name: "features", inputs: [last, "first"] },
    convolution(form, {
      name: "last",
      input: "features",
      kernel: 5,
      channels: scale * scale,
      expansion,
      shortResidual: false,
    }),
    { op: "add", name: "cells", inputs: ["last", "x"] },
  );
  let tensor = "cells";
  for (let factor = 2; factor <= scale; factor *= 2) {
    const name = `upscaled.x${factor}`;
    layers.push({ op: "depth-to-space", name, input: tensor, block: 2 });
    tensor = name;
  }
  layers.push({ op: "clip", name: "y", input: tensor, min: 0, max: 1 });
  return { name: `sesr-${variant}-x${scale}`, layers, output: "y" };
}

/**
 * A SESR network by its id, scale 2 unless given. What upscales pictures asks here and not the registry, which would load all families.
 * @throws WasmogradError ERR_ARGUMENT on an unknown id (lists the known ones); as `sesr`
 */
export function sesrById(id: string, { scale = 2, form = "collapsed" }: ModelOptions = {}): Network {
  const known = SESR.ids.includes(id);
  check(known, "ERR_ARGUMENT", () => `model: expected one of ${SESR.ids.join(", ")}, got ${String(id)}`);
  return sesr({ variant: id.replace("sesr-", ""), scale, form } as SesrOptions);
}

export const SESR: ModelFamily = {
  name: "SESR",
  task: "super-resolution",
  ids: ["sesr-m3", "sesr-m5", "sesr-m7", "sesr-m11", "sesr-xl"],
  scales: [2, 4],
  forms: ["collapsed", "expanded"],
  input: ({ scale = 2 }) => [720 / scale, 1280 / scale],
  build: sesrById,
};
