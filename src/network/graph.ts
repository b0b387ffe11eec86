import type { Layer, Network } from "./description.ts";

/** The tensors that a layer reads, a fused residual last; a tensor read twice appears twice. */
export function tensorsRead(layer: Layer): readonly string[] {
  switch (layer.op) {
    case "input":
      return [];
    case "add":
      return layer.inputs;
    case "conv2d":
      return layer.residual ? [layer.input, layer.residual.tensor] : [layer.input];
    default:
      return [layer.input];
  }
}

/** How often each tensor is read; being the network's output counts as one more reader. */
export function readers(network: Network): Map<string, number> {
  const counts = new Map<string, number>(network.layers.map(({ name }) => [name, 0]));
  const read = (tensor: string) => counts.set(tensor, (counts.get(tensor) ?? 0) + 1);
  for (const layer of network.layers) for (const tensor of tensorsRead(layer)) read(tensor);
  read(network.output);
  return counts;
}

/** The input layer of a validated network. */
export function inputLayer(network: Network): Extract<Layer, { op: "input" }> {
  return network.layers.find((layer) => layer.op === "input")!;
}
