/** What a command looks at: a built-in network with its options, or a description from a file. */
import type { InputSize, ModelOptions } from "../models/family.ts";
import { buildModel, familyOf, modelInfo } from "../models/registry.ts";
import type { Network } from "../network/description.ts";
import { isNetworkFile, readNetwork } from "./network-file.ts";
import { choiceOption, type OptionSpecs, type Parsed, UsageError } from "./options.ts";

/** The options that `modelOptions` reads, and the size of the input. */
export const SUBJECT_OPTIONS = {
  scale: { type: "string", value: "N", help: "upscaling factor of SESR and FSRCNN, 2 by default" },
  input: {
    type: "string",
    value: "HxW",
    help: "input size; by default 224x224, of CIFAR networks 32x32, of upscaling ones what comes out at 1280x720",
  },
  form: {
    type: "string",
    value: "FORM",
    help: "SESR: collapsed (default) or expanded; RepVGG: deployed (default) or train",
  },
} as const satisfies OptionSpecs;

export interface Subject {
  readonly network: Network;
  /** The default. */
  readonly input: InputSize;
  readonly nnMass: number | null;
}

/** Of networks whose authors are not known. */
const DESCRIPTION_INPUT: InputSize = [360, 640];

/** What --scale and --form say, within what the network has. @throws UsageError, WasmogradError ERR_ARGUMENT on an unknown id */
export function modelOptions(parsed: Parsed, name: string): ModelOptions {
  const given = (["scale", "form"] as const).filter((option) => parsed.text(option) !== undefined);
  if (given.length === 0) return {};
  if (isNetworkFile(name))
    throw new UsageError(`--${given[0]}: expected with a built-in network only, not with a description`);
  const { scales, forms } = familyOf(name);
  const missing = given.find((option) => (option === "scale" ? scales : forms) === undefined);
  if (missing !== undefined) throw new UsageError(`--${missing}: expected none, as ${name} has one only`);
  return {
    ...(scales && { scale: Number(choiceOption(parsed, "scale", scales.map(String), "2")) as 2 | 3 | 4 }),
    ...(forms && { form: choiceOption(parsed, "form", forms, forms[0]!) }),
  };
}

/** A built-in network by id, or a description from a file. */
export async function loadSubject(name: string, options: ModelOptions): Promise<Subject> {
  if (isNetworkFile(name)) return { network: await readNetwork(name), input: DESCRIPTION_INPUT, nnMass: null };
  return { network: buildModel(name, options), ...modelInfo(name, options) };
}
