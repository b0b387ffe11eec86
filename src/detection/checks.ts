/** What every function of this folder asks of the maps, rows and boxes that it is given. */
import { check, checkObject } from "../errors.ts";
import type { Size } from "../image/types.ts";
import type { FeatureMap } from "../network/description.ts";

/** @throws WasmogradError ERR_ARGUMENT at the first value that is NaN or infinite */
export function checkFinite(name: string, values: Float32Array): void {
  let i = 0;
  while (i < values.length && Number.isFinite(values[i]!)) i++;
  check(i === values.length, "ERR_ARGUMENT", () => `${name}[${i}]: expected a finite number, got ${values[i]}`);
}

/**
 * An f32 feature map of at least one value, of the channels that are named where there are any.
 * @throws WasmogradError ERR_SHAPE, ERR_ARGUMENT (not f32, not finite)
 */
export function checkMap(name: string, map: FeatureMap<Float32Array>, channels?: number): void {
  checkObject(name, map);
  const { shape, data } = map;
  check(
    Array.isArray(shape),
    "ERR_SHAPE",
    () => `${name}.shape: expected three positive integers, got ${String(shape)}`,
  );
  const whole = shape.length === 3 && shape.every((side) => Number.isInteger(side) && side > 0);
  check(whole, "ERR_SHAPE", () => `${name}.shape: expected three positive integers, got [${shape.join(", ")}]`);
  check(channels === undefined || shape[2] === channels, "ERR_SHAPE", () => {
    return `${name}.shape: expected ${channels} channels, got ${shape[2]}`;
  });
  check(data instanceof Float32Array, "ERR_ARGUMENT", () => `${name}.data: expected a Float32Array`);
  const length = shape[0] * shape[1] * shape[2];
  check(data.length === length, "ERR_SHAPE", () => {
    return `${name}.data: expected ${length} values (${shape.join(" x ")}), got ${data.length}`;
  });
  checkFinite(`${name}.data`, data);
}

/**
 * Boxes [n, 4], n from 0.
 * @returns n
 * @throws WasmogradError ERR_SHAPE, ERR_ARGUMENT
 */
export function checkBoxes(name: string, boxes: Float32Array): number {
  check(boxes instanceof Float32Array, "ERR_ARGUMENT", () => `${name}: expected a Float32Array`);
  check(boxes.length % 4 === 0, "ERR_SHAPE", () => `${name}: expected 4 values a box, got ${boxes.length} in all`);
  checkFinite(name, boxes);
  return boxes.length / 4;
}

/** @throws WasmogradError ERR_SHAPE unless both sides are whole and positive */
export function checkSize(name: string, { width, height }: Size): void {
  const whole = Number.isInteger(width) && Number.isInteger(height) && width > 0 && height > 0;
  check(whole, "ERR_SHAPE", () => `${name}: expected whole sides from 1, got ${width} x ${height}`);
}
