import { convAxis, type Padding } from "../../conv-axis.ts";
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

/** Geometry of a convolution over [ih, iw, ic]. @throws WasmogradError ERR_SHAPE when a valid convolution has no output */
export function convGeometry(
  [ih, iw, ic]: readonly [number, number, number],
  oc: number,
  [kh, kw]: readonly [number, number],
  stride: number,
  padding: Padding,
): ConvGeometry {
  const vertical = convAxis(ih, kh, stride, padding);
  const horizontal = convAxis(iw, kw, stride, padding);
  check(
    vertical.size > 0 && horizontal.size > 0,
    "ERR_SHAPE",
    () => `input: a ${kh}x${kw} kernel with padding ${padding} does not fit into ${ih}x${iw}`,
  );
  return {
    ih,
    iw,
    ic,
    oh: vertical.size,
    ow: horizontal.size,
    oc,
    kh,
    kw,
    stride,
    padTop: vertical.padBefore,
    padLeft: horizontal.padBefore,
  };
}
