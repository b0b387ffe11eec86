import type { Filter, WideFilter } from "../network/passes/collapse-filter.ts";
import { conv2dReal } from "./conv2d-f32.ts";

const wide = (length: number) => new Float64Array(length);

/**
 * Collapses a kxk and a 1x1 convolution by running them (SESR's Algorithm 1): one picture per input channel i holds a single 1 amid
 * zeros and passes through both without padding. What comes out at (a, b) is the filter's tap (k-1-a, k-1-b) for that channel, as
 * the window that begins at (a, b) sees the 1 there; hence the reversal of both axes. Biases do not take part: they are pushed
 * through the 1x1 alone. The slow twin of `collapseFilters`.
 */
export function collapseByDeltaImages(expand: Filter, project: Filter): WideFilter {
  const [inner, kh, kw, inputs] = expand.shape;
  const out = project.shape[0];
  const size = [2 * kh - 1, 2 * kw - 1, inputs] as const;
  const weights = wide(out * kh * kw * inputs);
  for (let i = 0; i < inputs; i++) {
    const data = wide(size[0] * size[1] * inputs);
    data[((kh - 1) * size[1] + kw - 1) * inputs + i] = 1;
    const options = { stride: 1, padding: "valid" } as const;
    const expanded = conv2dReal({ shape: size, data }, expand, options, wide);
    const { data: response } = conv2dReal(expanded, project, options, wide);
    for (let a = 0; a < kh; a++) {
      for (let b = 0; b < kw; b++) {
        for (let o = 0; o < out; o++) {
          const tap = ((o * kh + kh - 1 - a) * kw + kw - 1 - b) * inputs + i;
          weights[tap] = response[(a * kw + b) * out + o]!;
        }
      }
    }
  }
  const ofBias = { shape: [1, 1, inner] as const, data: expand.bias ?? wide(inner) };
  const bias = project.bias ? { bias: project.bias } : {};
  const pushed = conv2dReal(ofBias, project, { stride: 1, padding: "valid", ...bias }, wide);
  return { shape: [out, kh, kw, inputs], weights, bias: pushed.data };
}
