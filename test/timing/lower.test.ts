import { describe, expect, it, test } from "vitest";
import { buildModel, modelIds, modelInfo } from "../../src/models/registry.ts";
import { countNetwork } from "../../src/network/counts.ts";
import type { Layer, Network } from "../../src/network/description.ts";
import { collapseNetwork } from "../../src/network/passes/collapse.ts";
import { device, deviceIds } from "../../src/timing/devices/registry.ts";
import { leaveToHost, lower } from "../../src/timing/lower.ts";
import { macsOf } from "../../src/timing/operation.ts";
import { simulate } from "../../src/timing/simulate.ts";

const net = (...layers: Layer[]): Network => ({
  name: "n",
  layers: [{ op: "input", name: "x", channels: 8 }, ...layers],
  output: layers.at(-1)!.name,
});
const conv = (name: string, input: string): Layer => ({
  op: "conv2d",
  name,
  input,
  kernel: [3, 3],
  stride: 1,
  padding: "same",
  channels: 8,
  weights: `${name}.w`,
});
const relu = (name: string, input: string, kind: "relu" | "hard-swish" = "relu"): Layer => ({
  op: "activation",
  name,
  input,
  activation: { kind },
});
const norm = (name: string, input: string): Layer => {
  const names = { scale: `${name}.s`, offset: `${name}.o`, mean: `${name}.m`, variance: `${name}.v` };
  return { op: "batch-norm", name, input, ...names, epsilon: 1e-3 };
};
const kinds = (network: Network): string[] =>
  lower(network, [8, 8]).operations.map((one) =>
    one.kind === "elementwise" ? `${one.function} ${one.activation}` : `${one.kind} ${one.activation}`,
  );

describe("lowering", () => {
  it("folds normalisations and activations into what only they read", () => {
    expect(kinds(net(conv("a", "x"), norm("b", "a"), relu("c", "b")))).toEqual(["convolution clamp"]);
    expect(kinds(net(conv("a", "x"), relu("b", "a", "hard-swish")))).toEqual(["convolution table"]);
    const [operation] = lower(net(conv("a", "x"), norm("b", "a"), relu("c", "b")), [8, 8]).operations;
    expect(operation).toMatchObject({ name: "c", layers: ["a", "b", "c"], output: { name: "c" } });
  });

  it("keeps apart what has other readers", () => {
    const shared = net(conv("a", "x"), relu("b", "a"), { op: "add", name: "y", inputs: ["a", "b"] });
    expect(kinds(shared)).toEqual(["convolution none", "identity clamp", "add none"]);
    const late = net(conv("a", "x"), relu("b", "a"), norm("c", "b"), relu("d", "c", "hard-swish"));
    expect(kinds(late)).toEqual(["convolution clamp", "depthwise table"]);
  });

  it("offsets and clips cost nothing, even where they are the output", () => {
    const network = net({ op: "offset", name: "o", input: "x", value: -0.5 }, conv("a", "o"), {
      op: "clip",
      name: "y",
      input: "a",
      min: 0,
      max: 1,
    });
    const program = lower(network, [8, 8]);
    expect(program.operations.map(({ name, input }) => [name, input.name])).toEqual([["a", "x"]]);
    expect(program.output.name).toBe("a");
  });

  it("residuals that a pass fused are sums again, in their order", () => {
    const fused = (position: "before-activation" | "after-activation"): Layer => ({
      ...(conv("y", "a") as Extract<Layer, { op: "conv2d" }>),
      activation: { kind: "relu" },
      residual: { tensor: "x", position },
    });
    expect(kinds(net(conv("a", "x"), fused("before-activation")))).toEqual([
      "convolution none",
      "convolution none",
      "add clamp",
    ]);
    expect(kinds(net(conv("a", "x"), fused("after-activation"))).slice(1)).toEqual(["convolution clamp", "add none"]);
  });

  it("what the host touches lies linearly", () => {
    const program = leaveToHost(lower(net(conv("a", "x"), conv("b", "a"), conv("c", "b")), [8, 8]), ({ name }) =>
      name === "b" ? "a reason" : undefined,
    );
    expect(program.operations.map(({ kind, input, output }) => [kind, input.layout, output.layout])).toEqual([
      ["convolution", "linear", "linear"],
      ["host", "linear", "linear"],
      ["convolution", "linear", "linear"],
    ]);
  });

  test.each(modelIds())("%s: every layer once, products as counted", (id) => {
    const network = buildModel(id);
    const { input } = modelInfo(id);
    const { operations } = lower(network, input);
    const seen = operations.flatMap(({ layers }) => layers);
    const free = new Set(["input", "offset", "clip"]);
    const expected = collapseNetwork(network).layers.filter(({ op }) => !free.has(op));
    expect([...seen].sort()).toEqual(expected.map(({ name }) => name).sort());
    if (id === "fsrcnn") return; // its last layer's zeros count on an NPU
    const filters = operations.filter((one) => "filter" in one && one.filter && one.kind !== "depthwise");
    // Per-channel factors of their own are depthwise on an NPU.
    const filtered = new Set(network.layers.filter(({ op }) => op === "conv2d").map(({ name }) => name));
    const depthwise = operations.filter(
      ({ kind, layers }) => kind === "depthwise" && layers.some((l) => filtered.has(l)),
    );
    const counted = countNetwork(collapseNetwork(network), input).macs;
    // Attention is the host's.
    const host = operations.filter(({ kind }) => kind === "host");
    const ours = [...filters, ...depthwise, ...host].reduce((sum, one) => sum + macsOf(one), 0);
    expect(ours).toBeLessThanOrEqual(counted);
    expect(ours).toBeGreaterThan(0.98 * counted);
  });
});

describe("every network on every kind of accelerator", () => {
  const devices = ["ethos-u55-128", "ethos-u65-512", "ethos-n78-4tops-4ple", "systolic"].map((id) => device(id));

  test("no kind is left out", () => {
    const kinds = new Set(deviceIds().map((id) => device(id).kind));
    expect(kinds).toEqual(new Set([...devices.map(({ kind }) => kind), "cpu"]));
  });

  const cases = modelIds().flatMap((id) => [
    { id, mode: "analytic" as const },
    // Of each family one: events take longer.
    ...(/-(s|b|t12|s12|m3|m7|m11|xl)$/.test(id) ? [] : [{ id, mode: "event" as const }]),
  ]);
  test.each(cases)("$id, $mode: no operation is free, all adds up", ({ id, mode }) => {
    const network = buildModel(id);
    const { task } = modelInfo(id);
    const input: readonly [number, number] = task === "classification" ? modelInfo(id).input : [48, 64];
    for (const target of devices) {
      const { layers, total } = simulate(network, target, target.kind === "systolic" ? { input } : { input, mode });
      // A dedicated SRAM is all there is.
      if (target.id === "ethos-u65-512") expect(total.sramPeakBytes).toBeLessThanOrEqual(384 * 1024);
      for (const layer of layers) {
        expect(layer.cycles, layer.name).toBeGreaterThan(0);
        expect(layer.why).not.toMatch(/NaN|undefined|Infinity|\n/);
        expect(Object.keys(layer.cyclesByResource)).toContain(layer.bound);
      }
      expect(total.cycles).toBeCloseTo(
        layers.reduce((sum, { cycles }) => sum + cycles, 0),
        3,
      );
      expect(total.fps * total.ms).toBeCloseTo(1000, 6);
    }
  });
});
