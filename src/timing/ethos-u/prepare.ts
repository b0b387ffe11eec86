/** Ethos-U: what its compiler rewrites before it schedules, and what it leaves to the host. */
import { leaveToHost } from "../lower.ts";
import type { ElementwiseOperation, HostOperation, Operation, Program, WindowOperation } from "../operation.ts";
import type { NpuOperation } from "./block.ts";

export type EthosUOperation = NpuOperation | HostOperation;

const LARGEST_SIDE = 64;
const LARGEST_AREA = 64 * 64;
const LARGEST_STRIDE = 3;

/** Why the NPU cannot run an operation, or undefined. */
function missing(operation: Operation): string | undefined {
  switch (operation.kind) {
    case "depth-to-space":
      return "the NPU has no depth-to-space";
    case "convolution":
    case "depthwise": {
      const { kernel, stride, spread } = operation;
      if (spread > 2) return `the NPU spreads inputs by 2 at most, not by ${spread}`;
      if (Math.max(...kernel) > LARGEST_SIDE || kernel[0] * kernel[1] > LARGEST_AREA) {
        return `the NPU's kernels are at most ${LARGEST_SIDE}x${LARGEST_SIDE}, not ${kernel.join("x")}`;
      }
      if (Math.max(...stride) > LARGEST_STRIDE) {
        return `the NPU's strides are at most ${LARGEST_STRIDE}, not ${Math.max(...stride)}`;
      }
      return undefined;
    }
    default:
      return undefined;
  }
}

/** Padding that "same" needs along a row. */
const padding = (width: number, kernel: number, stride: number): number =>
  Math.max(0, (Math.ceil(width / stride) - 1) * stride + kernel - width);

/**
 * A picture of few channels is read two columns at a time where the stride allows it: [h, w, 3] becomes [h, w / 2, 6], and half of the
 * channels that a block would leave empty is filled.
 */
function foldColumns(operation: Operation): Operation {
  if (operation.kind !== "convolution" || operation.spread !== 1) return operation;
  const { input, kernel, stride, filter } = operation;
  const [h, w, c] = input.shape;
  const folded = Math.ceil(kernel[1] / 2);
  const fits = stride[1] === 2 && c <= 4 && w % 2 === 0 && kernel[1] >= 2;
  if (!fits || !filter || padding(w, kernel[1], 2) !== padding(w / 2, folded, 1)) return operation;
  return {
    ...operation,
    input: { ...input, shape: [h, w / 2, c * 2] },
    kernel: [kernel[0], folded],
    stride: [stride[0], 1],
    filter: { ...filter, values: kernel[0] * folded * c * 2 * filter.channels },
  };
}

/** PReLU with a slope a channel: slope * min(x, 0) + max(x, 0), an operation each. */
function expandSlope(operation: WindowOperation | ElementwiseOperation): NpuOperation[] {
  const { name, layers, output, bits, activation } = operation;
  if (activation !== "slope") return [{ ...operation, activation }];
  const linear = { ...output, name: `${name}.linear` };
  const step = (
    suffix: string,
    of: ElementwiseOperation["function"],
    input: typeof output,
    rest: { readonly second?: typeof output; readonly activation?: "clamp" } = {},
  ): NpuOperation => ({
    kind: "elementwise",
    name: `${name}${suffix}`,
    layers,
    function: of,
    input,
    output: { ...output, name: `${name}${suffix}` },
    activation: "none",
    bits,
    ...rest,
  });
  const named = (suffix: string) => ({ ...output, name: `${name}${suffix}` });
  return [
    { ...operation, name: linear.name, output: linear, activation: "none" },
    step(".negative", "minimum", linear),
    step(".scaled", "mul", named(".negative")),
    step(".positive", "identity", linear, { activation: "clamp" }),
    step("", "add", named(".scaled"), { second: named(".positive") }),
  ];
}

export interface EthosUProgram extends Omit<Program, "operations"> {
  readonly operations: readonly EthosUOperation[];
}

/** The operations that the NPU and its host run. */
export function prepareEthosU(program: Program): EthosUProgram {
  const [first, ...others] = program.operations;
  const folded = first ? [foldColumns(first), ...others] : [];
  const left = leaveToHost({ ...program, operations: folded }, missing);
  const operations = left.operations.flatMap((operation): EthosUOperation[] => {
    if (operation.kind === "host") return [operation];
    // leaveToHost took these.
    if (operation.kind === "depth-to-space") return [];
    return expandSlope(operation);
  });
  return { ...left, operations };
}
