/** The layers of transformers: each computes all of its output from all of its inputs. */
import type { Layer } from "./description.ts";

const TOKEN_OPS = [
  "attention",
  "class-token",
  "positions",
  "fourier-positions",
  "take-token",
  "replace-token",
] as const satisfies readonly Layer["op"][];

export type TokenLayer = Extract<Layer, { readonly op: (typeof TOKEN_OPS)[number] }>;

export function isTokenLayer(layer: Layer): layer is TokenLayer {
  return (TOKEN_OPS as readonly string[]).includes(layer.op);
}
