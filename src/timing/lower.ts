/**
 * From a network's description to operations, without weights: what a compiler for an int8 NPU folds and fuses is gone, the rest is one
 * operation for each pass over a feature map. What a device lacks is decided later (`leaveToHost`).
 */
import { attentionCosts } from "../network/attention-costs.ts";
import type { Activation, Conv2dLayer, Layer, Network, Shape } from "../network/description.ts";
import { readers } from "../network/graph.ts";
import { collapseNetwork } from "../network/passes/collapse.ts";
import { inferShapes, valuesIn } from "../network/shapes.ts";
import {
  type ActivationBits,
  type HostOperation,
  type Operation,
  type OutputActivation,
  type Program,
  type Tensor,
  tensorsOf,
  type WindowOperation,
} from "./operation.ts";

/** How a network becomes operations of a device. */
export interface LowerOptions {
  /** int8 unless given. */
  readonly bits?: ActivationBits;
  /** "as-described" (default); "clamped": all as if they were ReLU6, which is what quantisation makes of some networks. */
  readonly activations?: "as-described" | "clamped";
}

interface Draft {
  readonly shapes: ReadonlyMap<string, Shape>;
  readonly counts: ReadonlyMap<string, number>;
  /** By the tensor they make, in order. */
  readonly operations: Map<string, Operation>;
  /** Tensors that are others under another quantisation. */
  readonly aliases: Map<string, string>;
  readonly bits: ActivationBits;
  readonly clamped: boolean;
}

const shapeOf = ({ shapes }: Draft, name: string): Shape => shapes.get(name)!;
const tensor = (draft: Draft, name: string): Tensor => {
  const real = draft.aliases.get(name) ?? name;
  return { name: real, shape: shapeOf(draft, real), layout: "bricks" };
};

function activationOf(activation: Activation | undefined, clamped: boolean): OutputActivation {
  if (activation?.kind === "mixed" && activation.amount === 0) return "none";
  if (activation && clamped) return "clamp";
  switch (activation?.kind) {
    case undefined:
      return "none";
    case "relu":
    case "relu6":
      return "clamp";
    case "prelu":
      return "slope";
    default:
      return "table";
  }
}

const base = (draft: Draft, name: string, input: string) => ({
  name,
  layers: [name],
  input: tensor(draft, input),
  output: tensor(draft, name),
  activation: "none" as const,
  bits: draft.bits,
});

function append(draft: Draft, operation: Operation): void {
  draft.operations.set(operation.name, operation);
}

/** The operation that makes a tensor, if nobody but one reader wants the tensor. An alias may have readers under its other name. */
function soleProducer(draft: Draft, name: string): Operation | undefined {
  return draft.counts.get(name) === 1 ? draft.operations.get(name) : undefined;
}

/** The operation now makes the tensor of the layer that it took in. */
function takeIn(draft: Draft, operation: Operation, layer: string, change: Partial<Operation> = {}): void {
  draft.operations.delete(operation.name);
  append(draft, {
    ...operation,
    ...change,
    name: layer,
    layers: [...operation.layers, layer],
    output: tensor(draft, layer),
  } as Operation);
}

function lowerConvolution(draft: Draft, layer: Conv2dLayer): void {
  const { name, input, kernel, stride, channels, residual } = layer;
  const inputs = shapeOf(draft, input);
  const output = shapeOf(draft, name);
  const single = [inputs, output].every(([h, w]) => h === 1 && w === 1) && valuesIn(kernel) === 1;
  const kind = layer.depthwise ? "depthwise" : single ? "fully-connected" : "convolution";
  const activation = activationOf(layer.activation, draft.clamped);
  const late = residual?.position === "before-activation";
  const plain = residual ? `${name}.convolution` : name;
  append(draft, {
    ...base(draft, name, input),
    name: plain,
    kind,
    output: { ...tensor(draft, name), name: plain },
    activation: late ? "none" : activation,
    kernel,
    stride: [stride, stride],
    spread: 1,
    filter: { values: valuesIn(kernel) * channels * (layer.depthwise ? 1 : inputs[2]), channels },
  });
  if (!residual) return;
  append(draft, {
    ...base(draft, name, name),
    kind: "elementwise",
    function: "add",
    input: { ...tensor(draft, name), name: plain },
    second: tensor(draft, residual.tensor),
    activation: late ? activation : "none",
  });
}

