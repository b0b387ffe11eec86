/**
 * Layerwise Jacobians at initialisation against NN-Mass, the experiment of the parent paper (arXiv 1910.00780; "layerwise dynamical
 * isometry", LDI): how much does a layer stretch a small change of its input, on average over all directions?
 *
 * A cell of fully connected layers with DenseNet-type random skips. Layer 0 makes the first features from the data,
 *
 *     z_0 = W_0 x,   z_l = W_l phi(c_l),   c_l = [z_(l-1), skipChannels(cell)[l] of the values of z_0 .. z_(l-2), drawn at random]
 *
 * and the Jacobian of layer l >= 1 is J_l = W_l diag(phi'(c_l)), of shape [width][width + skips]. The figure is the mean of all singular
 * values of all J_l, zeros included, over inputs and networks.
 *
 * The parent's, from the authors' public code: the cells, the choice of skips, J_l, and the mean over layers of all singular values.
 * Ours: He's normal initialisation without biases (there: PyTorch's uniform default), ReLU or no activation (there: ELU), inputs drawn
 * from the normal distribution (there: MNIST), and that layer 0 and a last layer to the classes are left out, so that only what skips
 * can change is looked at.
 */
import { check } from "../errors.ts";
import { type RandomSource, randomSource } from "../random.ts";
import { cellMass, checkCell, type DenseCell, skipChannels } from "./nn-mass.ts";
import { singularValues } from "./singular-values.ts";

export interface JacobianOptions {
  readonly activation: "relu" | "linear";
  readonly seed: number;
  /** Networks drawn a cell, at least 1. */
  readonly networks: number;
  /** Inputs a network, at least 1. */
  readonly inputs: number;
}

/** Standard deviation of weights that keeps the second moment of z from layer to layer (He and others, arXiv 1502.01852). */
export function heDeviation(fanIn: number, activation: JacobianOptions["activation"]): number {
  return Math.sqrt((activation === "relu" ? 2 : 1) / fanIn);
}

/** `count` different indices below `length`, in the order of the draw. */
function choose(random: RandomSource, count: number, length: number): number[] {
  const indices = Array.from({ length }, (_, i) => i);
  for (let i = 0; i < count; i++) {
    const j = i + Math.floor(random.uniform() * (length - i));
    [indices[i], indices[j]] = [indices[j]!, indices[i]!];
  }
  return indices.slice(0, count);
}

interface Layer {
  /** [width][fanIn] */
  readonly weights: Float64Array;
  readonly fanIn: number;
  /** Into z_0 .. z_(l-2), one after the other. */
  readonly skips: readonly number[];
}

function drawLayers(cell: DenseCell, activation: JacobianOptions["activation"], random: RandomSource): Layer[] {
  const { width } = cell;
  return skipChannels(cell).map((count, l) => {
    const fanIn = width + count;
    const deviation = heDeviation(fanIn, l === 0 ? "linear" : activation);
    const skips = choose(random, count, Math.max(0, l - 1) * width);
    return { fanIn, skips, weights: Float64Array.from({ length: width * fanIn }, () => deviation * random.normal()) };
  });
}

/** Adds up the mean singular values of J_1 .. J_(depth-1) for one input. */
function sumOfMeans(layers: readonly Layer[], width: number, activation: string, x: Float64Array): number {
  const features: number[] = [];
  let previous: Float64Array = x;
  let sum = 0;
  for (const [l, { weights, fanIn, skips }] of layers.entries()) {
    const seen = Float64Array.from({ length: fanIn }, (_, i) =>
      i < width ? previous[i]! : features[skips[i - width]!]!,
    );
    if (l > 0) features.push(...previous);
    // ReLU and the identity are their derivative times their argument; the columns of those that do not pass are zero.
    const passing = [...seen.keys()].filter((i) => l === 0 || activation === "linear" || seen[i]! > 0);
    const jacobian = new Float64Array(width * passing.length);
    previous = new Float64Array(width);
    for (let o = 0, at = 0; o < width; o++) {
      for (const i of passing) {
        jacobian[at] = weights[o * fanIn + i]!;
        previous[o]! += jacobian[at++]! * seen[i]!;
      }
    }
    if (l === 0 || passing.length === 0) continue;
    sum += singularValues(jacobian, width, passing.length).reduce((total, s) => total + s, 0) / width;
  }
  return sum;
}

/** The mean singular value of a cell's layerwise Jacobians at initialisation. @throws WasmogradError ERR_ARGUMENT */
export function meanSingularValue(cell: DenseCell, { activation, seed, networks, inputs }: JacobianOptions): number {
  checkCell(cell);
  for (const [name, value] of Object.entries({ networks, inputs })) {
    check(
      Number.isSafeInteger(value) && value >= 1,
      "ERR_ARGUMENT",
      () => `${name}: expected an integer from 1, got ${value}`,
    );
  }
  const random = randomSource(seed);
  let sum = 0;
  for (let n = 0; n < networks; n++) {
    const layers = drawLayers(cell, activation, random);
    for (let i = 0; i < inputs; i++) {
      const x = Float64Array.from({ length: cell.width }, () => random.normal());
      sum += sumOfMeans(layers, cell.width, activation, x);
    }
  }
  return sum / (networks * inputs * (cell.depth - 1));
}

export interface StudyOptions extends Pick<JacobianOptions, "activation" | "seed" | "inputs"> {
  /** Of each cell as many networks are drawn as have this many layers with a Jacobian, so that deep and shallow cells get equal care. */
  readonly layers: number;
}

export interface JacobianPoint extends DenseCell {
  /** The parent's. */
  readonly nnMass: number;
  /** Weights of the cell, layer 0 included. */
  readonly params: number;
  readonly meanSingularValue: number;
}

/** The experiment over cells; the i-th has the seed `seed + i`. @throws WasmogradError ERR_ARGUMENT */
export function jacobianStudy(
  cells: readonly DenseCell[],
  { activation, seed, inputs, layers }: StudyOptions,
): JacobianPoint[] {
  return cells.map((cell, i) => ({
    ...cell,
    nnMass: cellMass(cell),
    params: skipChannels(cell).reduce((sum, skips) => sum + cell.width * (cell.width + skips), 0),
    meanSingularValue: meanSingularValue(cell, {
      activation,
      inputs,
      seed: seed + i,
      networks: Math.ceil(layers / (cell.depth - 1)),
    }),
  }));
}

/** Pearson's correlation of two rows of equally many numbers, -1 to 1; NaN where one does not vary. */
export function correlation(xs: readonly number[], ys: readonly number[]): number {
  const mean = (values: readonly number[]): number => values.reduce((sum, v) => sum + v, 0) / values.length;
  const [mx, my] = [mean(xs), mean(ys)];
  let [xx, yy, xy] = [0, 0, 0];
  for (const [i, x] of xs.entries()) {
    const [dx, dy] = [x - mx, ys[i]! - my];
    xx += dx * dx;
    yy += dy * dy;
    xy += dx * dy;
  }
  return xy / Math.sqrt(xx * yy);
}

/** Spearman's correlation, Pearson's of the ranks: 1 where one row grows with the other, however it bends. Ties have their mean rank. */
export function rankCorrelation(xs: readonly number[], ys: readonly number[]): number {
  const ranks = (values: readonly number[]): number[] =>
    values.map((v) => values.filter((w) => w < v).length + values.filter((w) => w === v).length / 2);
  return correlation(ranks(xs), ranks(ys));
}
