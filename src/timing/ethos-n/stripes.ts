/**
 * Ethos-N: a feature map goes through the SRAM in stripes. What is transferred while the engines work, and what makes them wait, depends on
 * whether the SRAM has room for one stripe more than is needed. The search over shapes is ours; the rules are the vendor's library's.
 */
import { WasmogradError } from "../../errors.ts";
import type { Shape } from "../../network/description.ts";
import type { EthosN } from "../devices/description.ts";
import type { Operation, Tensor } from "../operation.ts";

/** Bytes of one pass over the DRAM. */
export interface PassTraffic {
  readonly read: number;
  readonly write: number;
  /** Of both, what no engine works beside. */
  readonly serialRead: number;
  readonly serialWrite: number;
  /** [height, width, output depth] */
  readonly stripe: Shape;
  readonly inputStripes: number;
  readonly weightStripes: number;
  readonly outputStripes: number;
  /** What the event mode needs to know beside. */
  readonly loop: StripeLoop;
}

/** In which order stripes come, and how many of them find room. */
export interface StripeLoop {
  /** Stripes of the output's plane, and of its depth. */
  readonly plane: number;
  readonly deep: number;
  /** Whether all input channels go into each output channel. */
  readonly all: boolean;
  /** Whether the input comes again for each stripe of the depth; otherwise weights come again, if both do not fit. */
  readonly inputAgain: boolean;
  readonly inputRead: number;
  readonly weightRead: number;
  /** Neighbours that a stripe needs on either side. */
  readonly halo: 0 | 1;
  readonly slots: { readonly input: number; readonly weights: number; readonly output: number };
  /** One stripe of the weights, and what is left of the SRAM. */
  readonly weightSlotBytes: number;
  readonly freeBytes: number;
}

/** A brick group, and the halo that is kept beside a stripe. */
const GROUP = 8;
const BRICK_DEPTH = 16;

const up = (value: number, multiple: number): number => Math.ceil(value / multiple) * multiple;

/** Bytes in the SRAM: all layouts are bricks there. */
const sramBytes = (h: number, w: number, c: number): number => up(h, GROUP) * up(w, GROUP) * up(c, BRICK_DEPTH);

/** Bytes in the DRAM: bricks are compressed, what the caller reads or writes is not. */
export function dramBytes({ activationSaving }: EthosN, { shape: [h, w, c], layout }: Tensor): number {
  return layout === "linear" ? h * w * c : sramBytes(h, w, c) * (1 - activationSaving);
}

/** Sizes to try along an axis: the whole, and halves of it down to one brick group. */
function sizes(whole: number, least: number): number[] {
  const list = [up(whole, least)];
  while (list.at(-1)! > least) list.push(up(Math.ceil(list.at(-1)! / 2), least));
  return list;
}

interface Pass {
  readonly operation: Operation;
  /** Where the feature maps are: those in "sram" never leave it. */
  readonly inputs: readonly ("dram" | "sram")[];
  readonly output: "dram" | "sram";
  readonly weightBytes: number;
}

