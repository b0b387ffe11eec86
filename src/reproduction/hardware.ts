/** The papers' hardware runs, by the timing model: networks as their authors ran them, on devices as far as these are known. */
import { buildModel } from "../models/registry.ts";
import type { Network } from "../network/description.ts";
import { device } from "../timing/devices/registry.ts";
import type { SimulationReport } from "../timing/report.ts";
import { simulate } from "../timing/simulate.ts";

type Size = readonly [height: number, width: number];

export const FULL_HD: Size = [1080, 1920];
/** Of the paper's tiles, input pixels. */
export const TILE: Size = [300, 400];

/** SESR for hardware: ReLU (see `activations`), and without the residual from the input, which needs a sum of unequal channels. */
export function sesrForHardware(scale: 2 | 4): Network {
  const network = buildModel("sesr-m5", { scale });
  const layers = network.layers
    .filter(({ name }) => name !== "cells")
    .map((layer) => ("input" in layer && layer.input === "cells" ? { ...layer, input: "last" } : layer));
  return { ...network, layers };
}

/** The papers' figures are those of analytic estimators. */
export type Mode = SimulationReport["mode"];

const n78 = (metric: string) => device("ethos-n78-4tops-4ple", { metric });

export function sesrOnN78(input: Size, scale: 2 | 4 = 2, metric = "22.02", mode: Mode = "analytic"): SimulationReport {
  return simulate(sesrForHardware(scale), n78(metric), { input, activations: "clamped", mode });
}

export function fsrcnnOnN78(metric = "22.02", mode: Mode = "analytic"): SimulationReport {
  const options = { input: FULL_HD, activations: "clamped", mode } as const;
  return simulate(buildModel("fsrcnn", { scale: 2 }), n78(metric), options);
}

/** The NPUs of RAN's table are not said; these are guesses. */
export const RAN_DEVICES = { u55: "ethos-u55-256", u65: "ethos-u65-512" } as const;

/** Pictures a second over those of EfficientNet-Lite0 with ReLU6. */
export function ranSpeed(
  model: string,
  id: string,
  activations: "as-described" | "clamped",
  mode: Mode = "analytic",
): number {
  const fps = (name: string): number =>
    simulate(buildModel(name), device(id), { input: [224, 224], activations, mode }).total.fps;
  return fps(model) / fps("efficientnet-lite0");
}
