import { check, WasmogradError } from "../errors.ts";
import { MAX_SIDE, type Size } from "../image/types.ts";

/**
 * The default of `maxPixels`: 2^27 = 134 Mpixel, for instance 12,000 x 9,000. Peak memory without sharp at that size:
 * PNG about 10 bytes a pixel, JPEG about 32, of which 9 are JavaScript heap.
 */
export const DEFAULT_MAX_PIXELS = 2 ** 27;

/**
 * @throws WasmogradError ERR_FORMAT for an empty picture, ERR_TOO_LARGE for one beyond the limit; before anything is
 *   decoded
 */
export function checkSize({ width, height }: Size, maxPixels: number, name: string): void {
  check(
    width > 0 && height > 0,
    "ERR_FORMAT",
    () => `${name}: expected a picture, got one of ${width} x ${height} pixels`,
  );
  check(width * height <= maxPixels, "ERR_TOO_LARGE", () => {
    return `${name}: ${width} x ${height} = ${width * height} pixels exceed the limit of ${maxPixels}`;
  });
  check(width <= MAX_SIDE && height <= MAX_SIDE, "ERR_TOO_LARGE", () => {
    return `${name}: ${width} x ${height} exceeds the greatest side of ${MAX_SIDE} pixels`;
  });
}

/** Validates the option. @throws WasmogradError ERR_ARGUMENT */
export function checkMaxPixels(maxPixels: number): void {
  check(maxPixels > 0, "ERR_ARGUMENT", () => `maxPixels: expected a positive number, got ${maxPixels}`);
}

/** A library's error as ours: one line, the original kept as the cause. */
export function damaged(name: string, format: string, cause: unknown): WasmogradError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  const line = reason.split("\n", 1)[0]!.trim();
  return new WasmogradError("ERR_FORMAT", `${name}: damaged ${format}: ${line}`, { cause });
}
