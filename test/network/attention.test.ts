import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { attentionCosts, networkAttentionCosts } from "../../src/network/attention-costs.ts";
import { countNetwork } from "../../src/network/counts.ts";
import type { AttentionLayer, Layer, Network, Shape } from "../../src/network/description.ts";
import { halo } from "../../src/network/receptive-field.ts";
import { inferShapes } from "../../src/network/shapes.ts";
import { validate } from "../../src/network/validate.ts";
import { weightShapes } from "../../src/network/weights.ts";

const attention = (fields: Partial<AttentionLayer> = {}): AttentionLayer => ({
  op: "attention",
  name: "a",
  q: "x",
  k: "x",
  v: "x",
  heads: 2,
  map: "softmax",
  ...fields,
});

/** A network of the input, some layers and the last of them as output. */
const network = (channels: number, ...layers: Layer[]): Network => ({
  name: "n",
  layers: [{ op: "input", name: "x", channels }, ...layers],
  output: layers.at(-1)!.name,
});

const refusal = (code: string, message: string) =>
  expect.objectContaining({ code, message: expect.stringContaining(message) });

describe("validate", () => {
  it.each<[object, string]>([
    [attention({ heads: 0 }), 'layer "a": heads: expected an integer from 1 to 1024, got 0'],
    [attention({ keyHeads: 3 }), 'layer "a": keyHeads: expected a divisor of the 2 heads, got 3'],
    [attention({ heads: 6, valueHeads: 4 }), 'layer "a": valueHeads: expected a divisor of the 6 heads, got 4'],
    [attention({ map: "linear" as "xca" }), 'layer "a": map: expected "softmax" or "xca", got "linear"'],
    [attention({ map: "xca" }), 'layer "a": temperature: expected the name of a weight, as map is xca, got nothing'],
    [attention({ temperature: "t" }), 'layer "a": temperature: expected none, as map is softmax, got "t"'],
    [attention({ q: "y" }), 'layer "a": expected the name of a layer as its input, got "y"'],
    [
      { op: "fourier-positions", name: "a", input: "x", channels: 6 },
      "channels: expected a multiple of 4 from 4 to 65536, got 6",
    ],
    [{ op: "positions", name: "a", input: "x", tokens: 0, weights: "w" }, "tokens: expected an integer from 1"],
    [
      { op: "pivot-projection", name: "a", input: "x", pivots: [[0, 1], [2]], weights: "w" },
      "pivots: expected a non-empty array",
    ],
    [{ op: "pivot-projection", name: "a", input: "x", pivots: [[1, 1]], weights: "w" }, "each of different integers"],
    [{ op: "take-token", name: "a", input: "x", token: 1 }, "token: not a field here; expected only op, name, input"],
  ])("refuses %o", (layer, message) => {
    expect(() => validate(network(4, layer as Layer))).toThrow(refusal("ERR_NETWORK", message));
  });
});

const dense = (name: string, input: string, channels: number): Layer => ({
  op: "conv2d",
  name,
  input,
  kernel: [1, 1],
  stride: 1,
  padding: "valid",
  channels,
  weights: `${name}.w`,
});