/** A factor and an offset a channel: a depthwise 1x1 convolution. */
function perChannel(draft: Draft, name: string, input: string, activation: OutputActivation): WindowOperation {
  const channels = shapeOf(draft, name)[2];
  const window = { kernel: [1, 1], stride: [1, 1], spread: 1, filter: { values: channels, channels } } as const;
  return { ...base(draft, name, input), kind: "depthwise", ...window, activation };
}

/** Normalisations with fixed statistics go into the weights before them. */
function lowerAffine(draft: Draft, { name, input }: { name: string; input: string }): void {
  const before = soleProducer(draft, input);
  const linear = before && "filter" in before && before.filter && before.activation === "none";
  if (linear) takeIn(draft, before, name);
  else append(draft, perChannel(draft, name, input, "none"));
}

function lowerActivation(draft: Draft, layer: Extract<Layer, { op: "activation" }>): void {
  const { name, input, affine } = layer;
  const activation = activationOf(layer.activation, draft.clamped);
  if (affine) {
    append(draft, perChannel(draft, name, input, activation));
    return;
  }
  if (activation === "none") {
    draft.aliases.set(name, tensor(draft, input).name);
    return;
  }
  const before = soleProducer(draft, input);
  const free = before && before.kind !== "host" && before.kind !== "depth-to-space" && before.activation === "none";
  if (free) takeIn(draft, before, name, { activation });
  else append(draft, { ...base(draft, name, input), kind: "elementwise", function: "identity", activation });
}

function pool(
  draft: Draft,
  name: string,
  input: string,
  kind: "max-pool" | "average-pool",
  kernel: WindowOperation["kernel"],
  stride: number,
): void {
  append(draft, { ...base(draft, name, input), kind, kernel, stride: [stride, stride], spread: 1 });
}

/** What no NPU here computes. @param work products, and how often the inputs are read, once unless said */
function onHost(
  draft: Draft,
  name: string,
  inputs: readonly string[],
  reason: string,
  { macs = 0, passes = 1 }: { readonly macs?: number; readonly passes?: number } = {},
): void {
  const [first, ...rest] = inputs as readonly [string, ...string[]];
  const others = rest.map((input) => tensor(draft, input));
  const read = inputs.reduce((sum, input) => sum + valuesIn(shapeOf(draft, input)), 0);
  const bytes = ((passes * read + valuesIn(shapeOf(draft, name))) * draft.bits) / 8;
  append(draft, { ...base(draft, name, first), kind: "host", reason, macs, bytes, ...(rest.length > 0 && { others }) });
}

function lowerLayer(draft: Draft, layer: Layer): void {
  const { name } = layer;
  switch (layer.op) {
    case "input":
    case "linear-block": // collapsed by now
      return;
    case "conv2d":
      lowerConvolution(draft, layer);
      return;
    case "conv2d-transpose": {
      const { input, kernel, stride, channels } = layer;
      const filter = { values: valuesIn(kernel) * channels * shapeOf(draft, input)[2], channels };
      const window = { kernel, stride: [1, 1], spread: stride, filter } as const;
      append(draft, { ...base(draft, name, input), kind: "convolution", ...window });
      return;
    }
    case "batch-norm":
    case "channel-affine":
      lowerAffine(draft, layer);
      return;
    case "activation":
      lowerActivation(draft, layer);
      return;
    case "max-pool":
      pool(draft, name, layer.input, "max-pool", layer.kernel, layer.stride);
      return;
    case "global-average-pool": {
      const [h, w] = shapeOf(draft, layer.input);
      pool(draft, name, layer.input, "average-pool", [h, w], 1);
      return;
    }
    case "subsample":
      pool(draft, name, layer.input, "max-pool", [1, 1], layer.stride);
      return;
    case "add": {
      const [a, b] = layer.inputs;
      // The operand that is broadcast comes second.
      const [first, second] = shapeOf(draft, a)[2] >= shapeOf(draft, b)[2] ? [a, b] : [b, a];
      const operation = { ...base(draft, name, first), kind: "elementwise", function: "add" } as const;
      append(draft, { ...operation, second: tensor(draft, second) });
      return;
    }
    case "offset":
    case "clip":
      // Another zero point, and the range that the output's quantisation has anyway: neither moves a value.
      draft.aliases.set(name, tensor(draft, layer.input).name);
      return;
    case "depth-to-space":
      append(draft, { ...base(draft, name, layer.input), kind: "depth-to-space", block: layer.block });
      return;
    case "layer-norm":
      // Mean, variance and the result each take one pass over the values.
      onHost(draft, name, [layer.input], "the NPU has no layer normalisation", { passes: 3 });
      return;
    case "attention": {
      const { scores, apply } = attentionCosts(layer, draft.shapes);
      const roles = [...new Set([layer.q, layer.k, layer.v])];
      onHost(draft, name, roles, "the NPU has no products of two feature maps", { macs: scores + apply });
      return;
    }
    case "positions":
      // A constant is added: it lies beside the weights.
      append(draft, { ...base(draft, name, layer.input), kind: "elementwise", function: "add" });
      return;
    case "class-token":
    case "take-token":
    case "fourier-positions":
      onHost(draft, name, [layer.input], "tokens are put in place by the host");
      return;
    case "replace-token":
      onHost(draft, name, layer.inputs, "tokens are put in place by the host");
      return;
    case "split":
      onHost(draft, name, [layer.input], "the NPU has no real tensors");
      return;
    case "pivot-projection": {
      // The taps that are fixed are products like the others.
      const channels = shapeOf(draft, name)[2];
      const filter = { values: channels * shapeOf(draft, layer.input)[2], channels };
      append(draft, {
        ...base(draft, name, layer.input),
        kind: "convolution",
        kernel: [1, 1],
        stride: [1, 1],
        spread: 1,
        filter,
      });
      return;
    }
  }
}

