/** What the model is compared with: the published figures, and the networks as their authors ran them. */
import { buildModel } from "../../src/models/registry.ts";
import type { Network } from "../../src/network/description.ts";
import { device } from "../../src/timing/devices/registry.ts";
import type { SimulationReport } from "../../src/timing/report.ts";
import { simulate } from "../../src/timing/simulate.ts";

/** SESR for hardware: ReLU (see `activations`), and without the residual from the input, which needs a sum of unequal channels. */
export function sesrForHardware(scale: 2 | 4): Network {
  const network = buildModel("sesr-m5", { scale });
  const layers = network.layers
    .filter(({ name }) => name !== "cells")
    .map((layer) => ("input" in layer && layer.input === "cells" ? { ...layer, input: "last" } : layer));
  return { ...network, layers };
}

const n78 = (metric: string) => device("ethos-n78-4tops-4ple", { metric });

type Mode = SimulationReport["mode"];

export function sesrOnN78(
  input: readonly [number, number],
  scale: 2 | 4 = 2,
  metric = "22.02",
  mode: Mode = "analytic",
): SimulationReport {
  return simulate(sesrForHardware(scale), n78(metric), { input, activations: "clamped", mode });
}

export function fsrcnnOnN78(metric = "22.02", mode: Mode = "analytic"): SimulationReport {
  const options = { input: [1080, 1920], activations: "clamped", mode } as const;
  return simulate(buildModel("fsrcnn", { scale: 2 }), n78(metric), options);
}

export const RAN_MODELS = [
  "resnet18",
  "repvgg-a0",
  "efficientnet-lite0",
  "efficientnet-lite0-hswish",
  "ran-e-c",
  "ran-e-gt",
] as const;

/** RAN (arXiv 2208.08562): pictures a second, EfficientNet-Lite0 being 1. */
export const RAN_PUBLISHED: Readonly<Record<(typeof RAN_MODELS)[number], readonly [u55: number, u65: number]>> = {
  resnet18: [0.46, 0.48],
  "repvgg-a0": [0.72, 0.69],
  "efficientnet-lite0": [1, 1],
  "efficientnet-lite0-hswish": [1, 1],
  "ran-e-c": [1.06, 1.28],
  "ran-e-gt": [1.16, 1.49],
};

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

/** Relative pictures a second on U55-256 High-End Embedded or U65-512. */
export function ranTable(
  id: "ethos-u55-256" | "ethos-u65-512",
  activations: "as-described" | "clamped",
  mode: Mode = "analytic",
): Map<string, number> {
  const fps = (model: string): number =>
    simulate(buildModel(model), device(id), { input: [224, 224], activations, mode }).total.fps;
  const base = fps("efficientnet-lite0");
  return new Map(RAN_MODELS.map((model) => [model, fps(model) / base]));
}
