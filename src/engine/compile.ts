import { check, checkObject } from "../errors.ts";
import { type AlgorithmOption, algorithmApplies, checkAlgorithm, requireNamed } from "../kernels/convolution/choice.ts";
import { instantiateKernels, type KernelInstance } from "../kernels/load.ts";
import { type WasmOptions, wasmOf } from "../kernels/wasm-options.ts";
import type { Model, Network } from "../network/description.ts";
import type { QuantisedModel } from "../quantization/quantise.ts";
import { checkFilterScaling, type FilterScaling } from "../winograd/filter-scaling.ts";
import { CompiledNetwork } from "./compiled-network.ts";
import { type AlgorithmChoice, convolutionShapes, type LayerSteps, ProgramF32, ProgramS8 } from "./program.ts";
import { needsLayerSteps } from "./steps.ts";

/** Of `compile`. */
export interface CompileOptions extends WasmOptions {
  /** The kernel instance to run on; a fresh one by default, from the binary that `wasmUrl` or `wasmModule` name if they do. */
  readonly kernels?: KernelInstance;
  /**
   * "auto" (default): of the int8 algorithms that are exact for a layer's weights the fastest; f32 layers are direct. "winograd": Winograd
   * wherever it applies; or an algorithm by name ("direct", "f4x4-3x3-complex", "f4x4-3x3-rational", "f4x4-3x3-half", "f2x2-3x3",
   * "f2x2-5x5-complex", "f1x4-5x5-rational", in f32 "f2x2-5x5-rational" too) for the layers that it applies to, while others are direct;
   * refused where it applies to none. int8 results are the same bits whatever is taken, at the price of memory: transformed filters of
   * F(4x4,3x3) take 8 to 10 bytes a weight, direct ones 2. f32 Winograd differs from direct by rounding, and a little with where tiles
   * are cut.
   */
  readonly algorithm?: AlgorithmOption;
  /**
   * Options of single layers, by the names that `CompiledNetwork.algorithms` lists: those of the fused network. An algorithm that does not
   * apply to its layer is refused.
   */
  readonly layerAlgorithms?: Readonly<Record<string, AlgorithmOption>>;
  /**
   * int8: the transformed filters of those layers that Winograd computes in 8 to 16 bits with power-of-two scales (arXiv 1901.01965,
   * filter scaling), which rules the rational algorithm out. Not exact: docs/winograd.md has its error.
   */
  readonly filterScaling?: FilterScaling;
  /**
   * f32: multiplies and adds by relaxed SIMD where the engine has it (Node 22 and Chromium 114 or later; not Node 20), and as without it
   * elsewhere; `kernels.relaxed` of the network tells. Products are then rounded or not as the processor has it, so that results differ
   * from engine to engine in the last bits. Not for int8, and not with `kernels`, which bring a form of their own. docs/performance.md.
   */
  readonly relaxedSimd?: boolean;
}

/**
 * Makes a network ready to run in WebAssembly: f32 for a `Model` (linear blocks are collapsed and activations and residuals
 * fused first), int8 for what the quantise pass returned.
 *
 * @throws WasmogradError ERR_NETWORK, ERR_SHAPE, ERR_WEIGHTS (every missing, extra or misshapen tensor at once), ERR_UNSUPPORTED,
 *   ERR_WASM, ERR_OUT_OF_MEMORY
 */
export async function compile(model: Model | QuantisedModel, options: CompileOptions = {}): Promise<CompiledNetwork> {
  checkObject("model", model);
  checkObject("options", options);
  const { algorithm = "auto", layerAlgorithms: layers, filterScaling, relaxedSimd: relaxed = false } = options;
  checkAlgorithm(algorithm);
  check(
    typeof relaxed === "boolean",
    "ERR_ARGUMENT",
    () => `relaxedSimd: expected true or false, got ${String(relaxed)}`,
  );
  check(
    !relaxed || !options.kernels,
    "ERR_ARGUMENT",
    () => "relaxedSimd: expected without kernels of the caller's own",
  );
  const choice = { algorithm, layers, filterScaling };
  if ("filters" in model) {
    check(!relaxed, "ERR_ARGUMENT", () => "relaxedSimd: expected with f32 networks only");
    if (filterScaling !== undefined) {
      checkFilterScaling(filterScaling);
      check(algorithm !== "direct", "ERR_ARGUMENT", () => "filterScaling: direct convolution has no such filters");
    }
    checkLayers(choice, model.network, "s8");
    const kernels = options.kernels ?? (await instantiateKernels(wasmOf(options)));
    const steps = await layerSteps(kernels, model.network);
    return new CompiledNetwork(kernels, new ProgramS8(kernels, model, choice, steps));
  }
  check(filterScaling === undefined, "ERR_ARGUMENT", () => "filterScaling: expected with int8 networks only");
  const ready = (await import("./prepare-f32.ts")).prepareF32(model);
  checkLayers(choice, ready.network, "f32");
  const kernels = options.kernels ?? (await instantiateKernels({ ...wasmOf(options), relaxed }));
  const steps = await layerSteps(kernels, ready.network);
  return new CompiledNetwork(kernels, new ProgramF32(kernels, ready, choice, steps));
}

/** Steps of layers that super resolution does not have, where there are any. */
async function layerSteps(kernels: KernelInstance, network: Network): Promise<LayerSteps | undefined> {
  if (!network.layers.some(needsLayerSteps)) return undefined;
  return (await import("./layer-steps.ts")).loadLayerSteps(kernels, network);
}

/** What is asked for by name must be there: layers, and of each layer, or of any, the algorithm. */
function checkLayers({ algorithm, layers }: AlgorithmChoice, network: Network, dtype: "s8" | "f32"): void {
  const shapes = convolutionShapes(network);
  const anywhere = [...shapes.values()].some((shape) => algorithmApplies(algorithm, dtype, shape));
  // "winograd" stands for wherever it applies, if anywhere.
  check(algorithm === "winograd" || shapes.size === 0 || anywhere, "ERR_UNSUPPORTED", () => {
    return `algorithm: ${algorithm} has no ${dtype === "s8" ? "int8" : "f32"} kernel for any layer of this network`;
  });
  if (layers === undefined) return;
  checkObject("layerAlgorithms", layers);
  check(
    !(Symbol.iterator in layers),
    "ERR_ARGUMENT",
    () => "layerAlgorithms: expected a plain object, got a collection",
  );
  for (const [name, option] of Object.entries(layers)) {
    const shape = shapes.get(name);
    check(shape !== undefined, "ERR_ARGUMENT", () => {
      return `layerAlgorithms: expected names of ${[...shapes.keys()].join(", ")}, got ${name}`;
    });
    checkAlgorithm(option, `layerAlgorithms.${name}`);
    requireNamed(option, dtype, shape, `layerAlgorithms.${name}`);
  }
}
