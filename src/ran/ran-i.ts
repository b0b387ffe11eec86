/**
 * RAN-i (RAN, official code): ConvNeXt-T with another depth and width. Its sizes, and what they cost, in closed form.
 *
 *   stem       Conv 4x4 stride 4 with bias, LayerNorm
 *   stage i    before it, from the second on: LayerNorm, Conv 2x2 stride 2 with bias; then depths[i] blocks of dims[i] channels
 *   block      depthwise 7x7 with bias, LayerNorm, Linear C -> 4C, GELU, Linear 4C -> C, layer scale, residual
 *   head       mean over pixels, LayerNorm, Linear C -> classes
 *
 * Stem and downsampling do not pad, so sizes that 32 does not divide lose their last rows and columns.
 */
import { check } from "../errors.ts";
import { type ConvNextSizes, type Stages, VARIANTS, type Variant } from "../models/convnext-sizes.ts";
import type { InputSize } from "../models/family.ts";
import { blockMass } from "./nn-mass.ts";

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/** Values that training changes; 8 C^2 + 58 C of them a block. */
export function countParams({ depths, dims }: ConvNextSizes, classes = 1000): number {
  const [first] = dims;
  const last = dims[3];
  const stem = 48 * first + first + 2 * first;
  const downsampling = [0, 1, 2].map((i) => 2 * dims[i]! + 4 * dims[i]! * dims[i + 1]! + dims[i + 1]!);
  const blocks = dims.map((c, i) => depths[i]! * (8 * c * c + 58 * c));
  const head = 2 * last + last * classes + classes;
  return stem + sum(downsampling) + sum(blocks) + head;
}

/** Pixels of each stage's feature maps. @throws WasmogradError ERR_ARGUMENT unless both sides are integers from 32 */
export function stagePixels([height, width]: InputSize): Stages {
  for (const [name, side] of Object.entries({ height, width })) {
    check(
      Number.isSafeInteger(side) && side >= 32,
      "ERR_ARGUMENT",
      () => `input ${name}: expected an integer from 32, got ${side}`,
    );
  }
  const at = (i: number): number => {
    // Halves of floors are floors of the whole division.
    const stride = 4 * 2 ** i;
    return Math.floor(height / stride) * Math.floor(width / stride);
  };
  return [at(0), at(1), at(2), at(3)];
}

/**
 * Multiply-accumulates of convolutions and linear layers for one picture; norms, GELU, layer scales and residuals are not counted.
 *
 * @throws WasmogradError ERR_ARGUMENT on an input that is too small
 */
export function countMacs({ depths, dims }: ConvNextSizes, input: InputSize, classes = 1000): number {
  const pixels = stagePixels(input);
  const stem = pixels[0] * 48 * dims[0];
  const downsampling = [1, 2, 3].map((i) => pixels[i]! * 4 * dims[i - 1]! * dims[i]!);
  const blocks = dims.map((c, i) => depths[i]! * pixels[i]! * (49 * c + 8 * c * c));
  return stem + sum(downsampling) + sum(blocks) + dims[3] * classes;
}

/** GELU evaluations for one picture: 4 C a pixel and block. @throws WasmogradError ERR_ARGUMENT on an input that is too small */
export function countGelu({ depths, dims }: ConvNextSizes, input: InputSize): number {
  const pixels = stagePixels(input);
  return sum(dims.map((c, i) => depths[i]! * pixels[i]! * 4 * c));
}

/** RAN's NN-Mass, which is half the number of GELU channels. */
export function massOf({ depths, dims }: ConvNextSizes): number {
  return blockMass(dims.map((width, i) => ({ depth: depths[i]!, width })));
}

/** A network of the family and its counts. */
export interface SizedNetwork extends ConvNextSizes {
  /** [height, width] in pixels. */
  readonly input: InputSize;
  /** Trainable values. */
  readonly params: number;
  /** For one picture of the size `input`. */
  readonly macs: number;
  /** RAN's NN-Mass, in channels. */
  readonly nnMass: number;
  /** Values that go through a GELU, for one picture. */
  readonly geluUnits: number;
}

/**
 * A network with its counts, for 1000 classes.
 *
 * @throws WasmogradError ERR_ARGUMENT on an input that is too small, ERR_TOO_LARGE on counts beyond 2^53
 */
export function measure({ depths, dims }: ConvNextSizes, input: InputSize): SizedNetwork {
  const sizes = { depths, dims };
  const macs = countMacs(sizes, input);
  check(
    Number.isSafeInteger(macs),
    "ERR_TOO_LARGE",
    () => `input: expected fewer than 2^53 multiply-accumulates, got ${macs.toPrecision(3)}`,
  );
  return {
    ...sizes,
    input,
    params: countParams(sizes),
    macs,
    nnMass: massOf(sizes),
    geluUnits: countGelu(sizes, input),
  };
}

/** The named network of these depths and widths, if there is one. */
export function variantOf({ depths, dims }: ConvNextSizes): Variant | undefined {
  const same = (a: Stages, b: Stages): boolean => a.every((n, i) => n === b[i]);
  return VARIANTS.find((variant) => same(variant.depths, depths) && same(variant.dims, dims));
}
