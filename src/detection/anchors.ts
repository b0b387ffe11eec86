/**
 * Anchors: the boxes that the region proposal network refines, the same set around every cell of the feature map. Order
 * and rounding are torchvision's AnchorGenerator: the weights of the network's last layers depend on both.
 */
import { check } from "../errors.ts";
import type { Size } from "../image/types.ts";
import type { Shape } from "../network/description.ts";
import { checkSize } from "./checks.ts";

/** Square roots of the anchors' areas, in pixels of the network's input. */
export const ANCHOR_SIZES: readonly number[] = [32, 64, 128, 256, 512];
/** Height / width. */
export const ANCHOR_RATIOS: readonly number[] = [0.5, 1, 2];
export const ANCHORS_PER_CELL = ANCHOR_SIZES.length * ANCHOR_RATIOS.length;

/** Greatest size and ratio, and 1 / the least: with these a half side is at most 2^20, within what `roundHalfEven` takes. */
const MOST = 2 ** 14;

/** Nearest integer, halves to even, for |x| < 2^22: in f32 the sum has no bits left for a fraction. */
const roundHalfEven = (x: number): number => Math.fround(x + 1.5 * 2 ** 23) - 1.5 * 2 ** 23;

/**
 * Anchors around the origin, all sizes of the first ratio first: [ratios * sizes, 4] as x1, y1, x2, y2, whole numbers.
 * Computed in f32, as torchvision does.
 * @throws WasmogradError ERR_ARGUMENT unless sizes and ratios are from 2^-14 to 2^14
 */
export function baseAnchors(
  sizes: readonly number[] = ANCHOR_SIZES,
  ratios: readonly number[] = ANCHOR_RATIOS,
): Float32Array {
  for (const [name, values] of [["sizes", sizes] as const, ["ratios", ratios] as const]) {
    const good = values.length > 0 && values.every((value) => value >= 1 / MOST && value <= MOST);
    check(
      good,
      "ERR_ARGUMENT",
      () => `${name}: expected numbers from 1/${MOST} to ${MOST}, got [${values.join(", ")}]`,
    );
  }
  const anchors: number[] = [];
  for (const ratio of ratios) {
    const tall = Math.fround(Math.sqrt(Math.fround(ratio)));
    const wide = Math.fround(1 / tall);
    for (const size of sizes) {
      const x = roundHalfEven(Math.fround(wide * size) / 2);
      const y = roundHalfEven(Math.fround(tall * size) / 2);
      anchors.push(-x, -y, x, y);
    }
  }
  return Float32Array.from(anchors);
}

/**
 * The anchors of a whole feature map, by row, column, then base anchor: [height * width * base, 4] in pixels of the
 * network's input. A cell's anchors lie around (column * stride, row * stride), its corner and not its centre; the
 * stride of each axis is floor(input / map).
 * @param shape  [height, width, channels] of the feature map
 * @param input  of the network, padding included
 * @param base   [n, 4], from `baseAnchors`
 * @throws WasmogradError ERR_SHAPE
 */
export function gridAnchors(shape: Shape, input: Size, base: Float32Array = baseAnchors()): Float32Array {
  const [rows, columns] = shape;
  checkSize("map", { width: columns, height: rows });
  checkSize("input", input);
  const strideY = Math.floor(input.height / rows);
  const strideX = Math.floor(input.width / columns);
  check(strideY > 0 && strideX > 0, "ERR_SHAPE", () => {
    return `map: expected no more cells than the input has pixels, ${input.width} x ${input.height}, got ${columns} x ${rows}`;
  });
  const anchors = new Float32Array(rows * columns * base.length);
  let at = 0;
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      for (let i = 0; i < base.length; i += 4) {
        anchors[at++] = base[i]! + column * strideX;
        anchors[at++] = base[i + 1]! + row * strideY;
        anchors[at++] = base[i + 2]! + column * strideX;
        anchors[at++] = base[i + 3]! + row * strideY;
      }
    }
  }
  return anchors;
}