/**
 * Operations for an input of [height, width] pixels. Linear blocks are collapsed; normalisations go into the convolutions before them, or
 * become depthwise 1x1 ones; activations go into the operation before them where nobody else reads its result; offsets and clips are
 * matters of quantisation and cost nothing; residual sums are passes of their own.
 * @throws WasmogradError as `inferShapes` and `collapseNetwork`
 */
export function lower(
  network: Network,
  input: readonly [height: number, width: number],
  options: LowerOptions = {},
): Program {
  const { bits = 8, activations = "as-described" } = options;
  const sorted = collapseNetwork(network);
  const draft: Draft = {
    shapes: inferShapes(sorted, input),
    counts: readers(sorted),
    operations: new Map(),
    aliases: new Map(),
    bits,
    clamped: activations === "clamped",
  };
  for (const layer of sorted.layers) lowerLayer(draft, layer);
  const first = sorted.layers.find(({ op }) => op === "input")!;
  return {
    name: network.name,
    input: tensor(draft, first.name),
    operations: [...draft.operations.values()],
    output: tensor(draft, sorted.output),
  };
}

/** Work of an operation that the host does instead of the NPU. */
function asHost(operation: Operation, reason: string): HostOperation {
  const { name, layers, input, output, activation, bits } = operation;
  const taps = "kernel" in operation ? valuesIn(operation.kernel) : 0;
  const pooling = operation.kind === "max-pool" || operation.kind === "average-pool";
  const dense = operation.kind === "convolution" || operation.kind === "fully-connected";
  // Zeros that were spread between values are no work for a processor.
  const spread = "spread" in operation ? operation.spread ** 2 : 1;
  const macs = pooling ? 0 : (taps * valuesIn(output.shape) * (dense ? input.shape[2] : 1)) / spread;
  const reads = pooling ? taps * valuesIn(output.shape) : valuesIn(input.shape);
  const bytes = ((reads + valuesIn(output.shape)) * bits) / 8;
  return { kind: "host", name, layers, input, output, activation, bits, reason, macs, bytes };
}

/**
 * Operations for which `missing` has a reason are left to the host. What the host or the caller reads or writes lies linearly, all else in
 * bricks.
 */
export function leaveToHost(program: Program, missing: (operation: Operation) => string | undefined): Program {
  const operations = program.operations.map((operation) => {
    const reason = operation.kind === "host" ? undefined : missing(operation);
    return reason === undefined ? operation : asHost(operation, reason);
  });
  const linear = new Set([program.input.name, program.output.name]);
  for (const operation of operations) {
    if (operation.kind !== "host") continue;
    for (const { name } of [...tensorsOf(operation), operation.output]) linear.add(name);
  }
  const place = (one: Tensor): Tensor => ({ ...one, layout: linear.has(one.name) ? "linear" : "bricks" });
  return {
    ...program,
    input: place(program.input),
    output: place(program.output),
    operations: operations.map((operation) => ({
      ...operation,
      input: place(operation.input),
      output: place(operation.output),
      ...(operation.kind === "elementwise" && operation.second && { second: place(operation.second) }),
      ...(operation.kind === "host" && operation.others && { others: operation.others.map(place) }),
    })),
  };
}
