/** Exact identities of softmax attention, and transformations that rest on them, on random networks in float64. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compactAttentionModel, compactAttentionReal } from "../../src/attention/compact-model.ts";
import type { AttentionOption } from "../../src/attention/family.ts";
import { type GaugeReport, gaugeFix, gaugeFixReal } from "../../src/attention/gauge-fix.ts";
import { simplifyBiases, simplifyBiasesReal } from "../../src/attention/simplify-biases.ts";
import { LayerList } from "../../src/models/layer-list.ts";
import { crossCovarianceTransformer } from "../../src/models/xcit.ts";
import { countNetwork } from "../../src/network/counts.ts";
import type { Model, RealModel, RealWeight } from "../../src/network/description.ts";
import { lowerPivots } from "../../src/network/passes/lower-pivots.ts";
import { prepare } from "../../src/network/passes/prepare.ts";
import { roundWeights } from "../../src/network/passes/round.ts";
import { weightShapes } from "../../src/network/weights.ts";
import { runReferenceF64 } from "../../src/reference/run.ts";
import { difference, INPUT, output, randomPicture, randomReal, type Shape, vit, withWeights } from "./random-vit.ts";

/** In float64; what is observed is 1e-15 to 1e-14. */
const EXACT = 1e-12;
/** After rounding to f32. */
const ROUNDED = 1e-5;

const shapes = fc.record({
  heads: fc.integer({ min: 1, max: 4 }),
  own: fc.integer({ min: 2, max: 6 }),
  depth: fc.integer({ min: 1, max: 2 }),
  seed: fc.nat(),
});
const RUNS = { numRuns: process.env.WASMOGRAD_SLOW ? 200 : 25 };

const MEMBERS: readonly AttentionOption[] = [
  "standard",
  "shared-kv",
  "shared-qk",
  "single",
  "keyless",
  "valueless",
  "lean",
];
const members = fc.constantFrom(...MEMBERS);

function everyBlock(depth: number, change: (block: string) => Readonly<Record<string, RealWeight>>) {
  return Object.assign({}, ...Array.from({ length: depth }, (_, i) => change(`blocks.${i}.attn`))) as Record<
    string,
    RealWeight
  >;
}

const identity = (n: number): RealWeight => ({
  shape: [n, 1, 1, n],
  data: Float64Array.from({ length: n * n }, (_, i) => (i % (n + 1) === 0 ? 1 : 0)),
});
const zeros = (n: number): RealWeight => ({ shape: [n], data: new Float64Array(n) });

describe("biases", () => {
  it("of keys have no effect, those of values move into the output", () => {
    fc.assert(
      fc.property(shapes, members, (shape, member) => {
        const model = randomReal(vit(shape, member), shape.seed);
        const simple = simplifyBiasesReal(model);
        expect(difference(output(simple, randomPicture(7)), output(model, randomPicture(7)))).toBeLessThanOrEqual(
          EXACT,
        );
        const attn = (m: RealModel) =>
          [...weightShapes(m.network).keys()].filter((n) => /^blocks\.0\.attn.*bias$/.test(n));
        const left: Readonly<Record<string, string[]>> = {
          standard: ["q.bias", "proj.folded.bias"],
          "shared-kv": ["q.bias", "proj.folded.bias"],
          "shared-qk": ["q.bias", "proj.folded.bias"],
          single: ["q.bias", "proj.bias"],
          keyless: ["q.bias", "proj.folded.bias"],
          valueless: ["q.bias", "proj.bias"],
          lean: ["q.bias", "proj.bias"],
        };
        expect(attn(simple)).toEqual(left[member as string]!.map((name) => `blocks.0.attn.${name}`));
      }),
      RUNS,
    );
  });

  it("keys' may be anything", () => {
    fc.assert(
      fc.property(shapes, (shape) => {
        const model = randomReal(vit(shape), shape.seed);
        const other = withWeights(model, { "blocks.0.attn.k.bias": zeros(shape.heads * shape.own) });
        expect(difference(output(other, randomPicture(1)), output(model, randomPicture(1)))).toBeLessThanOrEqual(EXACT);
      }),
      RUNS,
    );
  });

  it("of grouped values are added to every head that shares them", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 }), fc.nat(), (groups, seed) => {
        const shape = { heads: 4, own: 3, depth: 1, seed };
        const model = randomReal(vit(shape, { grouping: 2 * groups }), seed);
        const simple = simplifyBiasesReal(model);
        expect(weightShapes(simple.network).has("blocks.0.attn.v.grouped.bias")).toBe(false);
        expect(difference(output(simple, randomPicture(2)), output(model, randomPicture(2)))).toBeLessThanOrEqual(
          EXACT,
        );
      }),
      RUNS,
    );
  });

  it("stay in cross-covariance attention, and where no projection takes the heads", () => {
    const xcit = crossCovarianceTransformer({
      name: "x",
      channels: 8,
      depth: 1,
      heads: 2,
      normsTokens: true,
      classes: 2,
    });
    const count = (m: RealModel, stem: string) =>
      [...m.weights.keys()].filter((n) => n.startsWith(stem) && n.endsWith("bias")).length;
    const simple = simplifyBiasesReal(randomReal(xcit, 3));
    expect([count(simple, "blocks.0.attn"), count(simple, "cls_attn_blocks.0.attn")]).toEqual([4, 2]);
    const bare = randomReal(vit({ heads: 2, own: 3, depth: 1, seed: 1 }, { o: "none" }), 1);
    expect(count(simplifyBiasesReal(bare), "blocks.0.attn")).toBe(2); // q and v
    expect(
      difference(output(simplifyBiasesReal(bare), randomPicture(2)), output(bare, randomPicture(2))),
    ).toBeLessThanOrEqual(EXACT);
  });
});

