/**
 * The family of compact attentions: which of the four projections of an attention layer exist, and what stands in for those that do not.
 * Ours, made to be consistent with the abstract of "Armour: Generalizable Compact Self-Attention for Vision Transformers" (arXiv
 * 2108.01778); it is not that paper's unseen formula (docs/compact-attention.md).
 */
import { check } from "../errors.ts";
import { show } from "../network/layer-fields.ts";

export const ROLES: readonly Role[] = ["q", "k", "v", "o"];
/** The four projections of attention: queries, keys, values, output. */
export type Role = "q" | "k" | "v" | "o";

/** One member of the family. Written with X the block's input, Q = X W_Q + b_Q and so on. */
export interface AttentionSpec {
  /** Always a W_Q of its own. */
  readonly q: "own";
  /** A W_K of its own, K = Q, or K = X. */
  readonly k: "own" | "=q" | "input";
  /** A W_V of its own, V = Q, V = K, or V = X. */
  readonly v: "own" | "=q" | "=k" | "input";
  /** W_O, or the heads go as they are into what follows. */
  readonly o: "own" | "none";
  /** merged: one matrix W_Q W_K^T a head, K replaced by X. */
  readonly qk: "separate" | "merged";
  /** merged: one matrix W_V W_O a head, V replaced by X. */
  readonly vo: "separate" | "merged";
  /** Heads of the queries that share a head of a K or V that is projected: 1 all own, as many as heads multi-query. */
  readonly grouping: number;
  /** Whether the projection keeps the bias that it has. */
  readonly bias: Readonly<Record<Role, boolean>>;
}

/** As a caller writes it; what is left out is as in "standard". */
export type AttentionFields = Partial<Omit<AttentionSpec, "bias">> & {
  /** Projections that are left out keep theirs. */
  readonly bias?: Partial<AttentionSpec["bias"]>;
};

const STANDARD: AttentionSpec = {
  q: "own",
  k: "own",
  v: "own",
  o: "own",
  qk: "separate",
  vo: "separate",
  grouping: 1,
  bias: { q: true, k: true, v: true, o: true },
};

/** The members that have names. */
const MEMBERS = {
  standard: {},
  "shared-qk": { k: "=q" },
  "shared-kv": { v: "=k" },
  single: { k: "=q", v: "=q" },
  keyless: { k: "input" },
  valueless: { v: "input" },
  lean: { k: "=q", v: "input" },
  merged: { qk: "merged", vo: "merged" },
} as const satisfies Record<AttentionMember, AttentionFields>;

/** The members that have a name; docs/compact-attention.md has the table. */
export type AttentionMember =
  | "standard"
  | "shared-qk"
  | "shared-kv"
  | "single"
  | "keyless"
  | "valueless"
  | "lean"
  | "merged";
/** The names of all members. */
export const ATTENTION_MEMBERS = /* @__PURE__ */ Object.keys(MEMBERS) as readonly AttentionMember[];

/** A member by name, or by its fields. */
export type AttentionOption = AttentionMember | AttentionFields;

const VALUES = {
  q: ["own"],
  k: ["own", "=q", "input"],
  v: ["own", "=q", "=k", "input"],
  o: ["own", "none"],
  qk: ["separate", "merged"],
  vo: ["separate", "merged"],
} as const;

/** Fields besides `grouping` and `bias`, with the values that they take. */
export const ATTENTION_FIELDS: Readonly<Record<string, readonly string[]>> = VALUES;

const refuse = (condition: boolean, message: () => string): void =>
  check(condition, "ERR_ARGUMENT", () => `attention: ${message()}`);

function checkFields(fields: Readonly<Record<string, unknown>>): void {
  const known = Object.keys(STANDARD);
  for (const [name, given] of Object.entries(fields)) {
    refuse(known.includes(name), () => `expected the fields ${known.join(", ")}, got ${show(name)}`);
    if (given === undefined) continue;
    const values = ATTENTION_FIELDS[name];
    if (values) {
      refuse(values.includes(given as string), () => `${name}: expected ${values.join(" or ")}, got ${show(given)}`);
    } else if (name === "grouping") {
      const positive = Number.isInteger(given) && (given as number) > 0;
      refuse(positive, () => `grouping: expected a positive integer, got ${show(given)}`);
    } else {
      const isRecord = typeof given === "object" && given !== null;
      const sound = isRecord && Object.entries(given).every(([r, b]) => r in STANDARD.bias && typeof b === "boolean");
      refuse(sound, () => `bias: expected true or false for some of ${ROLES.join(", ")}, got ${show(given)}`);
    }
  }
}

