/** docs/compact-attention.md with its computed parts, and its picture: path -> text. */
import { readFileSync } from "node:fs";
import type { AttentionOption } from "../../src/attention/family.ts";
import { ATTENTION_MEMBERS, type AttentionFields, attentionSpec, projectionCount } from "../../src/attention/family.ts";
import { buildModel, modelInfo } from "../../src/models/registry.ts";
import { networkAttentionCosts } from "../../src/network/attention-costs.ts";
import { countNetwork, type NetworkCounts } from "../../src/network/counts.ts";
import { studyChart } from "../attention-study/chart.ts";
import { readRuns } from "../attention-study/runs.ts";
import { summarise } from "../attention-study/summary.ts";
import { studyBlocks } from "../attention-study/tables.ts";
import { absolute, fillBlocks, table } from "../documents.ts";

export const SCRIPT = "scripts/compact-attention-tables.ts";
export const DOCUMENT = "docs/compact-attention.md";
const PICTURE = "docs/images/attention-study.svg";

const DEIT = ["deit-ti", "deit-s", "deit-b"] as const;
const XCIT = ["xcit-n12", "xcit-t12", "xcit-s12"] as const;

const grouped = (n: number): string => n.toLocaleString("en-US");
const percent = (now: number, before: number): string => `${((100 * now) / before - 100).toFixed(1)} %`;

function counted(id: string, attention: AttentionOption = "standard"): NetworkCounts {
  return countNetwork(buildModel(id, { attention }), modelInfo(id).input);
}

/** Named members of the smallest DeiT. */
function memberTable(): string {
  const before = counted("deit-ti");
  const rows = ATTENTION_MEMBERS.map((member) => {
    const spec = attentionSpec(member);
    const merged = spec.qk === "merged";
    const { params, macs } = counted("deit-ti", member);
    const costs = networkAttentionCosts(buildModel("deit-ti", { attention: member }), modelInfo("deit-ti").input)!;
    return [
      `\`${member}\``,
      merged ? "2 a head" : String(projectionCount(spec).all),
      grouped(params),
      percent(params, before.params),
      grouped(macs),
      percent(macs, before.macs),
      grouped(costs.distinctScores),
      grouped(costs.buffers),
    ];
  });
  const header = ["member", "matrices", "parameters", "", "MACs", "", "distinct scores", "buffers, values"];
  return table(header, rows);
}

/** Members with so many projections fewer. */
const REMOVED: readonly AttentionFields[] = [{}, { v: "=k" }, { k: "=q", v: "=q" }, { k: "=q", v: "=q", o: "none" }];

function removedTable(): string {
  const rows = DEIT.flatMap((id) => {
    const before = counted(id);
    return REMOVED.map((member, k) => {
      const { params, macs } = counted(id, member);
      const changes = [percent(params, before.params), percent(macs, before.macs)];
      return [`\`${id}\``, String(k), grouped(params), k ? changes[0]! : "", grouped(macs), k ? changes[1]! : ""];
    });
  });
  return table(["model", "k", "parameters", "", "MACs", ""], rows);
}

function xcitTable(): string {
  const rows = XCIT.map((id) => {
    const [before, after] = [counted(id), counted(id, "shared-kv")];
    return [
      `\`${id}\``,
      grouped(before.params),
      grouped(before.macs),
      grouped(before.params - after.params),
      percent(after.params, before.params),
      grouped(before.macs - after.macs),
      percent(after.macs, before.macs),
    ];
  });
  return table(["model", "parameters", "MACs", "parameters less", "", "MACs less", ""], rows);
}

/** 2 d^2 / h weights a layer, and as many products a token (test/attention/identities.test.ts). */
function gaugeTable(): string {
  const rows = DEIT.map((id) => {
    const { params, macs, layers } = counted(id);
    const attention = buildModel(id).layers.filter((layer) => layer.op === "attention");
    const saved = attention.map(({ name, heads }) => {
      const [, tokens, channels] = layers.find((layer) => layer.name === name)!.shape;
      const weights = (2 * channels ** 2) / heads;
      return { weights, macs: weights * tokens };
    });
    const [weights, products] = (["weights", "macs"] as const).map((key) => saved.reduce((sum, s) => sum + s[key], 0));
    return [
      `\`${id}\``,
      grouped(weights!),
      percent(params - weights!, params),
      grouped(products!),
      percent(macs - products!, macs),
    ];
  });
  return table(["model", "weights less", "of the parameters", "MACs less", "of all"], rows);
}

export function attentionDocuments(): Map<string, string> {
  const blocks = new Map([
    ["members", memberTable()],
    ["removed", removedTable()],
    ["xcit", xcitTable()],
    ["gauge", gaugeTable()],
    ...studyBlocks(),
  ]);
  return new Map([
    [DOCUMENT, fillBlocks(DOCUMENT, readFileSync(absolute(DOCUMENT), "utf8"), blocks)],
    [PICTURE, studyChart(summarise(readRuns()), SCRIPT)],
  ]);
}
