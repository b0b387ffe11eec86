/** A detector small enough for tests, with ConvNeXt's layers and names; and files of its weights. */
import { type DetectorNetworks, detectorNetworks } from "../../src/detector/networks.ts";
import { detectorWeightShapes } from "../../src/detector/weights.ts";
import { serialiseSafetensors } from "../../src/formats/safetensors.ts";
import { LayerList } from "../../src/models/layer-list.ts";
import type { Network } from "../../src/network/description.ts";
import { hashTensor } from "../golden/hash-weights.ts";

export const CHANNELS = 6;
export const CLASSES = 5;

/** Two stages of one block: 3 -> 4 -> 6 channels, stride 4 * 8 = 32. */
export function tinyBackbone(): Network {
  const list = new LayerList(3);
  let x = list.layerNorm(
    "downsample_layers.0.1",
    list.convolution("downsample_layers.0.0", "x", 4, { kernel: 4, stride: 4, bias: true }),
    1e-6,
  );
  for (const [stage, channels] of [4, CHANNELS].entries()) {
    if (stage === 1) {
      const normalised = list.layerNorm("downsample_layers.1.0", x, 1e-6);
      x = list.convolution("downsample_layers.1.1", normalised, channels, { kernel: 8, stride: 8, bias: true });
    }
    const name = `stages.${stage}.0`;
    let y = list.convolution(`${name}.dwconv`, x, channels, { kernel: 7, padding: 3, depthwise: true, bias: true });
    y = list.layerNorm(`${name}.norm`, y, 1e-6);
    y = list.activation(list.dense(`${name}.pwconv1`, y, 4 * channels), "gelu");
    y = list.dense(`${name}.pwconv2`, y, channels);
    x = list.sum(name, list.channelScale(`${name}.scaled`, y, `${name}.gamma`), x);
  }
  return list.network("tiny", x);
}

export const tinyNetworks = (): DetectorNetworks => detectorNetworks(tinyBackbone(), CLASSES);

export interface Tensor {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** As PyTorch would store them: filters OIHW, linear layers with two axes, vectors with one. */
export function tinyTensors(): Map<string, Tensor> {
  const shapes = [...detectorWeightShapes(tinyNetworks())];
  return new Map(
    shapes.map(([name, shape]) => {
      const [out, height, width, inputs] = shape as [number, number, number, number];
      const linear = name.startsWith("roi_heads.") || name.includes("pwconv");
      const stored = shape.length === 1 ? shape : linear ? [out, inputs] : [out, inputs, height, width];
      return [name, { shape: stored, data: hashTensor(name, stored) }];
    }),
  );
}

/** A file with these names and, where given, other tensors for some of them. */
export function tinyFile(
  rename: (name: string) => string = (name) => name,
  changed: ReadonlyMap<string, Tensor | undefined> = new Map(),
): Uint8Array {
  const tensors = new Map<string, Tensor>();
  for (const [name, tensor] of [...tinyTensors(), ...changed] as [string, Tensor | undefined][]) {
    if (tensor) tensors.set(rename(name), tensor);
    else tensors.delete(rename(name));
  }
  return serialiseSafetensors(tensors);
}
