/** Finds attention layers with their projections, by how layers are connected and not by their names. */
import type { AttentionLayer, Conv2dLayer, Layer, Network, TakeTokenLayer } from "../network/description.ts";
import { readers, tensorsRead } from "../network/graph.ts";
import { isPointwise } from "../network/passes/compose-filters.ts";

type InputRole = "q" | "k" | "v";

/** A 1x1 convolution that nothing but this attention reads, in the roles that it plays there. */
export interface Projection {
  readonly layer: Conv2dLayer;
  readonly roles: readonly InputRole[];
  /** Between the projection and q, where the class token alone asks. */
  readonly first?: TakeTokenLayer;
}

export interface AttentionBlock {
  readonly attention: AttentionLayer;
  /** By role; the same object where roles share it, absent where a role's tensor is no such projection. */
  readonly projections: Readonly<Partial<Record<InputRole, Projection>>>;
  /** The 1x1 convolution that alone reads the heads. */
  readonly output?: Conv2dLayer;
}

const isProjection = (layer: Layer | undefined): layer is Conv2dLayer =>
  layer?.op === "conv2d" && isPointwise(layer) && !layer.activation && !layer.residual;

/** The attention layers of a validated network, in order. */
export function attentionBlocks(network: Network): AttentionBlock[] {
  const byName = new Map(network.layers.map((layer) => [layer.name, layer]));
  const counts = readers(network);

  const source = (tensor: string): { layer?: Conv2dLayer; first?: TakeTokenLayer } => {
    const layer = byName.get(tensor);
    if (isProjection(layer)) return { layer };
    if (layer?.op !== "take-token" || counts.get(tensor) !== 1) return {};
    const before = byName.get(layer.input);
    return isProjection(before) ? { layer: before, first: layer } : {};
  };

  return network.layers.flatMap((attention): AttentionBlock[] => {
    if (attention.op !== "attention") return [];
    const sources = (["q", "k", "v"] as const).map((role) => ({ role, ...source(attention[role]) }));
    const found = new Map<Conv2dLayer, Projection>();
    for (const { layer } of sources) {
      if (!layer) continue;
      const own = sources.filter((other) => other.layer === layer);
      if (counts.get(layer.name) !== own.length) continue;
      const first = own.find((other) => other.first)?.first;
      found.set(layer, { layer, roles: own.map(({ role }) => role), ...(first && { first }) });
    }
    const projections = Object.fromEntries(
      sources.flatMap(({ role, layer }) => (layer && found.has(layer) ? [[role, found.get(layer)!] as const] : [])),
    );
    const reader = network.layers.find((layer) => tensorsRead(layer).includes(attention.name));
    const alone = counts.get(attention.name) === 1 && network.output !== attention.name;
    const isOutput = alone && reader?.op === "conv2d" && isPointwise(reader) && reader.input === attention.name;
    return [{ attention, projections, ...(isOutput && { output: reader }) }];
  });
}
