/**
 * A network as the engine runs it on a CPU: after the engine's own passes, with the algorithms that it chooses, cut into its strips. All
 * that depends on weights is what can be expected of trained ones.
 */

import { convolutionGeometries, type NetworkSchedule, scheduleNetwork } from "../../engine/schedule.ts";
import { type AlgorithmOption, chooseF32, chooseS8 } from "../../kernels/convolution/choice.ts";
import type { ConvGeometry } from "../../kernels/convolution/geometry.ts";
import { roundUp } from "../../kernels/convolution/pack.ts";
import { directKernel } from "../../kernels/convolution/packed.ts";
import { scratchLayout } from "../../kernels/convolution/scratch.ts";
import type { LayerShape } from "../../kernels/convolution/spec.ts";
import { winogradKernel } from "../../kernels/winograd/algorithms.ts";
import { ROW_TABLE } from "../../kernels/winograd/rows.ts";
import type { Conv2dLayer, Layer, Network, Shape } from "../../network/description.ts";
import { lowerMixedNetwork } from "../../network/passes/lower-mixed.ts";
import { prepareNetwork } from "../../network/passes/prepare.ts";
import { inferShapes } from "../../network/shapes.ts";
import { validate } from "../../network/validate.ts";
import { absorbClips } from "../../quantization/assign.ts";
import type { ConvolutionLayer } from "./convolution-work.ts";
import { mapScratchBytes } from "./map-work.ts";

export interface CpuLowerOptions {
  readonly precision: "f32" | "int8";
  /** "auto" unless given, as `compile` has it. */
  readonly algorithm?: AlgorithmOption;
  /** All rows in one strip, layer by layer. */
  readonly whole?: boolean;
}

/** A convolution that has been decided upon. */
export interface LoweredConvolution extends ConvolutionLayer {
  readonly algorithm: string;
  /** As packed. */
  readonly filterBytes: number;
}

export interface CpuProgram {
  readonly network: Network;
  readonly precision: "f32" | "int8";
  readonly shapes: ReadonlyMap<string, Shape>;
  readonly convolutions: ReadonlyMap<string, LoweredConvolution>;
  readonly schedule: NetworkSchedule;
}

/** Mean of the magnitudes of int8 filters: of normal values whose largest is 127. */
const WEIGHT = 30;
/** Reach of an int8 input from its zero point, of the sign that adds up. */
const REACH = 160;

/** The layers that run. */
function ready(network: Network, precision: "f32" | "int8"): Network {
  const prepared = prepareNetwork(network);
  if (precision === "f32") return lowerMixedNetwork(prepared);
  // What clips clip to depends on scales; that they go does not.
  const any = new Map(prepared.layers.map(({ name }) => [name, { scale: 1, zeroPoint: 0 }]));
  return validate({ ...prepared, layers: absorbClips(prepared, any).layers });
}

function lowerConvolution(
  layer: Conv2dLayer,
  geometry: ConvGeometry,
  { precision, algorithm: option = "auto" }: CpuLowerOptions,
): LoweredConvolution {
  const [kh, kw] = layer.kernel;
  const { ic, oc } = geometry;
  const dtype = precision === "f32" ? "f32" : "s8";
  const shape: LayerShape = { ic, oc, kh, kw, stride: layer.stride, ...(layer.depthwise && { depthwise: true }) };
  const largest = kh * kw * ic * WEIGHT * REACH;
  const { algorithm } = dtype === "s8" ? chooseS8(option, shape, { largest }) : chooseF32(option, shape);
  const spec = { dtype, ...shape } as const;
  const winograd = winogradKernel(dtype, algorithm);
  const prefix = dtype === "s8" ? "qs8" : "f32";
  const direct = layer.depthwise ? "dwconv2d_2x4x4" : directKernel(spec);
  const kernel = winograd?.kernel ?? (algorithm === ROW_TABLE.algorithm ? ROW_TABLE.kernel : `${prefix}_${direct}`);
  const bytes = dtype === "s8" ? 2 : 4;
  const lanes = oc <= 4 ? 4 : 8;
  const values = winograd
    ? winograd.planes * ic * roundUp(oc, lanes)
    : algorithm === ROW_TABLE.algorithm
      ? ROW_TABLE.planes * ROW_TABLE.r * roundUp(ic, 8) * roundUp(oc, 4)
      : layer.depthwise
        ? kh * kw * roundUp(oc, 4) * (dtype === "s8" ? 2 : 1)
        : kh * kw * ic * roundUp(oc, lanes);
  return {
    spec,
    kernel,
    winograd,
    blocks: { channels: ic, blocked: false },
    geometry,
    residual: layer.residual !== undefined,
    algorithm,
    filterBytes: values * bytes,
  };
}

/**
 * @param input [height, width] of the picture
 * @throws WasmogradError as `inferShapes`
 */
export function lowerForCpu(
  network: Network,
  input: readonly [height: number, width: number],
  options: CpuLowerOptions,
): CpuProgram {
  const { precision, whole } = options;
  const prepared = ready(network, precision);
  const shapes = inferShapes(prepared, input);
  const geometries = convolutionGeometries(prepared, shapes);
  const convolutions = new Map<string, LoweredConvolution>();
  for (const layer of prepared.layers) {
    if (layer.op !== "conv2d") continue;
    convolutions.set(layer.name, lowerConvolution(layer, geometries.get(layer.name)!, options));
  }
  const context = { precision, shapes };
  const scratchBytes = Math.max(
    0,
    ...[...convolutions.values()].map((one) => scratchLayout(one, one.geometry).bytes),
    ...prepared.layers.map((layer: Layer) => mapScratchBytes(layer, context)),
  );
  const tileOf = ({ name }: Conv2dLayer) => ({
    rows: convolutions.get(name)!.winograd?.m ?? 1,
    movable: precision === "int8",
  });
  const bytesOf = () => (precision === "f32" ? 4 : 1);
  const scheduled = { network: prepared, bytesOf, shapes, geometries, tileOf, scratchBytes };
  const schedule = scheduleNetwork(scheduled, whole ? input[0] : undefined);
  return { network: prepared, precision, shapes, convolutions, schedule };
}
