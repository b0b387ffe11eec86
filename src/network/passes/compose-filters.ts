/** Two convolutions in a row as one: the algebra behind RAN-e's collapsed blocks. */
import type { Conv2dLayer } from "../description.ts";
import { collapseFilters, type Filter, type WideFilter } from "./collapse-filter.ts";

/** A depthwise filter with the zeros that it stands for. */
function dense({ shape: [out, height, width], weights, bias }: Filter): Filter {
  const taps = height * width;
  const wide = new Float64Array(out * taps * out);
  for (let c = 0; c < out; c++) for (let t = 0; t < taps; t++) wide[(c * taps + t) * out + c] = weights[c * taps + t]!;
  return { shape: [out, height, width, out], weights: wide, ...(bias && { bias }) };
}

/**
 * The kxk convolution that equals a 1x1 one without bias followed by a kxk one:
 *
 *   weights[o,u,v,i] = sum_q second[o,u,v,q] * first[q,i]        bias as of the second
 *
 * Zeros beyond the border stay zeros through a 1x1 without bias, so it is exact there too. `first` has shape [q, 1, 1, in].
 */
export function composePointwiseFirst(first: Filter, second: Filter): WideFilter {
  const [out, height, width, inner] = second.shape;
  const inputs = first.shape[3];
  const positions = out * height * width;
  const weights = new Float64Array(positions * inputs);
  for (let p = 0; p < positions; p++) {
    for (let q = 0; q < inner; q++) {
      const factor = second.weights[p * inner + q]!;
      for (let i = 0; i < inputs; i++) weights[p * inputs + i]! += factor * first.weights[q * inputs + i]!;
    }
  }
  const bias = Float64Array.from({ length: out }, (_, o) => second.bias?.[o] ?? 0);
  return { shape: [out, height, width, inputs], weights, bias };
}

/** A 1x1 over all channels, at every pixel. */
export const isPointwise = ({ kernel: [h, w], stride, depthwise }: Conv2dLayer): boolean =>
  h === 1 && w === 1 && stride === 1 && !depthwise;

/** Why two convolutions in a row are no single one, or undefined. */
export function obstacle(first: Conv2dLayer, second: Conv2dLayer, firstBias: Filter["bias"]): string | undefined {
  if (isPointwise(second)) return undefined;
  if (!isPointwise(first)) {
    return `${second.kernel.join("x")} after ${first.kernel.join("x")} is one convolution away from the border only`;
  }
  const biased = second.padding !== "valid" && firstBias?.some((b) => b !== 0);
  if (biased) return "a bias before a padded convolution is missing beyond the border";
  return second.padding === "valid" && firstBias ? "a bias before a valid convolution is not supported" : undefined;
}

/** The composition, where there is no obstacle. */
export function compose(
  { layer: first, filter: a }: { layer: Conv2dLayer; filter: Filter },
  { layer: second, filter: b }: { layer: Conv2dLayer; filter: Filter },
): WideFilter {
  const [from, to] = [first.depthwise ? dense(a) : a, second.depthwise ? dense(b) : b];
  return isPointwise(second) ? collapseFilters(from, to) : composePointwiseFirst(from, to);
}
