/** Sizes and factors of enlargements that no network was trained for: the nearest trained factor first, then a bicubic resize. */
import { check } from "../errors.ts";
import { checkSide, type Size } from "../image/types.ts";

/** The wanted size in pixels, or a factor for both axes: each side times the factor, rounded. */
export type EnlargeTo =
  | Size
  | {
      /** 1 to 16. */
      readonly scale: number;
    };

/** Beyond, hardly anything of the result would be the network's. */
export const MOST_SCALE = 16;

/** @throws WasmogradError ERR_ARGUMENT unless 1 <= scale <= 16 */
export function checkFactor(scale: unknown, name = "scale"): asserts scale is number {
  const sound = typeof scale === "number" && scale >= 1 && scale <= MOST_SCALE;
  check(sound, "ERR_ARGUMENT", () => `${name}: expected a factor from 1 to ${MOST_SCALE}, got ${String(scale)}`);
}

/**
 * The size that a picture is enlarged to.
 * @throws WasmogradError ERR_ARGUMENT for a factor outside 1..16 and for a size that is smaller than the picture on both axes, ERR_SHAPE for
 *   sides that are no sizes of pictures
 */
export function targetSize(input: Size, to: EnlargeTo): Size {
  check(typeof to === "object" && to !== null, "ERR_ARGUMENT", () => {
    return `to: expected { width, height } or { scale }, got ${String(to)}`;
  });
  if ("scale" in to) {
    checkFactor(to.scale, "to.scale");
    return { width: Math.round(input.width * to.scale), height: Math.round(input.height * to.scale) };
  }
  const { width, height } = to;
  checkSide(width, "to.width");
  checkSide(height, "to.height");
  check(width >= input.width || height >= input.height, "ERR_ARGUMENT", () => {
    return `to: expected a size from ${input.width}x${input.height}, which is the picture's, got ${width}x${height}`;
  });
  return { width, height };
}

/** The largest size of the picture's proportions inside a box, which it touches. */
export function fitInside(input: Size, box: Size): Size {
  const factor = Math.min(box.width / input.width, box.height / input.height);
  const side = (own: number, most: number): number => Math.min(most, Math.max(1, Math.round(own * factor)));
  return { width: side(input.width, box.width), height: side(input.height, box.height) };
}

/** By how much a picture grows, on the axis that grows more. */
export function factorOf(input: Size, target: Size): number {
  return Math.max(target.width / input.width, target.height / input.height);
}

/** The trained factor that is nearest in proportion, the larger of two that are equally near. @param trained not empty */
export function nearestScale<S extends number>(factor: number, trained: readonly S[]): S {
  const distance = (scale: number): number => Math.abs(Math.log(scale / factor));
  const [first, ...others] = [...trained].sort((a, b) => b - a);
  return others.reduce((best, scale) => (distance(scale) < distance(best) ? scale : best), first!);
}
