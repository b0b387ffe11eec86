/** The network of an upscaler: model, weights, precision, algorithms. */

import { compile } from "../engine/compile.ts";
import type { CompiledNetwork } from "../engine/compiled-network.ts";
import { check, WasmogradError } from "../errors.ts";
import type { AlgorithmOption } from "../kernels/convolution/choice.ts";
import { instantiateKernels } from "../kernels/load.ts";
import { type WasmOptions, wasmOf } from "../kernels/wasm-options.ts";
import { sesrById } from "../models/sesr.ts";
import type { Model, Network } from "../network/description.ts";
import { halo } from "../network/receptive-field.ts";
import type { Equalisation } from "../quantization/equalise.ts";
import type { QuantisedModel } from "../quantization/quantise.ts";
import type { Calibration } from "../quantization/ranges.ts";
import { restoreModel } from "../quantization/stored-model.ts";
import type { FilterScaling } from "../winograd/filter-scaling.ts";
import { SHIPPED } from "./weights/index.generated.ts";

/** Which network upscales, and how it is computed. */
export interface NetworkOptions extends WasmOptions {
  /** Model id, "sesr-m5" by default; `shippedModels()` lists those with weights. "fsrcnn" too, with weights of your own. */
  readonly model?: string;
  /** 2 (default) or 4. */
  readonly scale?: 2 | 4;
  /** "int8" (default): the faster; "f32": the network as it was trained. */
  readonly precision?: "int8" | "f32";
  /** How convolutions are computed; "auto" by default. See `compile`: in int8 it changes the speed and nothing else. */
  readonly algorithm?: AlgorithmOption;
  /** int8: filters of Winograd layers in fewer bits. See `compile`: not exact, and results depend a little on where tiles are cut. */
  readonly filterScaling?: FilterScaling;
  /** Your own weights as a safetensors file with the names of the model's collapsed form, instead of the shipped ones. */
  readonly weights?: Uint8Array;
  /** Ranges of the activations for int8 with your own weights: what `calibrate` returns. */
  readonly calibration?: Calibration;
  /** Scales that your own weights were equalised with before they were calibrated, if they were: what `findEqualisation` returns. */
  readonly equalisation?: Equalisation;
  /** Tensors that int8 with your own weights reads in two parts, levels and eighths: as of `quantise`. */
  readonly fine?: readonly string[];
}

/** Models whose trained weights come with the package, as `createUpscaler` takes them. */
export function shippedModels(): readonly { readonly model: string; readonly scale: number }[] {
  return SHIPPED.map(({ id, scale }) => ({ model: id, scale }));
}

/** Factors for which a model's trained weights come with the package. */
export function shippedScales(model: string): readonly (2 | 4)[] {
  return SHIPPED.filter(({ id }) => id === model).map(({ scale }) => scale);
}

/** The int8 network that comes with the package for a model and a factor, if one does. */
export async function shippedInt8(model: string, scale: number): Promise<QuantisedModel | undefined> {
  const shipped = SHIPPED.find((s) => s.id === model && s.scale === scale);
  return shipped && restoreModel((await shipped.int8()).model);
}

/** A network ready to run, and what an upscaler needs to know about it. */
export interface UpscalingNetwork {
  readonly network: CompiledNetwork;
  readonly model: string;
  readonly scale: 2 | 4;
  /** Input pixels around a tile that its result depends on. */
  readonly halo: number;
}

/** @throws WasmogradError as `createUpscaler` */
export async function createNetwork(options: NetworkOptions): Promise<UpscalingNetwork> {
  const { model = "sesr-m5", scale = 2, precision = "int8" } = options;
  check(
    precision === "int8" || precision === "f32",
    "ERR_ARGUMENT",
    () => `precision: expected "int8" or "f32", got ${String(precision)}`,
  );
  check(scale === 2 || scale === 4, "ERR_ARGUMENT", () => `scale: expected 2 or 4, got ${String(scale)}`);
  const network = await describe(model, scale);
  const kernels = await instantiateKernels(wasmOf(options));
  const ready = await (options.weights ? ownModel(network, options) : shippedModel(model, scale, network, options));
  const { algorithm = "auto", filterScaling } = options;
  const compiled = await compile(ready, { kernels, algorithm, ...(filterScaling !== undefined && { filterScaling }) });
  const { top, bottom, left, right } = halo(network);
  return { network: compiled, model, scale, halo: Math.max(top, bottom, left, right) };
}

/** What few ask for is loaded when it is asked for. */
async function describe(model: string, scale: 2 | 4): Promise<Network> {
  if (model !== "fsrcnn") return sesrById(model, { scale });
  return (await import("../models/fsrcnn.ts")).FSRCNN.build(model, { scale });
}

async function ownModel(network: Network, options: NetworkOptions): Promise<Model | QuantisedModel> {
  const { weights, precision = "int8", ...recipe } = options;
  return (await import("./trained-model.ts")).ownModel(network, weights!, precision, recipe);
}

async function shippedModel(
  model: string,
  scale: number,
  network: Network,
  options: NetworkOptions,
): Promise<Model | QuantisedModel> {
  for (const name of ["calibration", "equalisation", "fine"] as const) {
    const own = () => `${name}: expected together with weights of your own only`;
    check(options[name] === undefined, "ERR_ARGUMENT", own);
  }
  const shipped = SHIPPED.find((s) => s.id === model && s.scale === scale);
  if (!shipped) {
    const list = SHIPPED.map((s) => `${s.id} x${s.scale}`).join(", ");
    throw new WasmogradError("ERR_ARGUMENT", `model: no weights are shipped for ${model} x${scale}, only for ${list}`);
  }
  if (options.precision !== "f32") return restoreModel((await shipped.int8()).model);
  const [{ f32Model }, { safetensors }] = await Promise.all([import("./trained-model.ts"), shipped.f32()]);
  return f32Model(network, await safetensors);
}
