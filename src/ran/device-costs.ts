/**
 * What RAN-e's blocks cost on a device of the timing model: the search's costs without a measurement, of hardware that need not be there.
 *
 * A block is simulated between two convolutions, as it would be in a network: its first normalisation and activation go into the operation
 * before it, its weights can come while that runs, and its maps lie as the device has them. Counted is what the block's operations take,
 * and what the operation before it takes longer for the activation that it takes in. Sums over a network come out near to its own time,
 * not at it: how far weights are fetched ahead and which maps stay in SRAM depends on what else is there. By closed formulas: what an
 * event simulation adds lies between the operations of a whole network.
 */
import type { Layer, Network } from "../network/description.ts";
import type { Device } from "../timing/devices/description.ts";
import type { LayerReport } from "../timing/report.ts";
import { type SimulateOptions, simulate } from "../timing/simulate.ts";
import type { BlockCosts } from "./block-costs.ts";
import { type BlockShape, blockNetwork } from "./block-shape.ts";

const convolution = (name: string, input: string, channels: number, side: 1 | 3): Layer => ({
  op: "conv2d",
  name,
  input,
  kernel: [side, side],
  stride: 1,
  padding: "same",
  channels,
  weights: `${name}.weight`,
});

const BEFORE = "before";
const BEHIND = "behind";
const INPUT = "x";

/** Channels grow from block to block: a smaller map than the block's own comes before. */
const half = ({ input }: BlockShape): number => Math.ceil(input / 2);

/** The block with a convolution before it, which the stem has not, and one behind, which the top has not. */
function between(shape: BlockShape): Network {
  const { name, layers, output } = blockNetwork(shape);
  const [first, ...rest] = layers as readonly [Extract<Layer, { op: "input" }>, ...Layer[]];
  const before = shape.block !== "stem";
  const moved = rest.map((layer): Layer => {
    if (!before) return layer;
    if (layer.op === "add") {
      return { ...layer, inputs: layer.inputs.map((i) => (i === INPUT ? BEFORE : i)) as unknown as [string, string] };
    }
    return "input" in layer && layer.input === INPUT ? { ...layer, input: BEFORE } : layer;
  });
  const behind = shape.block !== "top";
  return {
    name,
    layers: [
      before ? { ...first, channels: half(shape) } : first,
      ...(before ? [convolution(BEFORE, INPUT, shape.input, 3)] : []),
      ...moved,
      ...(behind ? [convolution(BEHIND, output, shape.output, 1)] : []),
    ],
    output: behind ? BEHIND : output,
  };
}

/** The convolution before, with nothing of the block in it. */
function beforeAlone(shape: BlockShape): Network {
  const layers: Layer[] = [
    { op: "input", name: INPUT, channels: half(shape) },
    convolution(BEFORE, INPUT, shape.input, 3),
    convolution(BEHIND, BEFORE, shape.input, 1),
  ];
  return { name: BEFORE, layers, output: BEHIND };
}

const sum = (layers: readonly LayerReport[]): number => layers.reduce((ms, layer) => ms + layer.ms, 0);

/**
 * Costs in milliseconds by simulation, block by block; ours.
 * @param options as `simulate` takes them, but for sizes: those are the blocks'
 * @throws WasmogradError (by `costOf`) as `simulate`
 */
export function deviceCosts(
  device: Device,
  options: Pick<SimulateOptions, "activations" | "bits" | "encodedSize"> = {},
): BlockCosts {
  return {
    device: `${device.id}, simulated`,
    unit: "ms",
    costOf: (shape) => {
      const run = (network: Network) =>
        simulate(network, device, { ...options, input: [shape.height, shape.width], mode: "analytic" }).layers;
      const ofBefore = ({ layers }: LayerReport): boolean => layers.includes(BEFORE);
      const all = run(between(shape)).filter(({ layers }) => !layers.includes(BEHIND));
      const own = sum(all.filter((layer) => !ofBefore(layer)));
      if (shape.block === "stem") return own;
      const longer = sum(all.filter(ofBefore)) - sum(run(beforeAlone(shape)).filter(ofBefore));
      // It may be faster too, where maps and weights find other places beside the block.
      return own + Math.max(0, longer);
    },
  };
}
