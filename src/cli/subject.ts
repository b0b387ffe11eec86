/** What a command looks at: a built-in network with its options, or a description from a file. */
import { compactAttention } from "../attention/compact.ts";
import type { AttentionSpec } from "../attention/family.ts";
import type { InputSize, ModelOptions } from "../models/family.ts";
import { buildModel, familyOf, modelInfo } from "../models/registry.ts";
import type { Network } from "../network/description.ts";
import { ATTENTION_OPTION, attentionOption } from "./attention-option.ts";
import { isNetworkFile, readNetwork } from "./network-file.ts";
import { choiceOption, type OptionSpecs, type Parsed, UsageError } from "./options.ts";

/** The options that `modelOptions` reads, and the size of the input. */
export const SUBJECT_OPTIONS = {
  scale: { type: "string", value: "N", help: "upscaling factor of SESR and FSRCNN, 2 by default" },
  input: {
    type: "string",
    value: "HxW",
    help: "input size; by default 224x224, of CIFAR networks 32x32, of upscaling ones what comes out at 1280x720, of detectors 800x1088",
  },
  form: {
    type: "string",
    value: "FORM",
    help: "SESR: collapsed (default) or expanded; RepVGG: deployed (default) or train",
  },
  attention: ATTENTION_OPTION,
} as const satisfies OptionSpecs;

export interface Subject {
  readonly network: Network;
  /** The default. */
  readonly input: InputSize;
  readonly nnMass: number | null;
}

/** Of networks whose authors are not known. */
const DESCRIPTION_INPUT: InputSize = [360, 640];

/** What --attention says, where the network has attention. @throws UsageError, WasmogradError ERR_ARGUMENT on an unknown id */
export function attentionOf(parsed: Parsed, name: string): AttentionSpec | undefined {
  const attention = attentionOption(parsed);
  if (attention && !isNetworkFile(name) && !familyOf(name).hasAttention) {
    throw new UsageError(`--attention: expected none, as ${name} has no attention`);
  }
  return attention;
}

/** What --scale, --form and --attention say, within what the network has. @throws UsageError, WasmogradError ERR_ARGUMENT on an unknown id */
export function modelOptions(parsed: Parsed, name: string): ModelOptions {
  const given = (["scale", "form"] as const).filter((option) => parsed.text(option) !== undefined);
  const attention = attentionOf(parsed, name);
  if (isNetworkFile(name)) {
    if (given.length > 0)
      throw new UsageError(`--${given[0]}: expected with a built-in network only, not with a description`);
    return { ...(attention && { attention }) };
  }
  const { scales, forms } = familyOf(name);
  const missing = given.find((option) => (option === "scale" ? scales : forms) === undefined);
  if (missing !== undefined) throw new UsageError(`--${missing}: expected none, as ${name} has one only`);
  return {
    ...(attention && { attention }),
    ...(scales && { scale: Number(choiceOption(parsed, "scale", scales.map(String), "2")) as 2 | 3 | 4 }),
    ...(forms && { form: choiceOption(parsed, "form", forms, forms[0]!) }),
  };
}

/** A built-in network by id, or a description from a file. */
export async function loadSubject(name: string, options: ModelOptions): Promise<Subject> {
  if (isNetworkFile(name)) {
    const network = await readNetwork(name);
    const { attention } = options;
    return {
      network: attention ? compactAttention(network, attention) : network,
      input: DESCRIPTION_INPUT,
      nnMass: null,
    };
  }
  return { network: buildModel(name, options), ...modelInfo(name, options) };
}
