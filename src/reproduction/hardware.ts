/** The papers' hardware runs, by the timing model: networks as their authors ran them, on devices as far as these are known. */
import { buildModel } from "../models/registry.ts";
import type { Network } from "../network/description.ts";
import { withOverrides } from "../timing/devices/overrides.ts";
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

export function sesrOnN78(
  input: Size,
  scale: 2 | 4 = 2,
  metric = "22.02",
  mode: Mode = "analytic",
  network = sesrForHardware(scale),
): SimulationReport {
  return simulate(network, n78(metric), { input, activations: "clamped", mode });
}

/** The same of SESR-M5 x2 as it is trained, the sum with the input included. */
export const sesrWithSumOnN78 = (input: Size, metric = "22.02", mode: Mode = "analytic"): SimulationReport =>
  sesrOnN78(input, 2, metric, mode, buildModel("sesr-m5", { scale: 2 }));

export function fsrcnnOnN78(metric = "22.02", mode: Mode = "analytic"): SimulationReport {
  const options = { input: FULL_HD, activations: "clamped", mode } as const;
  return simulate(buildModel("fsrcnn", { scale: 2 }), n78(metric), options);
}

/** The NPUs of RAN's table are not said; these are guesses. */
export const RAN_DEVICES = { u55: "ethos-u55-256", u65: "ethos-u65-512" } as const;

/** SRAM that holds all maps of ResNet-18 on U55: its published figure is that of such an arena. */
export const LARGE_ARENA_BYTES = 2 << 20;

export interface RanOptions {
  /** "as-described" unless given. */
  readonly activations?: "as-described" | "clamped";
  /** "analytic" unless given. */
  readonly mode?: Mode;
  /** SRAM that the network's schedule aims at, in place of the memory mode's; EfficientNet-Lite0 keeps that. */
  readonly arenaBytes?: number;
}

const BASE = "efficientnet-lite0";

function ranFps(
  model: string,
  id: string,
  { activations = "as-described", mode = "analytic", arenaBytes }: RanOptions,
) {
  const npu = device(id);
  const own = arenaBytes === undefined ? npu : withOverrides(npu, { memory: { cacheBytes: arenaBytes } });
  return simulate(buildModel(model), own, { input: [224, 224], activations, mode }).total.fps;
}

/** Of EfficientNet-Lite0, by device and mode; it has no activation but ReLU6, which either reading clamps. */
const baseFps = new Map<string, number>();

/** Pictures a second over those of EfficientNet-Lite0 with ReLU6. */
export function ranSpeed(model: string, id: string, options: RanOptions = {}): number {
  const { mode = "analytic" } = options;
  const preset = `${id} ${mode}`;
  const base = baseFps.get(preset) ?? ranFps(BASE, id, { mode });
  baseFps.set(preset, base);
  return model === BASE ? 1 : ranFps(model, id, options) / base;
}
