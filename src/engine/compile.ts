import { checkObject } from "../errors.ts";
import { type AlgorithmOption, checkAlgorithm } from "../kernels/convolution/convolution.ts";
import { instantiateKernels, type KernelInstance } from "../kernels/load.ts";
import type { Model } from "../network/description.ts";
import { checkWeights } from "../network/weights.ts";
import { prepare, type QuantisedModel } from "../quantization/quantise.ts";
import { CompiledNetwork } from "./compiled-network.ts";
import { ProgramF32, ProgramS8 } from "./program.ts";

export interface CompileOptions {
  /** The kernel instance to run on; a fresh one by default. */
  readonly kernels?: KernelInstance;
  /**
   * int8 convolutions: "auto" (default) picks per layer, "direct" and "winograd" force one where it applies. All give the same bits.
   */
  readonly algorithm?: AlgorithmOption;
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
  const algorithm = options.algorithm ?? "auto";
  checkAlgorithm(algorithm);
  if ("filters" in model) {
    const kernels = options.kernels ?? (await instantiateKernels());
    return new CompiledNetwork(kernels, new ProgramS8(kernels, model, algorithm));
  }
  checkWeights(model.network, model.weights);
  const ready = prepare(model);
  const kernels = options.kernels ?? (await instantiateKernels());
  return new CompiledNetwork(kernels, new ProgramF32(kernels, ready));
}
