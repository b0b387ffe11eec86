/** All networks by their ids. */
import { check, WasmogradError } from "../errors.ts";
import type { Network } from "../network/description.ts";
import { show } from "../network/layer-fields.ts";
import { CONVNEXT, RAN_I } from "./convnext.ts";
import { DEIT } from "./deit.ts";
import { EFFICIENTNET_LITE } from "./efficientnet-lite.ts";
import type { InputSize, ModelFamily, ModelOptions, Task } from "./family.ts";
import { FSRCNN } from "./fsrcnn.ts";
import { MOBILENET_V2 } from "./mobilenet-v2.ts";
import { RAN_E } from "./ran-e.ts";
import { REPVGG } from "./repvgg.ts";
import { massOf } from "./residual-blocks.ts";
import { CIFAR_RESNET, RESNET } from "./resnet.ts";
import { SESR } from "./sesr.ts";
import { VDSR } from "./vdsr.ts";
import { XCIT } from "./xcit.ts";

/** Super resolution first, then classification. */
export const FAMILIES: readonly ModelFamily[] = [
  SESR,
  FSRCNN,
  VDSR,
  RAN_E,
  EFFICIENTNET_LITE,
  MOBILENET_V2,
  REPVGG,
  RESNET,
  CIFAR_RESNET,
  CONVNEXT,
  RAN_I,
  DEIT,
  XCIT,
];

/** The ids that `buildModel` knows, family by family, the smallest model of each first. */
export function modelIds(): string[] {
  return FAMILIES.flatMap(({ ids }) => ids);
}

/** @throws WasmogradError ERR_ARGUMENT when the id is unknown (lists the known ones) */
export function familyOf(id: string): ModelFamily {
  const family = FAMILIES.find(({ ids }) => ids.includes(id));
  if (family) return family;
  throw new WasmogradError("ERR_ARGUMENT", `model: expected one of ${modelIds().join(", ")}, got ${String(id)}`);
}

/** @throws WasmogradError ERR_ARGUMENT when the family does not have the option, or not with this value */
function checkOptions(id: string, family: ModelFamily, options: ModelOptions): void {
  for (const [name, allowed] of [
    ["scale", family.scales],
    ["form", family.forms],
  ] as const) {
    const given: unknown = options[name];
    if (given === undefined) continue;
    check(allowed !== undefined, "ERR_ARGUMENT", () => `${name}: expected none, as ${id} has one only, got ${given}`);
    const known = (allowed as readonly unknown[]).includes(given);
    check(known, "ERR_ARGUMENT", () => `${name}: expected ${allowed.join(" or ")} for ${id}, got ${String(given)}`);
  }
  const attention = options.attention === undefined || family.hasAttention === true;
  check(
    attention,
    "ERR_ARGUMENT",
    () => `attention: expected none, as ${id} has no attention, got ${show(options.attention)}`,
  );
}

/**
 * The description of a model by its id; `modelIds` lists them, docs/models.md has inputs, outputs and sources.
 * @throws WasmogradError ERR_ARGUMENT when the id is unknown (lists the known ones), on an option that the model does not have, or on a
 *   compact attention that it cannot have (`compactAttention`)
 */
export function buildModel(id: string, options: ModelOptions = {}): Network {
  const family = familyOf(id);
  checkOptions(id, family, options);
  return family.build(id, options);
}

/** What `modelInfo` knows. */
export interface ModelInfo {
  /** As `buildModel` takes it. */
  readonly id: string;
  /** As people call it: "EfficientNet-Lite". */
  readonly family: string;
  /** What it is for. */
  readonly task: Task;
  /** The input for which its authors count, in pixels; of super resolution one that comes out at 1280x720. */
  readonly input: InputSize;
  /**
   * NN-Mass, in channels: RAN's definition for ConvNeXt and RAN-i, that of the parent metric for other residual networks; null where neither
   * has a form (see docs/models.md).
   */
  readonly nnMass: number | null;
}

/** What is known of a model besides its description. @throws WasmogradError ERR_ARGUMENT as `buildModel` */
export function modelInfo(id: string, options: ModelOptions = {}): ModelInfo {
  const family = familyOf(id);
  checkOptions(id, family, options);
  const { name, task, input, residualBlocks } = family;
  const nnMass = residualBlocks ? massOf(residualBlocks(id)) : null;
  return { id, family: name, task, input: input(options), nnMass };
}
