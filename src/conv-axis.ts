/** The one place that knows the padding rules: descriptions, kernels and the oracle all read it. */

/**
 * "same" is TensorFlow's: output = ceil(input / stride), the odd padding row or column goes behind. "valid": none. A number: as many
 * elements on each side, which is how PyTorch writes it.
 */
export type Padding = "same" | "valid" | number;

/** A convolution along one axis. */
export interface ConvAxis {
  /** Output positions; 0 when the kernel is larger than the padded input. */
  readonly size: number;
  /** Padding before the first element. */
  readonly padBefore: number;
  readonly padAfter: number;
}

/** Output size and padding of one axis of a convolution; sizes are positive integers. */
export function convAxis(input: number, kernel: number, stride: number, padding: Padding): ConvAxis {
  if (padding !== "same") {
    const pad = padding === "valid" ? 0 : padding;
    const size = Math.max(0, Math.floor((input + 2 * pad - kernel) / stride) + 1);
    // What no window reaches is not padding that a kernel has to provide.
    const padAfter = Math.max(0, (size - 1) * stride + kernel - input - pad);
    return { size, padBefore: pad, padAfter };
  }
  const size = Math.ceil(input / stride);
  const total = Math.max(0, (size - 1) * stride + kernel - input);
  const padBefore = Math.floor(total / 2);
  return { size, padBefore, padAfter: total - padBefore };
}

/** One axis of a transposed convolution as an ordinary one that computes all `stride` outputs of an input's place at once. */
export interface TransposedAxis {
  /** Inputs on each side that an output depends on: the ordinary kernel has 2 * reach + 1. */
  readonly reach: number;
  /** The tap of the transposed kernel that input q + d contributes to output q * stride + phase by, or undefined. */
  readonly tap: (phase: number, d: number) => number | undefined;
}

/** Output = input * stride; (kernel - stride) / 2, rounded down and at least 0, taps lie before an input's place. */
export function transposedAxis(kernel: number, stride: number): TransposedAxis {
  const before = Math.max(0, Math.floor((kernel - stride) / 2));
  const tap = (phase: number, d: number): number | undefined => {
    const u = phase + before - d * stride;
    return u >= 0 && u < kernel ? u : undefined;
  };
  const left = Math.floor((kernel - 1 - before) / stride);
  const right = Math.floor((stride - 1 + before) / stride);
  return { reach: Math.max(0, left, right), tap };
}
