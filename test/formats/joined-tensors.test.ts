import { describe, expect, it } from "vitest";
import { partsOf, splitRows } from "../../src/formats/joined-tensors.ts";
import { serialiseSafetensors } from "../../src/formats/safetensors.ts";
import { loadWeights } from "../../src/formats/weights-file.ts";
import { LayerList } from "../../src/models/layer-list.ts";

const PARTS = ["q", "k", "v"].flatMap((role) => [`b.attn.${role}.weight`, `b.attn.${role}.bias`]);

describe("partsOf", () => {
  it("names q, k and v where the network has them apart, as timm and as PyTorch's own module call them", () => {
    const expected = new Set(PARTS);
    const weights = ["b.attn.q.weight", "b.attn.k.weight", "b.attn.v.weight"];
    expect(partsOf("b.attn.qkv.weight", expected)).toEqual(weights);
    expect(partsOf("b.attn.in_proj_weight", expected)).toEqual(weights);
    expect(partsOf("b.attn.qkv.bias", expected)).toEqual(PARTS.filter((name) => name.endsWith("bias")));
    expect(partsOf("b.attn.kv.bias", expected)).toEqual(["b.attn.k.bias", "b.attn.v.bias"]);
  });

  it("names none where the network has the joined tensor, or lacks a part", () => {
    expect(partsOf("b.attn.qkv.weight", new Set([...PARTS, "b.attn.qkv.weight"]))).toBeUndefined();
    expect(partsOf("b.attn.qkv.weight", new Set(["b.attn.q.weight", "b.attn.v.weight"]))).toBeUndefined();
    expect(partsOf("b.attn.proj.weight", new Set(PARTS))).toBeUndefined();
    expect(partsOf("b.aqkv.weight", new Set(["b.aq.weight", "b.ak.weight", "b.av.weight"]))).toBeUndefined();
  });
});

describe("splitRows", () => {
  it("gives equal numbers of rows, or nothing", () => {
    const weight = { shape: [4, 3], data: Float32Array.from({ length: 12 }, (_, i) => i) };
    expect(splitRows(weight, 2)).toEqual([
      { shape: [2, 3], data: Float32Array.of(0, 1, 2, 3, 4, 5) },
      { shape: [2, 3], data: Float32Array.of(6, 7, 8, 9, 10, 11) },
    ]);
    expect(splitRows(weight, 3)).toBeUndefined();
  });
});

describe("loadWeights", () => {
  const list = new LayerList(2);
  const [q, k, v] = ["q", "k", "v"].map((role) => list.dense(`attn.${role}`, "x", 2)) as [string, string, string];
  const tokens = list.classToken("t", list.attention("attn", { q, k, v }, 1), "cls_token");
  const network = list.network("n", list.positions("p", tokens, 5, "pos_embed"));
  const tensor = (...shape: number[]) => ({
    shape,
    data: Float32Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => i),
  });
  const file = {
    "attn.qkv.weight": tensor(6, 2),
    "attn.qkv.bias": tensor(6),
    cls_token: tensor(1, 1, 2),
    pos_embed: tensor(1, 5, 2),
  };
  const load = (tensors: object) => loadWeights(serialiseSafetensors(new Map(Object.entries(tensors))), network);

  it("takes joined matrices apart, and axes of one away", () => {
    const weights = load(file);
    expect(weights.get("attn.k.weight")).toEqual({ shape: [2, 1, 1, 2], data: Float32Array.of(4, 5, 6, 7) });
    expect(weights.get("attn.v.bias")).toEqual({ shape: [2], data: Float32Array.of(4, 5) });
    expect(weights.get("cls_token")!.shape).toEqual([2]);
    expect(weights.get("pos_embed")!.shape).toEqual([5, 2]);
  });

  it("names what does not fit under the name that the file has", () => {
    const refused = (tensors: object, message: string) =>
      expect(() => load(tensors)).toThrow(
        expect.objectContaining({ code: "ERR_WEIGHTS", message: expect.stringContaining(message) }),
      );
    refused({ ...file, "attn.qkv.bias": tensor(5) }, '"attn.qkv.bias" is not a weight of the network');
    refused({ ...file, "attn.q.bias": tensor(2) }, 'expected "attn.q.bias" once, got it twice');
    refused({ ...file, pos_embed: tensor(1, 2, 5) }, '"pos_embed" has shape [1,2,5], expected [5,2]');
    refused({ ...file, "attn.qkv.weight": tensor(6, 3) }, '"attn.q.weight" has shape');
  });
});
