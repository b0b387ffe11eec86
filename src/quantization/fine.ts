/** Real tensors of an int8 network that convolutions read in two parts: levels, and what is left in eighths of one. */
import { check } from "../errors.ts";
import type { Layer, Network, SplitLayer } from "../network/description.ts";
import { inputLayer, tensorsRead } from "../network/graph.ts";
import { roundHalfEven } from "../rounding.ts";
import { FINE } from "./requantize.ts";

/** Whether nothing reads the tensor but convolutions over all its channels, and these as their input. */
function feedsConvolutions({ layers }: Network, tensor: string): boolean {
  const readers = layers.filter((layer) => tensorsRead(layer).includes(tensor));
  return readers.every(
    (layer) => layer.op === "conv2d" && !layer.depthwise && layer.input === tensor && layer.residual?.tensor !== tensor,
  );
}

/**
 * Checks what is asked to be fine.
 * @param network fused, clips absorbed
 * @throws WasmogradError ERR_ARGUMENT on names of tensors that cannot be
 */
export function checkFine(network: Network, fine: readonly string[]): void {
  for (const name of fine) {
    const layer = network.layers.find((one) => one.name === name);
    const fits = layer?.op === "conv2d" && name !== network.output && feedsConvolutions(network, name);
    check(fits, "ERR_ARGUMENT", () => {
      return `fine: expected outputs of convolutions that nothing but convolutions over all channels read, got ${String(name)}`;
    });
  }
}

/**
 * The network with a split between every real tensor and the convolutions that read it: in place of the offsets that read the input, and
 * behind fine tensors, as `NAME.parts`. Offsets that others read as well stay, and round to one int8.
 * @param real the tensors that stay real
 */
export function splitReal(network: Network, real: ReadonlySet<string>, fine: readonly string[]): Network {
  const input = inputLayer(network).name;
  const parts = new Map(fine.map((name) => [name, `${name}.parts`]));
  const layers = network.layers.flatMap((layer): Layer[] => {
    if (layer.op === "offset" && layer.input === input && real.has(input)) {
      const split: SplitLayer = { op: "split", name: layer.name, input };
      return [feedsConvolutions(network, layer.name) ? split : layer];
    }
    const own = layer.op === "conv2d" && parts.has(layer.input) ? { ...layer, input: parts.get(layer.input)! } : layer;
    const name = parts.get(layer.name);
    return name === undefined ? [own] : [own, { op: "split", name, input: layer.name }];
  });
  return { ...network, layers };
}

/** Of each weight two: of the level, and of its eighths, an eighth of it as near as int8 has it. Input channels are the last axis. */
export function splitWeights(weights: Int8Array): Int8Array {
  return Int8Array.from({ length: 2 * weights.length }, (_, i) => {
    const weight = weights[i >> 1]!;
    return i % 2 === 0 ? weight : roundHalfEven(weight / FINE);
  });
}