describe("merging", () => {
  it("computes the same with any number of heads, in whole and in halves", () => {
    fc.assert(
      fc.property(
        shapes,
        fc.constantFrom<AttentionOption>("merged", { qk: "merged" }, { vo: "merged" }),
        (shape, member) => {
          const model = randomReal(vit(shape), shape.seed);
          const merged = compactAttentionReal(model, member);
          expect(difference(output(merged, randomPicture(3)), output(model, randomPicture(3)))).toBeLessThanOrEqual(
            EXACT,
          );
        },
      ),
      RUNS,
    );
  });

  it("halves the weights of one head, ties with two and grows with more", () => {
    const weights = (heads: number, member: AttentionOption) =>
      countNetwork(vit({ heads, own: 12 / heads, depth: 1, seed: 1 }, member), INPUT).weights;
    const square = 12 * 12;
    expect([1, 2, 3].map((heads) => weights(heads, "standard") - weights(heads, "merged"))).toEqual([
      2 * square,
      0,
      -2 * square,
    ]);
  });

  it("of V alone keeps what the network does with a member without V's bias", () => {
    const model = randomReal(vit({ heads: 1, own: 6, depth: 1, seed: 5 }), 5);
    const refused = () => compactAttentionReal(model, { vo: "merged", bias: { o: false } });
    expect(refused).toThrow(expect.objectContaining({ code: "ERR_UNSUPPORTED" }));
  });
});

/** Ill conditioned blocks, which small random matrices may have, cost digits in proportion. */
function gaugeBound(report: readonly GaugeReport[]): number {
  return EXACT * Math.max(1, ...report.map(({ condition }) => condition / 1000));
}

