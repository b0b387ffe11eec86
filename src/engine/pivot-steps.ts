/** The step of projections with pivots, f32. */
import type { AttentionKernelExports } from "../kernels/attention/exports.ts";
import { packPivots } from "../kernels/attention/pivots.ts";
import { pivotScratchBytes } from "../kernels/attention/scratch.ts";
import type { Model, PivotProjectionLayer, Shape } from "../network/description.ts";
import { inferChannels } from "../network/shapes.ts";
import type { Program, RowAddress, Step } from "./program.ts";

const constantsOf = (name: string) => ({ channels: `${name}.channels`, filter: `${name}.filter` });

/** Packed filters and tables of channels, by the names that the step looks up. */
export function* pivotConstants({
  network,
  weights,
}: Model): Iterable<readonly [string, Float32Array | Int32Array<ArrayBuffer>]> {
  const inputs = inferChannels(network);
  for (const layer of network.layers) {
    if (layer.op !== "pivot-projection") continue;
    const packed = packPivots(layer.pivots, inputs.get(layer.input)!, weights.get(layer.weights)!.data);
    const names = constantsOf(layer.name);
    yield [names.channels, packed.channels];
    yield [names.filter, packed.filter];
  }
}

/** Bytes of working memory of the step. */
export function pivotStepScratchBytes(
  { input, pivots }: PivotProjectionLayer,
  shapes: ReadonlyMap<string, Shape>,
): number {
  const [height, width, inputs] = shapes.get(input)!;
  return pivotScratchBytes(height * width, inputs, pivots[0]!.length);
}

export function pivotStep(
  attention: AttentionKernelExports,
  program: Program,
  { name, input, pivots }: PivotProjectionLayer,
  shapes: ReadonlyMap<string, Shape>,
  at: RowAddress,
  scratch: number,
): Step {
  const [, width, inputs] = shapes.get(input)!;
  const names = constantsOf(name);
  const [channels, filter] = [program.vector(names.channels), program.vector(names.filter)];
  const [groups, own] = [pivots.length, pivots[0]!.length];
  return (y, end) => {
    const pixels = (end - y) * width;
    attention.f32_pivot_projection(at(input, y), at(name, y), pixels, inputs, groups, own, channels, filter, scratch);
  };
}
