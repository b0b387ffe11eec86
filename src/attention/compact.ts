/** The network pass: every attention of a network becomes a member of the family, its missing projections gone. */
import { check } from "../errors.ts";
import type { AttentionLayer, Conv2dLayer, Layer, Network } from "../network/description.ts";
import { withoutUnread } from "../network/graph.ts";
import { show } from "../network/layer-fields.ts";
import { inferChannels } from "../network/shapes.ts";
import { validate } from "../network/validate.ts";
import { type AttentionOption, type AttentionSpec, attentionSpec, isStandard } from "./family.ts";
import { type AttentionBlock, attentionBlocks, type Projection } from "./structure.ts";

/** Of `compactAttention` and `compactAttentionModel`. */
export interface CompactOptions {
  /** Which attention layers; all unless given. */
  readonly only?: (layer: AttentionLayer) => boolean;
}

/** An attention with four projections of its own that read one tensor. */
export interface FullBlock {
  readonly attention: AttentionLayer;
  /** The tensor X that K and V are projected from, and Q too or its first token. */
  readonly input: string;
  readonly inputChannels: number;
  readonly q: Projection;
  readonly k: Projection;
  readonly v: Projection;
  readonly o: Conv2dLayer;
  /** q projects the first token of X alone. */
  readonly firstOnly: boolean;
}

/** @throws WasmogradError ERR_UNSUPPORTED naming the role that is no projection of its own */
function fullBlock(block: AttentionBlock, network: Network, channels: ReadonlyMap<string, number>): FullBlock {
  const { attention, projections, output } = block;
  const at = `layer ${show(attention.name)}`;
  const own = (role: "q" | "k" | "v"): Projection => {
    const found = projections[role];
    const message = () => `${at}: expected ${role} to be a 1x1 convolution that it alone reads, to compact it`;
    check(found !== undefined && found.roles.length === 1, "ERR_UNSUPPORTED", message);
    return found;
  };
  const [q, k, v] = [own("q"), own("k"), own("v")];
  const o = () => `${at}: expected a 1x1 convolution that alone reads it, to compact it`;
  check(output !== undefined, "ERR_UNSUPPORTED", o);
  const { input } = k.layer;
  const before = network.layers.find(({ name }) => name === q.layer.input);
  const firstOnly = before?.op === "take-token" && before.input === input;
  const together = v.layer.input === input && (q.layer.input === input || firstOnly) && !q.first;
  const apart = () =>
    `${at}: expected projections of one tensor, to compact it, got ${[q, k, v].map((p) => show(p.layer.input)).join(", ")}`;
  check(together, "ERR_UNSUPPORTED", apart);
  return { attention, input, inputChannels: channels.get(input)!, q, k, v, o: output, firstOnly };
}

/** What the member asks of this attention. @throws WasmogradError ERR_ARGUMENT with the reason */
function checkFits(block: FullBlock, { k, v, o, qk, vo, grouping }: AttentionSpec, channels: Channels): void {
  const { attention, inputChannels } = block;
  const { heads, map, name } = attention;
  const refuse = (condition: boolean, message: () => string): void =>
    check(condition, "ERR_ARGUMENT", () => `attention: ${message()} (layer ${show(name)})`);
  const reason = "the norms stand between W_Q and W_K, and the map mixes the channels between W_V and W_O";
  const merged = qk === "merged" || vo === "merged";
  refuse(!(merged && map === "xca"), () => `merged: expected softmax, as with xca it is not exact: ${reason}; got xca`);
  refuse(heads % grouping === 0, () => `grouping: expected a divisor of the ${heads} heads, got ${grouping}`);
  const whole = attention.keyHeads === undefined && attention.valueHeads === undefined;
  refuse(
    whole || (grouping === 1 && !merged),
    () => "grouping: expected keys and values of all heads, got shared ones",
  );
  const [ofQ, ofK, ofV] = [attention.q, attention.k, attention.v].map((tensor) => channels.get(tensor)!);
  const same = (condition: boolean, what: string, given: number | undefined, wanted: number | undefined): void =>
    refuse(condition, () => `${what}: expected ${wanted} channels, got ${given}`);
  if (k === "=q") same(ofK === ofQ, "k =q", ofQ, ofK);
  if (k === "input") same(ofK === inputChannels, "k input", inputChannels, ofK);
  if (v === "=q") same(ofV === ofQ, "v =q", ofQ, ofV);
  if (v === "=k") same(ofV === ofK, "v =k", ofK, ofV);
  if (v === "input") same(ofV === inputChannels, "v input", inputChannels, ofV);
  if (o !== "none") return;
  const heard = channels.get(name)!;
  same(heard === block.o.channels, "o none", heard, block.o.channels);
  const { activation, residual } = block.o;
  refuse(!activation && !residual, () => `o none: expected nothing fused into ${show(block.o.name)}, got some`);
}

type Channels = ReadonlyMap<string, number>;

function withoutBias({ bias: _, ...conv }: Conv2dLayer): Conv2dLayer {
  return conv;
}

/** The names of what a merged or grouped projection reads; those of its own weights may still be in use. */
export const madeNames = ({ name }: Conv2dLayer, how: "merged" | "grouped") => ({
  weights: `${name}.${how}.weight`,
  bias: `${name}.${how}.bias`,
});

function heads(layer: AttentionLayer, keyHeads: number, valueHeads: number): AttentionLayer {
  const { keyHeads: _, valueHeads: __, ...rest } = layer;
  return {
    ...rest,
    ...(keyHeads !== layer.heads && { keyHeads }),
    ...(valueHeads !== layer.heads && { valueHeads }),
  };
}