describe("gauge fixing", () => {
  it("computes the same with 2 d^2 / h weights and products less a layer and token", () => {
    fc.assert(
      fc.property(shapes, (shape) => {
        const { heads, own, depth } = shape;
        if (heads === 1) return; // a head as wide as the layer leaves nothing
        const model = randomReal(vit(shape), shape.seed);
        const { model: fixed, report } = gaugeFixReal(model);
        expect(difference(output(fixed, randomPicture(4)), output(model, randomPicture(4)))).toBeLessThanOrEqual(
          gaugeBound(report),
        );

        const [before, after] = [countNetwork(model.network, INPUT), countNetwork(fixed.network, INPUT)];
        const saved = (2 * (heads * own) ** 2) / heads;
        const tokens = (INPUT[0] / 4) * (INPUT[1] / 4) + 1;
        expect(before.weights - after.weights).toBe(depth * saved);
        expect(before.macs - after.macs).toBe(depth * saved * tokens);
        expect(before.biases - after.biases).toBe(depth * 2 * heads * own);
        expect(report.map(({ projection, roles, head }) => `${projection} ${roles} ${head}`)).toEqual(
          Array.from({ length: depth }, (_, i) =>
            ["k", "v"].flatMap((role) =>
              Array.from({ length: heads }, (_, h) => `blocks.${i}.attn.${role} ${role} ${h}`),
            ),
          ).flat(),
        );
        for (const { pivots } of report) expect(new Set(pivots).size).toBe(own);
      }),
      RUNS,
    );
  });

  it("holds for every member: what is shared turns together, what is Q too stays", () => {
    const fixes: Readonly<Record<string, string[]>> = {
      standard: ["k k", "v v"],
      "shared-kv": ["k k,v"],
      "shared-qk": ["v v"],
      single: [],
      keyless: ["v v"],
      valueless: ["k k"],
      lean: [],
    };
    fc.assert(
      fc.property(members, fc.nat(), (member, seed) => {
        const shape: Shape = { heads: 2, own: 4, depth: 1, seed };
        const model = randomReal(vit(shape, member), seed);
        const { model: fixed, report } = gaugeFixReal(model);
        const found = report.filter(({ head }) => head === 0).map((r) => `${r.projection.slice(14)} ${r.roles}`);
        expect(found).toEqual(fixes[member as string]);
        expect(difference(output(fixed, randomPicture(5)), output(model, randomPicture(5)))).toBeLessThanOrEqual(
          gaugeBound(report),
        );
      }),
      RUNS,
    );
  });

  it("holds for grouped heads, which share a base", () => {
    fc.assert(
      fc.property(fc.constantFrom(2, 4), fc.nat(), (grouping, seed) => {
        const model = randomReal(vit({ heads: 4, own: 3, depth: 1, seed }, { grouping }), seed);
        const { model: fixed, report } = gaugeFixReal(model);
        expect(report).toHaveLength((2 * 4) / grouping);
        expect(difference(output(fixed, randomPicture(6)), output(model, randomPicture(6)))).toBeLessThanOrEqual(
          gaugeBound(report),
        );
      }),
      RUNS,
    );
  });

  it("leaves cross-covariance attention, and heads of lower rank, as they are", () => {
    const xcit = crossCovarianceTransformer({
      name: "x",
      channels: 8,
      depth: 1,
      heads: 2,
      normsTokens: true,
      classes: 2,
    });
    const layers = new Set(gaugeFixReal(randomReal(xcit, 3)).report.map(({ attention }) => attention));
    expect([...layers]).toEqual(["cls_attn_blocks.0.attn", "cls_attn_blocks.1.attn"]);
    const model = randomReal(vit({ heads: 2, own: 3, depth: 1, seed: 9 }), 9);
    const flat = { shape: [6, 1, 1, 6], data: new Float64Array(36).fill(0.5) };
    const { report } = gaugeFixReal(withWeights(model, { "blocks.0.attn.k.weight": flat }));
    expect(new Set(report.map(({ projection }) => projection))).toEqual(new Set(["blocks.0.attn.v"]));
  });

  it("reports the condition of each block that became the identity", () => {
    const list = new LayerList(3);
    const network = list.network(
      "n",
      list.dense("o", list.attention("a", { q: list.dense("q", "x", 2), k: list.dense("k", "x", 2), v: "x" }, 1), 2),
    );
    const model = randomReal(network, 1);
    // The longest column is channel 1; of channel 0, all is left; R = [[0, 1], [4, 0]] in the order 1, 0.
    const k = { shape: [2, 1, 1, 3], data: Float64Array.of(1, 0, 0.5, 0, 4, 0.5) };
    const { model: fixed, report } = gaugeFixReal(withWeights(model, { "k.weight": k }));
    expect(report).toEqual([{ attention: "a", projection: "k", roles: ["k"], head: 0, pivots: [1, 0], condition: 4 }]);
    expect([...fixed.weights.get("k.pivoted.weight")!.data]).toEqual([0.125, 0.5]);
  });

  it("prepare makes ordinary convolutions of it again, which compute the same", () => {
    const shape = { heads: 3, own: 4, depth: 2, seed: 11 };
    const model: Model = roundWeights(randomReal(vit(shape), 11));
    const { model: fixed } = gaugeFix(model);
    const ready = prepare(fixed);
    expect(ready.network.layers.some(({ op }) => op === "pivot-projection")).toBe(false);
    const lowered = lowerPivots(fixed);
    expect(difference(output(lowered, randomPicture(8)), output(fixed, randomPicture(8)))).toBeLessThanOrEqual(EXACT);
    const worst = ROUNDED * 10;
    expect(difference(output(ready, randomPicture(8)), output(model, randomPicture(8)))).toBeLessThanOrEqual(worst);
  });
});

