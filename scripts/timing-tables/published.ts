/** What the model is compared with: the published figures, and the networks that both modes are shown on. */
import { buildModel } from "../../src/models/registry.ts";
import { type Mode, RAN_DEVICES, type RanOptions, ranSpeed } from "../../src/reproduction/hardware.ts";
import { published } from "../../src/reproduction/published.ts";
import { device } from "../../src/timing/devices/registry.ts";
import type { SimulationReport } from "../../src/timing/report.ts";
import { simulate } from "../../src/timing/simulate.ts";

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
  return published().find((figure) => figure.id === id)!.value;
}

/** RAN's table: pictures a second, EfficientNet-Lite0 being 1. */
export const ranPublished = (model: string, npu: keyof typeof RAN_DEVICES): number =>
  model === "efficientnet-lite0" ? 1 : publishedValue(`${npu} ${model}`);

/** Relative pictures a second on the device that stands for the paper's. */
export function ranTable(npu: keyof typeof RAN_DEVICES, options: RanOptions = {}): Map<string, number> {
  return new Map(RAN_MODELS.map((model) => [model, ranSpeed(model, RAN_DEVICES[npu], options)]));
}

/** In both modes: milliseconds, and what binds most of the time in event mode. */
export const COMPARED: readonly (readonly [model: string, input: readonly [number, number], device: string])[] = [
  ["resnet20-cifar", [32, 32], "ethos-u55-256"],
  ["mobilenet-v2", [224, 224], "ethos-u55-128"],
  ["efficientnet-lite0", [224, 224], "ethos-u55-256"],
  ["resnet18", [224, 224], "ethos-u55-256"],
  ["resnet18", [224, 224], "ethos-u65-512"],
  ["ran-e-gt", [224, 224], "ethos-u65-512"],
  ["sesr-m5", [1080, 1920], "ethos-u65-512"],
  ["resnet18", [224, 224], "ethos-n78-4tops-4ple"],
];

export function bothModes([model, input, id]: (typeof COMPARED)[number]): Record<Mode, SimulationReport> {
  const run = (mode: Mode): SimulationReport => simulate(buildModel(model), device(id), { input, mode });
  return { analytic: run("analytic"), event: run("event") };
}
