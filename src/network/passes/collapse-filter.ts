/** One convolution's values in either precision. Filters OHWI. */
export interface Filter {
  readonly shape: readonly [out: number, height: number, width: number, inputs: number];
  readonly weights: Float32Array | Float64Array;
  /** [out]; absent means zero. */
  readonly bias?: Float32Array | Float64Array;
}

/** A filter in float64, as the collapse algebra computes it before any rounding. */
export interface WideFilter extends Filter {
  readonly weights: Float64Array;
  readonly bias: Float64Array;
}

/**
 * The kxk convolution that equals a kxk one followed by a 1x1 with nothing between (SESR section 3; cross-correlation):
 *
 *   weights[o,u,v,i] = sum_q project[o,q] * expand[q,u,v,i]      bias[o] = sum_q project[o,q] * expandBias[q] + projectBias[o]
 *
 * Exact at every pixel, the borders of zero-padded pictures included, because the only spatial operation comes first and emits its
 * bias there too. Sums are float64. `project` has shape [out, 1, 1, q] with q = expand's output channels.
 */
export function collapseFilters(expand: Filter, project: Filter): WideFilter {
  const [inner, height, width, inputs] = expand.shape;
  const out = project.shape[0];
  const taps = height * width * inputs;
  const weights = new Float64Array(out * taps);
  const bias = Float64Array.from({ length: out }, (_, o) => project.bias?.[o] ?? 0);
  for (let o = 0; o < out; o++) {
    for (let q = 0; q < inner; q++) {
      const factor = project.weights[o * inner + q]!;
      for (let t = 0; t < taps; t++) weights[o * taps + t]! += factor * expand.weights[q * taps + t]!;
      bias[o]! += factor * (expand.bias?.[q] ?? 0);
    }
  }
  return { shape: [out, height, width, inputs], weights, bias };
}

/** Adds the identity to the centre tap of an odd kernel with as many outputs as inputs: x + conv(x) = conv'(x). In place. */
export function addIdentity({ shape: [out, height, width, inputs], weights }: WideFilter): void {
  const centre = Math.floor(height / 2) * width + Math.floor(width / 2);
  for (let c = 0; c < out; c++) weights[(c * height * width + centre) * inputs + c]! += 1;
}
