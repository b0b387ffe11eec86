/** What training/attention-study/train.py wrote, one file a run; there may be fewer runs than the study is to have. */
import { readdirSync, readFileSync } from "node:fs";
import { ATTENTION_MEMBERS, type AttentionMember } from "../../src/attention/family.ts";
import { absolute } from "../documents.ts";

export const FOLDER = "training/attention-study/results";

export const KINDS = ["vit", "xcit"] as const;
export type Kind = (typeof KINDS)[number];

/** Of both networks alike. */
export interface Sizes {
  readonly channels: number;
  readonly depth: number;
  readonly heads: number;
  readonly mlpRatio: number;
  readonly strides: readonly [first: number, second: number];
  /** Tokens, each way. */
  readonly grid: number;
  readonly classes: number;
}

export interface Run extends Sizes {
  readonly kind: Kind;
  readonly member: AttentionMember;
  readonly seed: number;
  readonly epochs: number;
  readonly params: number;
  readonly pictures: number;
  /** Of `pictures`, by PyTorch. */
  readonly right: number;
  /** A bit a picture, the first the highest of its byte, in the order of the files' names. */
  readonly rightHex: string;
}

/** The members of the study in the family's order; all but `merged`, which cross-covariance attention cannot have. */
export const MEMBERS: readonly AttentionMember[] = ATTENTION_MEMBERS.filter((member) => member !== "merged");

export const runName = ({ kind, member, seed }: Pick<Run, "kind" | "member" | "seed">): string =>
  `${kind}-${member}-seed${seed}`;

/** All runs that are there, by kind, member and seed. */
export function readRuns(): Run[] {
  const names = readdirSync(absolute(FOLDER)).filter((name) => /-seed\d+\.json$/.test(name));
  const runs = names.map((name) => JSON.parse(readFileSync(absolute(`${FOLDER}/${name}`), "utf8")) as Run);
  const place = ({ kind, member, seed }: Run): number =>
    (KINDS.indexOf(kind) * MEMBERS.length + MEMBERS.indexOf(member)) * 1000 + seed;
  return runs.sort((a, b) => place(a) - place(b));
}

/** Whether each picture was answered rightly, 0 or 1. */
export function rightBits({ rightHex, pictures }: Pick<Run, "rightHex" | "pictures">): Uint8Array {
  const bytes = Buffer.from(rightHex, "hex");
  return Uint8Array.from({ length: pictures }, (_, i) => (bytes[i >> 3]! >> (7 - (i & 7))) & 1);
}
