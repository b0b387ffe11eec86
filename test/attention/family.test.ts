import { describe, expect, it } from "vitest";
import { compactAttention } from "../../src/attention/compact.ts";
import {
  ATTENTION_MEMBERS,
  type AttentionOption,
  attentionNotes,
  attentionSpec,
  isStandard,
  projectionCount,
} from "../../src/attention/family.ts";
import { visionTransformer } from "../../src/models/deit.ts";
import { LayerList } from "../../src/models/layer-list.ts";
import { buildModel } from "../../src/models/registry.ts";
import { crossCovarianceTransformer } from "../../src/models/xcit.ts";
import type { Network } from "../../src/network/description.ts";
import { inferShapes } from "../../src/network/shapes.ts";
import { weightShapes } from "../../src/network/weights.ts";

const vit = (heads = 3): Network =>
  visionTransformer({ name: "vit", channels: 24, depth: 2, heads, patch: 8, input: [16, 24], classes: 5 });
const xcit = (): Network =>
  crossCovarianceTransformer({ name: "xcit", channels: 16, depth: 2, heads: 2, normsTokens: true, classes: 5 });

describe("the family", () => {
  it("names its members, with the projections that each has", () => {
    const counts = ATTENTION_MEMBERS.map((member) => [member, projectionCount(attentionSpec(member))]);
    expect(Object.fromEntries(counts)).toEqual({
      standard: { all: 4, inputs: 3 },
      "shared-qk": { all: 3, inputs: 2 },
      "shared-kv": { all: 3, inputs: 2 },
      single: { all: 2, inputs: 1 },
      keyless: { all: 3, inputs: 2 },
      valueless: { all: 3, inputs: 2 },
      lean: { all: 2, inputs: 1 },
      merged: { all: 4, inputs: 3 },
    });
    expect(isStandard(attentionSpec({}))).toBe(true);
    expect(isStandard(attentionSpec({ bias: { k: false } }))).toBe(false);
    expect(attentionSpec({ k: "=q", v: "=k" })).toEqual(attentionSpec("single"));
    expect(attentionSpec({ k: "input", v: "=k" })).toEqual(attentionSpec({ k: "input", v: "input" }));
  });

  it("says what is allowed but rarely meant", () => {
    expect(attentionNotes(attentionSpec("merged"), 1)).toEqual([]);
    expect(attentionNotes(attentionSpec("merged"), 3)).toEqual([
      "merged: of 3 heads each has a matrix of d x d, 3 in place of 2: larger and slower than separate ones",
    ]);
    expect(attentionNotes(attentionSpec({ v: "input", o: "none" }), 3)).toEqual([
      "v input with o none: the layer only averages tokens",
    ]);
  });

  it.each<[unknown, string]>([
    ["shared", `attention: expected one of ${ATTENTION_MEMBERS.join(", ")} or an object of fields, got shared`],
    ["constructor", "or an object of fields, got constructor"],
    [7, "or an object of fields, got 7"],
    [{ keys: "own" }, 'attention: expected the fields q, k, v, o, qk, vo, grouping, bias, got "keys"'],
    [{ k: "=v" }, 'attention: k: expected own or =q or input, got "=v"'],
    [{ q: "input" }, 'attention: q: expected own, got "input"'],
    [{ grouping: 0 }, "attention: grouping: expected a positive integer, got 0"],
    [{ bias: { x: true } }, 'attention: bias: expected true or false for some of q, k, v, o, got {"x":true}'],
    [{ qk: "merged", k: "=q" }, 'attention: qk: expected separate with k "=q", as merging needs a W_K'],
    [{ qk: "merged", v: "=q" }, 'attention: qk: expected separate with v "=q", as merging leaves no Q and K'],
    [{ vo: "merged", v: "input" }, 'attention: vo: expected separate with v "input", as merging needs a W_V'],
    [{ vo: "merged", o: "none" }, 'attention: vo: expected separate with o "none", as merging needs a W_O'],
    [{ qk: "merged", grouping: 2 }, "attention: grouping: expected 1 with merged projections"],
    [{ k: "=q", v: "input", grouping: 2 }, "attention: grouping: expected 1 where neither K nor V has a projection"],
  ])("refuses %o", (option, message) => {
    const error = expect.objectContaining({ code: "ERR_ARGUMENT", message: expect.stringContaining(message) });
    expect(() => attentionSpec(option as AttentionOption)).toThrow(error);
  });
});