/** What stands in twice is written once: V = K where K = Q is V = Q, and where K = X it is V = X. */
function normalised(spec: AttentionSpec): AttentionSpec {
  if (spec.v !== "=k" || spec.k === "own") return spec;
  return { ...spec, v: spec.k };
}

/** Combinations that contradict themselves, each with its reason. */
function checkCombination({ k, v, o, qk, vo, grouping }: AttentionSpec): void {
  const merged = qk === "merged" || vo === "merged";
  refuse(
    qk !== "merged" || k === "own",
    () => `qk: expected separate with k ${show(k)}, as merging needs a W_K to fold into W_Q, got merged`,
  );
  refuse(
    qk !== "merged" || v === "own" || v === "input",
    () => `qk: expected separate with v ${show(v)}, as merging leaves no Q and K that V could be, got merged`,
  );
  refuse(
    vo !== "merged" || v === "own",
    () => `vo: expected separate with v ${show(v)}, as merging needs a W_V to fold into W_O, got merged`,
  );
  refuse(
    vo !== "merged" || o === "own",
    () => 'vo: expected separate with o "none", as merging needs a W_O to fold W_V into, got merged',
  );
  refuse(
    grouping === 1 || !merged,
    () => `grouping: expected 1 with merged projections, whose keys or values all heads share already, got ${grouping}`,
  );
  refuse(
    grouping === 1 || k === "own" || v === "own",
    () => `grouping: expected 1 where neither K nor V has a projection of its own to share, got ${grouping}`,
  );
}

/**
 * All fields of a member that is given by name or by some of them: docs/compact-attention.md has the family and its sources.
 * @throws WasmogradError ERR_ARGUMENT on unknown names, fields and values, and on combinations that contradict themselves
 */
export function attentionSpec(option: AttentionOption): AttentionSpec {
  const names = ATTENTION_MEMBERS.join(", ");
  const isName = typeof option === "string" && (ATTENTION_MEMBERS as readonly string[]).includes(option);
  const isFields = typeof option === "object" && option !== null && !Array.isArray(option);
  refuse(isName || isFields, () => `expected one of ${names} or an object of fields, got ${String(option)}`);
  const fields: AttentionFields = typeof option === "string" ? MEMBERS[option] : option;
  checkFields(fields as Readonly<Record<string, unknown>>);
  const given = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
  const spec = normalised({ ...STANDARD, ...given, bias: { ...STANDARD.bias, ...fields.bias } });
  checkCombination(spec);
  return spec;
}

/** Whether nothing is taken away. */
export function isStandard({ bias, ...fields }: AttentionSpec): boolean {
  const { bias: all, ...standard } = STANDARD;
  return ROLES.every((role) => bias[role] === all[role]) && JSON.stringify(fields) === JSON.stringify(standard);
}

/**
 * Matrices of d x d among W_Q, W_K, W_V and W_O that are left, of which those behind the input (Q, K, V) are `inputs`; without merging and
 * grouping, whose matrices have other sizes.
 */
export function projectionCount({ k, v, o }: AttentionSpec): { readonly all: number; readonly inputs: number } {
  const inputs = 1 + [k, v].filter((source) => source === "own").length;
  return { all: inputs + (o === "own" ? 1 : 0), inputs };
}

/**
 * What a user should know of a member that is allowed but rarely meant, a line each; ours.
 * @param heads of the queries
 */
export function attentionNotes({ v, o, qk, vo }: AttentionSpec, heads: number): string[] {
  const merged = qk === "merged" || vo === "merged";
  return [
    ...(merged && heads > 1
      ? [
          `merged: of ${heads} heads each has a matrix of d x d, ${heads} in place of 2: larger and slower than separate ones`,
        ]
      : []),
    ...(v === "input" && o === "none" ? ["v input with o none: the layer only averages tokens"] : []),
  ];
}
