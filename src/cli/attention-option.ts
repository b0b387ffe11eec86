/** --attention: a member of the compact family, or fields that are changed, or both: shared-kv,o=none,grouping=2. */
import {
  ATTENTION_FIELDS,
  ATTENTION_MEMBERS,
  type AttentionFields,
  type AttentionOption,
  type AttentionSpec,
  attentionSpec,
  ROLES,
} from "../attention/family.ts";
import { type Parsed, UsageError } from "./options.ts";

export const ATTENTION_OPTION = {
  type: "string",
  value: "MEMBER",
  help: `of vision transformers: ${ATTENTION_MEMBERS.join(", ")}; and fields, as in shared-kv,o=none`,
} as const;

const SYNTAX = `a member (${ATTENTION_MEMBERS.join(", ")}) and fields such as k==q, v=input, o=none, grouping=2 or bias=qo`;

/** One field as written, value and all. @throws UsageError */
function field(text: string): AttentionFields {
  const [, name, value] = /^(\w+)=(.+)$/.exec(text) ?? [];
  if (name === "grouping" && /^\d+$/.test(value!)) return { grouping: Number(value) };
  if (name === "bias" && /^(?:[qkvo]+|none)$/.test(value!)) {
    const kept = value === "none" ? "" : value!;
    return { bias: Object.fromEntries(ROLES.map((role) => [role, kept.includes(role)])) };
  }
  if (name !== undefined && Object.hasOwn(ATTENTION_FIELDS, name)) return { [name]: value };
  throw new UsageError(`--attention: expected ${SYNTAX}, got ${text}`);
}

/** @throws UsageError, WasmogradError ERR_ARGUMENT as `attentionSpec` */
export function attentionOption(parsed: Parsed): AttentionSpec | undefined {
  const text = parsed.text("attention");
  if (text === undefined) return undefined;
  const [first = "", ...rest] = text.split(",");
  const named = !first.includes("=");
  if (named && !(ATTENTION_MEMBERS as readonly string[]).includes(first)) {
    throw new UsageError(`--attention: expected ${SYNTAX}, got ${first}`);
  }
  const member: AttentionFields = named ? attentionSpec(first as AttentionOption) : {};
  const fields = (named ? rest : [first, ...rest]).map(field);
  return attentionSpec(Object.assign({}, member, ...fields) as AttentionFields);
}
