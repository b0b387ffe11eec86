/** Activations on real values, in float64. */
import type { Activation, PlainActivation } from "./description.ts";

/**
 * erf(x) = 2 / sqrt(pi) * exp(-x^2) * sum of 2^n x^(2n+1) / (2n+1)!!: all terms have one sign, so nothing cancels, and the result is good
 * to a few units in the last place. Beyond 6 it is 1 in float64.
 */
export function erf(x: number): number {
  if (Number.isNaN(x)) return x;
  if (Math.abs(x) > 6) return Math.sign(x);
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > Math.abs(sum) * 2 ** -55; n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

/** x * (min(max(x + 3, 0), 6) / 6) ("Searching for MobileNetV3", arXiv 1905.02244, section 5.2): x itself from 3 on. */
export function hardSwish(x: number): number {
  return x * (Math.min(6, Math.max(0, x + 3)) / 6);
}

/** x * (1 + erf(x / sqrt 2)) / 2, the exact form of "Gaussian Error Linear Units", arXiv 1606.08415; the limits at the infinities. */
export function gelu(x: number): number {
  return x === Number.NEGATIVE_INFINITY ? 0 : (x * (1 + erf(x / Math.SQRT2))) / 2;
}

/** Of one value. */
export function plainActivation(kind: PlainActivation["kind"], x: number): number {
  switch (kind) {
    case "relu":
      return Math.max(0, x);
    case "relu6":
      return Math.min(6, Math.max(0, x));
    case "hard-swish":
      return hardSwish(x);
    case "gelu":
      return gelu(x);
  }
}

/** An activation with its slopes at hand. */
export type RealActivation =
  | PlainActivation
  | Extract<Activation, { readonly kind: "mixed" }>
  | { readonly kind: "prelu"; readonly slopes: Float32Array | Float64Array };

/** One value through an activation; `channel` picks PReLU's slope. Absent means identity. */
export function realActivation(x: number, activation: RealActivation | undefined, channel: number): number {
  if (!activation) return x;
  if (activation.kind === "prelu") return x >= 0 ? x : x * activation.slopes[channel]!;
  if (activation.kind !== "mixed") return plainActivation(activation.kind, x);
  return activation.amount * plainActivation(activation.of, x) + (1 - activation.amount) * x;
}