/** One shape of stripes, or undefined where it does not fit. */
function tryStripe(
  device: EthosN,
  { operation, inputs, output, weightBytes }: Pass,
  [h, w, depth]: Shape,
): PassTraffic | undefined {
  const [oh, ow, oc] = operation.output.shape;
  const [ih, iw, ic] = operation.input.shape;
  const window = "kernel" in operation ? Math.max(...operation.kernel) > 1 : false;
  const [rows, columns, deep] = [Math.ceil(oh / h), Math.ceil(ow / w), Math.ceil(oc / depth)];
  // The part of the input that stands behind a stripe of the output.
  const partHeight = Math.min(ih, Math.ceil((h * ih) / oh));
  const halo = window && columns > 1 ? 2 * GROUP : 0;
  const partWidth = Math.min(iw, Math.ceil((w * iw) / ow)) + halo;
  const all = operation.kind === "convolution" || operation.kind === "fully-connected";
  const inputSlot = sramBytes(partHeight, partWidth, all ? ic : Math.min(ic, depth)) * inputs.length;
  const outputSlot = sramBytes(h, w, depth);
  const weightSlot = weightBytes / deep;
  const plane = rows * columns;
  const inputStripes = plane * (all ? 1 : deep);
  const needed = window && rows > 1 ? 3 : 1;
  const fixed = { input: needed * inputSlot, output: outputSlot, weights: weightSlot };
  let free = device.core.sramBytes - fixed.input - fixed.output - fixed.weights;
  if (free < 0) return undefined;
  const spare = (wanted: boolean, bytes: number): boolean => {
    if (!wanted || bytes > free) return false;
    free -= bytes;
    return true;
  };
  const inputParallel = spare(inputStripes > 1, inputSlot);
  const outputParallel = spare(plane * deep > 1, outputSlot);
  const weightParallel = spare(deep > 1, weightSlot);
  const second = operation.kind === "elementwise" && operation.second ? [operation.second] : [];
  const widened = partWidth / Math.max(1, partWidth - halo);
  const inputBytes = [operation.input, ...second].reduce(
    (sum, tensor, i) => sum + (inputs[i] === "dram" ? dramBytes(device, tensor) * widened : 0),
    0,
  );
  // Either the input comes again for each part of the weights, or these for each stripe of the input.
  const again = all && deep > 1 && plane > 1;
  const inputAgain = again && inputBytes * (deep - 1) < weightBytes * (plane - 1);
  const read = inputBytes * (inputAgain ? deep : 1);
  const weights = weightBytes * (again && !inputAgain ? plane : 1);
  const write = output === "dram" ? dramBytes(device, operation.output) : 0;
  return {
    read: read + weights,
    write,
    serialRead: (inputParallel ? 0 : read) + (weightParallel ? 0 : weights),
    serialWrite: outputParallel ? 0 : write,
    stripe: [h, w, depth],
    inputStripes: inputStripes * (inputAgain ? deep : 1),
    weightStripes: weightBytes === 0 ? 0 : deep * (again && !inputAgain ? plane : 1),
    outputStripes: plane * deep,
    loop: {
      plane,
      deep,
      all,
      inputAgain,
      inputRead: read,
      weightRead: weights,
      halo: needed === 3 ? 1 : 0,
      slots: {
        input: needed + Number(inputParallel),
        weights: 1 + Number(weightParallel),
        output: 1 + Number(outputParallel),
      },
      weightSlotBytes: weightSlot,
      freeBytes: free,
    },
  };
}

/**
 * The stripes with which a pass takes least by `timeOf`.
 * @throws WasmogradError ERR_UNSUPPORTED when even the smallest does not fit the SRAM
 */
export function chooseStripes(device: EthosN, pass: Pass, timeOf: (traffic: PassTraffic) => number): PassTraffic {
  const [oh, ow, oc] = pass.operation.output.shape;
  let best: PassTraffic | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const h of sizes(oh, GROUP)) {
    for (const w of sizes(ow, GROUP)) {
      for (const depth of sizes(oc, BRICK_DEPTH)) {
        const traffic = tryStripe(device, pass, [h, w, depth]);
        if (!traffic) continue;
        const time = timeOf(traffic);
        // Of equally fast ones that which leaves the engines most to overlap with.
        const serial = (t: PassTraffic): number => t.serialRead + t.serialWrite;
        if (time > least || (time === least && serial(traffic) >= serial(best!))) continue;
        [best, least] = [traffic, time];
      }
    }
  }
  if (best) return best;
  throw new WasmogradError(
    "ERR_UNSUPPORTED",
    `operation ${pass.operation.name}: expected more core.sramBytes, to hold its smallest stripes, got ${device.core.sramBytes}`,
  );
}
