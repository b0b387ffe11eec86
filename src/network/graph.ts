import type { Layer, Network } from "./description.ts";

/** The tensors that a layer reads, a fused residual last; a tensor read twice appears twice. */
export function tensorsRead(layer: Layer): readonly string[] {
  switch (layer.op) {
    case "input":
      return [];
    case "add":
    case "replace-token":
      return layer.inputs;
    case "attention":
      return [layer.q, layer.k, layer.v];
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

/** The network without the layers that its output does not depend on. */
export function withoutUnread<N extends Network>(network: N): N {
  const byName = new Map(network.layers.map((layer) => [layer.name, layer]));
  const needed = new Set<string>();
  const open = [network.output];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (needed.has(name)) continue;
    needed.add(name);
    open.push(...tensorsRead(byName.get(name)!));
  }
  return { ...network, layers: network.layers.filter(({ name, op }) => needed.has(name) || op === "input") };
}
