/** The one place that knows TensorFlow's padding rule: descriptions, kernels and the oracle all read it. */

/** A convolution along one axis. */
export interface ConvAxis {
  /** Output positions; 0 when a valid kernel is larger than the input. */
  readonly size: number;
  /** Padding before the first element (TensorFlow's rule: the odd one goes behind). */
  readonly padBefore: number;
  readonly padAfter: number;
}

/** Output size and padding of one axis of a convolution; all arguments are positive integers. */
export function convAxis(input: number, kernel: number, stride: number, padding: "same" | "valid"): ConvAxis {
  if (padding === "valid") {
    return { size: Math.max(0, Math.floor((input - kernel) / stride) + 1), padBefore: 0, padAfter: 0 };
  }
  const size = Math.ceil(input / stride);
  const total = Math.max(0, (size - 1) * stride + kernel - input);
  const padBefore = Math.floor(total / 2);
  return { size, padBefore, padAfter: total - padBefore };
}