/** What each of a block's layers becomes. */
function compacted(block: FullBlock, spec: AttentionSpec): Map<string, readonly Layer[]> {
  const { attention, input, inputChannels, firstOnly } = block;
  const [keyHeads, valueHeads] = [attention.keyHeads ?? attention.heads, attention.valueHeads ?? attention.heads];
  const kept = (conv: Conv2dLayer, role: "q" | "k" | "v" | "o") => (spec.bias[role] ? conv : withoutBias(conv));
  let [q, k, v, o] = [
    kept(block.q.layer, "q"),
    kept(block.k.layer, "k"),
    kept(block.v.layer, "v"),
    kept(block.o, "o"),
  ] as const;
  let tensors = { q: q.name, k: k.name, v: v.name };
  let counts: readonly [keys: number, values: number] = [keyHeads, valueHeads];

  if (spec.grouping > 1) {
    const grouped = (conv: Conv2dLayer): Conv2dLayer => {
      const names = madeNames(conv, "grouped");
      const bias = conv.bias === undefined ? {} : { bias: names.bias };
      return { ...conv, channels: conv.channels / spec.grouping, weights: names.weights, ...bias };
    };
    const fewer = attention.heads / spec.grouping;
    if (spec.k === "own") k = grouped(k);
    if (spec.v === "own") v = grouped(v);
    const keys = spec.k === "own" ? fewer : keyHeads;
    counts = [keys, spec.v === "own" ? fewer : spec.v === "=k" ? keys : valueHeads];
  }
  if (spec.qk === "merged") {
    const names = madeNames(q, "merged");
    const bias = q.bias === undefined ? {} : { bias: names.bias };
    q = { ...withoutBias(q), channels: attention.heads * inputChannels, weights: names.weights, ...bias };
    tensors = { ...tensors, k: input };
    counts = [1, counts[1]];
  }
  if (spec.vo === "merged") {
    const names = madeNames(o, "merged");
    const bias = o.bias !== undefined || (v.bias !== undefined && spec.bias.o) ? { bias: names.bias } : {};
    o = { ...withoutBias(o), weights: names.weights, ...bias };
    tensors = { ...tensors, v: input };
    counts = [counts[0], 1];
  }
  const source = { own: tensors.k, "=q": q.name, input } as const;
  if (spec.qk === "separate") tensors = { ...tensors, k: source[spec.k] };
  if (spec.vo === "separate")
    tensors = { ...tensors, v: spec.v === "=k" ? tensors.k : { ...source, own: tensors.v }[spec.v] };

  const sharesQ = spec.k === "=q" || spec.v === "=q";
  const projected: Layer[] = [q];
  if (firstOnly && sharesQ) {
    // Keys or values of all tokens come from the projection, so the class token is taken behind it.
    const first = `${q.name}.first`;
    projected.splice(0, 1, { ...q, input }, { op: "take-token", name: first, input: q.name });
    tensors = { ...tensors, q: first };
  }
  const joined = { ...heads(attention, ...counts), ...tensors };
  const bare = spec.o === "none";
  return new Map<string, readonly Layer[]>([
    [q.name, projected],
    [k.name, [k]],
    [v.name, [v]],
    // Without W_O the heads are what W_O's readers read.
    [attention.name, bare ? [] : [joined]],
    [o.name, bare ? [{ ...joined, name: o.name }] : [o]],
  ]);
}

/** The blocks that a pass concerns, each checked against the member. @throws WasmogradError ERR_ARGUMENT, ERR_UNSUPPORTED */
export function blocksToCompact(
  network: Network,
  spec: AttentionSpec,
  { only = () => true }: CompactOptions,
): FullBlock[] {
  const channels = inferChannels(network);
  const found = attentionBlocks(network);
  check(found.length > 0, "ERR_ARGUMENT", () => `attention: expected a network with attention, got ${network.name}`);
  return found
    .filter(({ attention }) => only(attention))
    .map((block) => {
      const full = fullBlock(block, network, channels);
      checkFits(full, spec, channels);
      return full;
    });
}

/** The network with these blocks in the form that `spec` says. */
export function compactBlocks(network: Network, blocks: readonly FullBlock[], spec: AttentionSpec): Network {
  const changed = new Map(blocks.flatMap((block) => [...compacted(block, spec)]));
  const layers = network.layers.flatMap((layer) => changed.get(layer.name) ?? [layer]);
  const result = validate(withoutUnread({ ...network, layers }));
  inferChannels(result);
  return result;
}

/**
 * Brings the attention layers of a network into a member of the family (docs/compact-attention.md): a description to train from scratch, the
 * weights of removed projections drop out. Projections are found by structure: 1x1 convolutions of one tensor, or for q of its first token,
 * that the attention alone reads, and one that alone reads the attention. Merged and grouped projections read weights of new names,
 * `<layer>.merged.*` and `<layer>.grouped.*`; all others keep their names.
 * @throws WasmogradError ERR_ARGUMENT on members and fields that do not exist, contradict themselves or do not fit the network (its heads,
 *   its map, its channels), each with the reason; ERR_UNSUPPORTED on attention whose projections are not as above; as `validate`
 */
export function compactAttention(network: Network, member: AttentionOption, options: CompactOptions = {}): Network {
  const spec = attentionSpec(member);
  const before = validate(network);
  const blocks = blocksToCompact(before, spec, options);
  return isStandard(spec) ? before : compactBlocks(before, blocks, spec);
}