describe("shapes", () => {
  it("of all operators on tokens", () => {
    const layers: Layer[] = [
      { op: "fourier-positions", name: "waves", input: "x", channels: 8 },
      dense("p", "waves", 6),
      { op: "add", name: "e", inputs: ["x", "p"] },
      { op: "class-token", name: "t", input: "e", weights: "cls" },
      { op: "positions", name: "l", input: "t", tokens: 13, weights: "pos" },
      { op: "take-token", name: "f", input: "l" },
      { op: "attention", name: "a", q: "f", k: "l", v: "wide", heads: 2, map: "softmax" },
      dense("wide", "l", 10),
      dense("o", "a", 6),
      { op: "replace-token", name: "r", inputs: ["l", "o"] },
      {
        op: "pivot-projection",
        name: "y",
        input: "r",
        pivots: [
          [5, 0],
          [1, 2],
        ],
        weights: "pw",
      },
    ];
    const shapes = inferShapes(network(6, ...layers), [3, 4]);
    expect(Object.fromEntries(shapes)).toEqual({
      x: [3, 4, 6],
      waves: [3, 4, 8],
      p: [3, 4, 6],
      e: [3, 4, 6],
      t: [1, 13, 6],
      l: [1, 13, 6],
      f: [1, 1, 6],
      wide: [1, 13, 10],
      a: [1, 1, 10],
      o: [1, 1, 6],
      r: [1, 13, 6],
      y: [1, 13, 4],
    });
    expect(Object.fromEntries(weightShapes(network(6, ...layers)))).toMatchObject({
      cls: [6],
      pos: [13, 6],
      pw: [4, 1, 1, 4],
    });
    const counts = countNetwork(network(6, ...layers), [3, 4]);
    expect(counts).toMatchObject({
      embeddings: 6 + 13 * 6,
      params: 84 + 48 + 60 + 60 + 16,
      weights: 48 + 60 + 60 + 16,
    });
    // Scores and averages of one query, 13 keys, two heads of 3 and of 5; the projection with pivots multiplies 4 channels.
    expect(counts.macs).toBe(12 * 48 + 13 * 60 + 2 * 13 * (3 + 5) + 60 + 13 * 16);
  });

  it.each<[string, Network, string]>([
    [
      "heads that do not divide q",
      network(5, attention()),
      'layer "a": q: expected channels divisible by 2 heads, got 5',
    ],
    [
      "other channels of k",
      network(4, dense("k", "x", 6), attention({ k: "k" })),
      'layer "a": expected as many channels a head of q and k, got 2 and 3',
    ],
    [
      "other channels of v with xca",
      network(4, dense("v", "x", 6), attention({ v: "v", map: "xca", temperature: "t" })),
      'layer "a": expected as many channels a head of k and v with xca, got 2 and 3',
    ],
    [
      "fewer values than keys",
      network(4, { op: "take-token", name: "f", input: "x" }, attention({ v: "f" })),
      'layer "a": expected as many tokens of k and v, got 3x3, 3x3, 1x1',
    ],
    [
      "fewer queries than keys with xca",
      network(4, { op: "take-token", name: "f", input: "x" }, attention({ q: "f", map: "xca", temperature: "t" })),
      'layer "a": expected as many tokens of q, k and v, got 1x1, 3x3, 3x3',
    ],
    [
      "another number of tokens than positions are learnt for",
      network(4, { op: "positions", name: "p", input: "x", tokens: 8, weights: "w" }),
      'layer "p": expected 8 tokens, for which positions are learnt, got 9 (3x3)',
    ],
    [
      "several tokens to put in",
      network(4, { op: "replace-token", name: "r", inputs: ["x", "x"] }),
      'layer "r": expected one token to put in, got a map of 3x3',
    ],
    [
      "a token of other channels",
      network(4, { op: "take-token", name: "f", input: "x" }, dense("d", "f", 3), {
        op: "replace-token",
        name: "r",
        inputs: ["x", "d"],
      }),
      'layer "r": expected a token of 4 channels, got 3',
    ],
    [
      "pivots beyond the input",
      network(4, { op: "pivot-projection", name: "p", input: "x", pivots: [[0, 4]], weights: "w" }),
      'layer "p": pivots: expected channels below 4, got 4',
    ],
    [
      "nothing but pivots",
      network(2, { op: "pivot-projection", name: "p", input: "x", pivots: [[0, 1]], weights: "w" }),
      'layer "p": pivots: expected fewer a group than the 2 input channels, got 2',
    ],
  ])("refuses %s", (_, description, message) => {
    expect(() => inferShapes(description, [3, 3])).toThrow(refusal("ERR_SHAPE", message));
  });

  it("attention cannot run in tiles", () => {
    expect(() => halo(network(4, attention()))).toThrow(
      refusal("ERR_UNSUPPORTED", 'layer "a": attention cannot run in tiles'),
    );
  });
});

describe("attentionCosts", () => {
  const sizes = fc.record({
    tokens: fc.integer({ min: 1, max: 50 }),
    heads: fc.integer({ min: 1, max: 8 }),
    own: fc.integer({ min: 1, max: 32 }),
    shared: fc.boolean(),
  });

  it("softmax: N^2 d scores, d N (N + 1) / 2 distinct ones, N^2 d for the values, h N^2 exponentials", () => {
    fc.assert(
      fc.property(sizes, ({ tokens: n, heads, own, shared }) => {
        const d = heads * own;
        const shape: Shape = [1, n, d];
        const layer = attention({ heads, q: "q", k: shared ? "q" : "k", v: "v" });
        const shapes = new Map([...["q", "k", "v"].map((t) => [t, shape] as const)]);
        expect(attentionCosts(layer, shapes)).toEqual({
          scores: n * n * d,
          distinctScores: shared ? (d * n * (n + 1)) / 2 : n * n * d,
          apply: n * n * d,
          norms: 0,
          exponentials: heads * n * n,
          buffers: (shared ? 2 : 3) * n * d + n * n,
        });
      }),
    );
  });

  it("xca: N d d_h scores, N d (d_h + 1) / 2 distinct ones, 2 N d squares, d d_h exponentials", () => {
    fc.assert(
      fc.property(sizes, ({ tokens: n, heads, own, shared }) => {
        const d = heads * own;
        const shape: Shape = [1, n, d];
        const layer = attention({ heads, q: "q", k: shared ? "q" : "k", v: "v", map: "xca", temperature: "t" });
        const shapes = new Map([...["q", "k", "v"].map((t) => [t, shape] as const)]);
        expect(attentionCosts(layer, shapes)).toEqual({
          scores: n * d * own,
          distinctScores: shared ? (n * d * (own + 1)) / 2 : n * d * own,
          apply: n * d * own,
          norms: (shared ? 1 : 2) * n * d,
          exponentials: d * own,
          buffers: (shared ? 2 : 3) * n * d + own * own,
        });
      }),
    );
  });

  it("sums over a network, and has none of a network without attention", () => {
    const twice = network(4, attention(), attention({ name: "b", q: "a", heads: 1 }));
    expect(networkAttentionCosts(twice, [1, 3])).toEqual({
      scores: 72,
      distinctScores: 24 + 36,
      apply: 72,
      norms: 0,
      exponentials: 18 + 9,
      buffers: 24 + 9,
    });
    expect(networkAttentionCosts(network(4, dense("y", "x", 2)), [1, 3])).toBeUndefined();
  });
});