describe("members by their weights", () => {
  const CASES: readonly [
    AttentionOption,
    (block: string, model: RealModel, d: number) => Record<string, RealWeight>,
  ][] = [
    ["shared-qk", (b, { weights }) => ({ [`${b}.k.weight`]: weights.get(`${b}.q.weight`)! })],
    [
      "shared-kv",
      (b, { weights }) => ({
        [`${b}.v.weight`]: weights.get(`${b}.k.weight`)!,
        [`${b}.v.bias`]: weights.get(`${b}.k.bias`)!,
      }),
    ],
    [
      "single",
      (b, { weights }) => ({
        [`${b}.k.weight`]: weights.get(`${b}.q.weight`)!,
        [`${b}.v.weight`]: weights.get(`${b}.q.weight`)!,
        [`${b}.v.bias`]: weights.get(`${b}.q.bias`)!,
      }),
    ],
    ["keyless", (b, _, d) => ({ [`${b}.k.weight`]: identity(d) })],
    ["valueless", (b, _, d) => ({ [`${b}.v.weight`]: identity(d), [`${b}.v.bias`]: zeros(d) })],
    [
      "lean",
      (b, { weights }, d) => ({
        [`${b}.k.weight`]: weights.get(`${b}.q.weight`)!,
        [`${b}.v.weight`]: identity(d),
        [`${b}.v.bias`]: zeros(d),
      }),
    ],
    [{ o: "none" }, (b, _, d) => ({ [`${b}.proj.weight`]: identity(d), [`${b}.proj.bias`]: zeros(d) })],
    [{ bias: { k: false } }, () => ({})],
    [{ bias: { q: false, v: false } }, (b, _, d) => ({ [`${b}.q.bias`]: zeros(d), [`${b}.v.bias`]: zeros(d) })],
  ];

  it.each(CASES)("%o is the standard member whose weights are equal or the identity", (member, change) => {
    fc.assert(
      fc.property(shapes, (shape) => {
        const d = shape.heads * shape.own;
        const random = randomReal(vit(shape), shape.seed);
        const model = withWeights(
          random,
          everyBlock(shape.depth, (block) => change(block, random, d)),
        );
        const compact = compactAttentionReal(model, member);
        expect(compact.network).toEqual(vit(shape, member));
        expect(difference(output(compact, randomPicture(9)), output(model, randomPicture(9)))).toBeLessThanOrEqual(
          EXACT,
        );
        // Others are refused by the projection's name.
        if (Object.keys(change("blocks.0.attn", random, d)).length === 0 || d === 1) return;
        const error = expect.objectContaining({
          code: "ERR_UNSUPPORTED",
          message: expect.stringContaining('layer "blocks.'),
        });
        expect(() => compactAttentionReal(random, member)).toThrow(error);
      }),
      RUNS,
    );
  });

  it("grouped is the standard member whose heads are equal", () => {
    const shape = { heads: 4, own: 3, depth: 1, seed: 2 };
    const random = randomReal(vit(shape), 2);
    const repeat = (name: string): RealWeight => {
      const { shape: full, data } = random.weights.get(name)!;
      const head = data.length / 4;
      return { shape: full, data: data.map((_, i) => data[Math.floor(i / head / 2) * 2 * head + (i % head)]!) };
    };
    const names = ["k.weight", "k.bias", "v.weight", "v.bias"].map((name) => `blocks.0.attn.${name}`);
    const model = withWeights(random, Object.fromEntries(names.map((name) => [name, repeat(name)])));
    const compact = compactAttentionReal(model, { grouping: 2 });
    expect(difference(output(compact, randomPicture(3)), output(model, randomPicture(3)))).toBeLessThanOrEqual(EXACT);
    expect(() => compactAttentionReal(random, { grouping: 2 })).toThrow("expected equal heads in each group of 2");
  });

  it("cross-covariance attention: keys' biases count, and equal weights compute the same", () => {
    const sizes = { name: "x", channels: 16, depth: 1, heads: 2, normsTokens: false, classes: 3 };
    const random = randomReal(crossCovarianceTransformer(sizes), 4);
    const picture = { shape: [16, 32, 3] as const, data: Float64Array.from({ length: 1536 }, (_, i) => Math.sin(i)) };
    const run = (m: RealModel) => runReferenceF64(m, picture).get("head")!;
    const only = { only: ({ map }: { map: string }) => map === "xca" };
    const name = (part: string) => `blocks.0.attn.${part}`;
    const half = withWeights(random, { [name("k.weight")]: random.weights.get(name("q.weight"))! });
    expect(() => compactAttentionReal(half, "shared-qk", only)).toThrow(
      'layer "blocks.0.attn.k": expected the weights of q',
    );
    const equal = withWeights(half, { [name("k.bias")]: random.weights.get(name("q.bias"))! });
    const compact = compactAttentionReal(equal, "shared-qk", only);
    expect(difference(run(compact), run(equal))).toBeLessThanOrEqual(EXACT);
    const moved = withWeights(random, { [name("k.bias")]: zeros(16) });
    expect(difference(run(moved), run(random))).toBeGreaterThan(1e-4);
  });
});

describe("rounding to f32", () => {
  it.each<[string, (model: Model) => Model]>([
    ["simplifyBiases", simplifyBiases],
    ["compactAttentionModel merged", (model) => compactAttentionModel(model, "merged")],
    ["gaugeFix", (model) => gaugeFix(model).model],
  ])("%s gives f32 weights that differ by rounding only", (_, pass) => {
    const model = roundWeights(randomReal(vit({ heads: 2, own: 6, depth: 2, seed: 3 }), 3));
    const passed = pass(model);
    for (const { data } of passed.weights.values()) expect(data).toBeInstanceOf(Float32Array);
    expect(difference(output(passed, randomPicture(1)), output(model, randomPicture(1)))).toBeLessThanOrEqual(ROUNDED);
  });
});
