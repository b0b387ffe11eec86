import { check } from "../../errors.ts";

/** What a convolution kernel needs to know about one input size. Sizes in elements, padding in pixels. */
export interface ConvGeometry {
  readonly ih: number;
  readonly iw: number;
  readonly ic: number;
  readonly oh: number;
  readonly ow: number;
  readonly oc: number;
  readonly kh: number;
  readonly kw: number;
  readonly stride: number;
  readonly padTop: number;
  readonly padLeft: number;
}

/**
 * Output extent and leading padding along one axis. "same" is TensorFlow's rule: output = ceil(input / stride), and an odd total of
 * padding puts the extra element at the end.
 */
export function convExtent(
  input: number,
  kernel: number,
  stride: number,
  padding: "same" | "valid",
): { readonly output: number; readonly before: number } {
  if (padding === "valid") return { output: Math.floor((input - kernel) / stride) + 1, before: 0 };
  const output = Math.ceil(input / stride);
  const total = Math.max(0, (output - 1) * stride + kernel - input);
  return { output, before: Math.floor(total / 2) };
}

/** Geometry of a convolution over [ih, iw, ic]. @throws WasmogradError ERR_SHAPE when a valid convolution has no output */
export function convGeometry(
  [ih, iw, ic]: readonly [number, number, number],
  oc: number,
  [kh, kw]: readonly [number, number],
  stride: number,
  padding: "same" | "valid",
): ConvGeometry {
  const vertical = convExtent(ih, kh, stride, padding);
  const horizontal = convExtent(iw, kw, stride, padding);
  check(
    vertical.output > 0 && horizontal.output > 0,
    "ERR_SHAPE",
    () => `input: a ${kh}x${kw} kernel with "valid" padding does not fit into ${ih}x${iw}`,
  );
  return {
    ih,
    iw,
    ic,
    oh: vertical.output,
    ow: horizontal.output,
    oc,
    kh,
    kw,
    stride,
    padTop: vertical.before,
    padLeft: horizontal.before,
  };
}
