import { describe, expect, it } from "vitest";
import type { AttentionOption } from "../../src/attention/family.ts";
import { buildModel } from "../../src/models/registry.ts";
import { countNetwork } from "../../src/network/counts.ts";

const counted = (id: string, attention: AttentionOption) => countNetwork(buildModel(id, { attention }), [224, 224]);

/** Members with k projections fewer. */
const REMOVED: readonly (readonly AttentionOption[])[] = [
  ["standard"],
  ["shared-qk", "shared-kv", "keyless", "valueless", { o: "none" }],
  ["single", "lean", { v: "=k", o: "none" }, { k: "input", v: "input" }],
  [
    { k: "=q", v: "=q", o: "none" },
    { k: "=q", v: "input", o: "none" },
  ],
];

describe("parameters and MACs, in closed form", () => {
  it.each([
    ["deit-ti", 192],
    ["deit-s", 384],
    ["deit-b", 768],
  ])("%s: every member by the number of its projections", (id, d) => {
    const [depth, tokens, patch] = [12, 197, 3 * 16 * 16];
    for (const [k, members] of REMOVED.entries()) {
      const layer = (4 - k) * (d * d + d) + 8 * d * d + 5 * d + 4 * d;
      const params = patch * d + d + d + tokens * d + depth * layer + 2 * d + 1000 * d + 1000;
      const macs = 196 * patch * d + depth * ((12 - k) * tokens * d * d + 2 * tokens * tokens * d) + 1000 * d;
      for (const member of members) expect(counted(id, member), JSON.stringify(member)).toMatchObject({ params, macs });
    }
  });

  it.each([
    ["xcit-n12", 128, 198_144, 38_535_168],
    ["xcit-t12", 192, 444_672, 86_704_128],
    ["xcit-s12", 384, 1_774_080, 346_816_512],
  ])("%s: one projection fewer saves 12 (d^2 + d) parameters and 12 x 196 d^2 MACs", (id, d, params, macs) => {
    expect([12 * (d * d + d), 12 * 196 * d * d]).toEqual([params, macs]);
    const before = counted(id, "standard");
    for (const [k, members] of REMOVED.entries()) {
      for (const member of members) {
        const after = counted(id, member);
        expect([before.params - after.params, before.macs - after.macs]).toEqual([k * params, k * macs]);
      }
    }
  });

  it("biases and grouping", () => {
    const before = counted("deit-ti", "standard");
    expect(before.params - counted("deit-ti", { bias: { k: false, v: false } }).params).toBe(12 * 2 * 192);
    const grouped = counted("deit-ti", { grouping: 3 });
    expect(before.weights - grouped.weights).toBe(12 * 2 * 192 * 128);
    expect(before.macs - grouped.macs).toBe(12 * 197 * 2 * 192 * 128);
  });
});