describe("compactAttention", () => {
  it("removes the projections and their weights, and keeps the others' names", () => {
    const block = (option: AttentionOption) => {
      const names = [...weightShapes(compactAttention(vit(), option)).keys()];
      return names.filter((name) => /^blocks\.0\.attn\..*weight$/.test(name)).map((name) => name.slice(14, -7));
    };
    expect(block("standard")).toEqual(["q", "k", "v", "proj"]);
    expect(block("shared-qk")).toEqual(["q", "v", "proj"]);
    expect(block("shared-kv")).toEqual(["q", "k", "proj"]);
    expect(block("single")).toEqual(["q", "proj"]);
    expect(block("keyless")).toEqual(["q", "v", "proj"]);
    expect(block("valueless")).toEqual(["q", "k", "proj"]);
    expect(block("lean")).toEqual(["q", "proj"]);
    expect(block("merged")).toEqual(["q.merged", "proj.merged"]);
    expect(block({ o: "none" })).toEqual(["q", "k", "v"]);
    expect(block({ grouping: 3 })).toEqual(["q", "k.grouped", "v.grouped", "proj"]);
    expect(compactAttention(vit(), "standard")).toEqual(vit());
  });

  it("drops biases by role", () => {
    const names = [...weightShapes(compactAttention(vit(), { bias: { k: false, v: false } })).keys()];
    const biases = names.filter((name) => /^blocks\.0\.attn\..*bias$/.test(name));
    expect(biases).toEqual(["blocks.0.attn.q.bias", "blocks.0.attn.proj.bias"]);
  });

  it("finds projections by structure, whatever they are called, and class attention among them", () => {
    const list = new LayerList(8);
    const dense = (name: string, from: string) => list.dense(name, from, 8);
    const first = list.takeToken("f", "x");
    const heads = list.attention("a", { q: dense("one", first), k: dense("two", "x"), v: dense("three", "x") }, 2);
    const network = list.network("n", dense("four", heads));
    const compact = compactAttention(network, "shared-qk");
    // The queries' projection is that of all tokens now, of which attention takes the first.
    expect(compact.layers.map(({ name, op }) => `${name} ${op}`)).toEqual([
      "x input",
      "one conv2d",
      "one.first take-token",
      "three conv2d",
      "a attention",
      "four conv2d",
    ]);
    expect(compact.layers).toContainEqual({
      op: "attention",
      name: "a",
      q: "one.first",
      k: "one",
      v: "three",
      heads: 2,
      map: "softmax",
    });
    expect(inferShapes(compact, [1, 5]).get("four")).toEqual([1, 1, 8]);
    expect(inferShapes(compactAttention(network, "keyless"), [1, 5]).get("four")).toEqual([1, 1, 8]);
  });

  it("concerns the layers that are asked for", () => {
    const compact = compactAttention(xcit(), "single", { only: ({ map }) => map === "xca" });
    const names = [...weightShapes(compact).keys()].filter((name) => name.endsWith("attn.k.weight"));
    expect(names).toEqual(["cls_attn_blocks.0.attn.k.weight", "cls_attn_blocks.1.attn.k.weight"]);
  });

  it.each<[string, () => Network, AttentionOption, string]>([
    [
      "merged with xca",
      xcit,
      "merged",
      "attention: merged: expected softmax, as with xca it is not exact: the norms stand between",
    ],
    ["vo merged with xca", xcit, { vo: "merged" }, "attention: merged: expected softmax"],
    [
      "a grouping that does not divide",
      vit,
      { grouping: 2 },
      "attention: grouping: expected a divisor of the 3 heads, got 2",
    ],
    [
      "no attention",
      () => buildModel("resnet18"),
      "lean",
      "attention: expected a network with attention, got resnet18",
    ],
  ])("refuses %s", (_, network, option, message) => {
    const error = expect.objectContaining({ code: "ERR_ARGUMENT", message: expect.stringContaining(message) });
    expect(() => compactAttention(network(), option)).toThrow(error);
  });

  it("refuses heads that do not divide the channels", () => {
    const message = 'layer "blocks.0.attn": q: expected channels divisible by 5 heads, got 24';
    expect(() => vit(5)).toThrow(expect.objectContaining({ code: "ERR_SHAPE", message }));
  });

  it("refuses attention that has no projections of its own", () => {
    const twice = () => compactAttention(compactAttention(vit(), "shared-kv"), "shared-qk");
    const message = 'layer "blocks.0.attn": expected k to be a 1x1 convolution that it alone reads, to compact it';
    expect(twice).toThrow(expect.objectContaining({ code: "ERR_UNSUPPORTED", message }));
    const list = new LayerList(4);
    const bare = list.network("n", list.attention("a", { q: "x", k: "x", v: "x" }, 1));
    expect(() => compactAttention(bare, "lean")).toThrow("expected q to be a 1x1 convolution");
  });
});
