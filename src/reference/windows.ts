import { convAxis } from "../conv-axis.ts";
import { check } from "../errors.ts";
import type { Padding, Shape } from "../network/description.ts";

/** A filter of shape [out, height, width, in], values in that order. */
export type FilterShape = readonly [out: number, height: number, width: number, inputs: number];

export interface WindowOptions {
  readonly stride: number;
  readonly padding: Padding;
  /** Output channel c looks at input channel c alone, and the filter has one input channel. */
  readonly depthwise?: boolean;
}

/**
 * One row of one window: `count` values of the input from `input` on, to be multiplied with as many consecutive values of one output
 * channel's filter from `filter` on. Columns of the window that lie in the padding are cut off. The values of the input are consecutive,
 * but for depthwise convolutions: there they are those of the first channel, `step` = channels apart.
 */
export interface WindowRow {
  readonly input: number;
  readonly step: number;
  readonly filter: number;
  readonly count: number;
}

/**
 * Calls `visit` for every output pixel (row by row) with the rows of its window that lie in the picture. As padding is real zero, what
 * is cut off contributes nothing. Returns the output's shape.
 * @throws WasmogradError ERR_SHAPE when a valid window does not fit, or the filter's channels are not the input's
 */
export function forEachWindow(
  input: Shape,
  filter: FilterShape,
  { stride, padding, depthwise = false }: WindowOptions,
  visit: (pixel: number, rows: readonly WindowRow[]) => void,
): Shape {
  const [height, width, channels] = input;
  const [out, kh, kw, inputs] = filter;
  const expected = depthwise ? 1 : channels;
  check(inputs === expected, "ERR_SHAPE", () => `filter: expected ${expected} input channels, got ${inputs}`);
  check(!depthwise || out === channels, "ERR_SHAPE", () => `filter: expected ${channels} output channels, got ${out}`);
  const step = depthwise ? channels : 1;
  const vertical = convAxis(height, kh, stride, padding);
  const horizontal = convAxis(width, kw, stride, padding);
  const fits = vertical.size > 0 && horizontal.size > 0;
  check(fits, "ERR_SHAPE", () => `input: expected at least ${kh}x${kw}, got ${height}x${width}`);
  for (let oy = 0; oy < vertical.size; oy++) {
    const y = oy * stride - vertical.padBefore;
    for (let ox = 0; ox < horizontal.size; ox++) {
      const x = ox * stride - horizontal.padBefore;
      const left = Math.max(0, -x);
      const count = (Math.min(kw, width - x) - left) * inputs;
      const rows: WindowRow[] = [];
      for (let u = Math.max(0, -y); u < Math.min(kh, height - y); u++) {
        const input = ((y + u) * width + x + left) * channels;
        rows.push({ input, step, filter: (u * kw + left) * inputs, count });
      }
      visit(oy * horizontal.size + ox, rows);
    }
  }
  return [vertical.size, horizontal.size, out];
}

/** Output shape alone, as `forEachWindow` returns it. */
export function convShape(
  [height, width]: Shape,
  [out, kh, kw]: FilterShape,
  { stride, padding }: WindowOptions,
): Shape {
  return [convAxis(height, kh, stride, padding).size, convAxis(width, kw, stride, padding).size, out];
}
