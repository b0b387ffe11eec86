/** What an f32 kernel does with a finished sum, in the terms of its descriptor. */
export interface EpilogueF32 {
  /** Factors of negative sums, one an output channel. */
  readonly slopes?: Float32Array;
  readonly minimum: number;
  readonly maximum: number;
}

/**
 * An activation as slopes and a clamp. The clamp comes last, so ReLU with a residual behind it cannot be one (it would cut the
 * residual too): it is PReLU with slope 0. ReLU6 with a residual behind it has no such form; callers refuse it.
 */
export function epilogueF32(
  activation: "none" | "relu" | "relu6" | { readonly prelu: ArrayLike<number> },
  residualBehind: boolean,
  channels: number,
): EpilogueF32 {
  const open = { minimum: Number.NEGATIVE_INFINITY, maximum: Number.POSITIVE_INFINITY };
  if (typeof activation === "object") return { ...open, slopes: Float32Array.from(activation.prelu) };
  if (activation === "none") return open;
  if (activation === "relu6") return { minimum: 0, maximum: 6 };
  return residualBehind ? { ...open, slopes: new Float32Array(channels) } : { ...open, minimum: 0 };
}
