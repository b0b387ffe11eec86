/** What the model is compared with: the published figures, and the networks as their authors ran them. */
import { RAN_DEVICES, ranSpeed } from "../../src/reproduction/hardware.ts";
import { PUBLISHED } from "../../src/reproduction/published.ts";

export const RAN_MODELS = [
  "resnet18",
  "repvgg-a0",
  "efficientnet-lite0",
  "efficientnet-lite0-hswish",
  "ran-e-c",
  "ran-e-gt",
] as const;

/** By its id. */
export function publishedValue(id: string): number {
  return PUBLISHED.find((figure) => figure.id === id)!.value;
}

/** RAN's table: pictures a second, EfficientNet-Lite0 being 1. */
export const ranPublished = (model: string, npu: keyof typeof RAN_DEVICES): number =>
  model === "efficientnet-lite0" ? 1 : publishedValue(`${npu} ${model}`);

/** Relative pictures a second on the device that stands for the paper's. */
export function ranTable(npu: keyof typeof RAN_DEVICES, activations: "as-described" | "clamped"): Map<string, number> {
  return new Map(RAN_MODELS.map((model) => [model, ranSpeed(model, RAN_DEVICES[npu], activations)]));
}
