/** The inverted bottleneck of the TensorFlow families, EfficientNet-Lite and RAN-e. */
import type { PlainActivation } from "../network/description.ts";
import type { LayerList } from "./layer-list.ts";

/** Keras' batch normalisations of these families. */
export const EPSILON = 1e-3;

export interface InvertedBottleneck {
  /** Square kernel of the depthwise convolution. */
  readonly kernel: number;
  readonly stride: number;
  /** Channels between the 1x1 convolutions; without the first of them where they are those of the input. */
  readonly expanded: number;
  readonly input: number;
  readonly output: number;
}

/**
 * 1x1 `expand`, depthwise `dw`, 1x1 `project`, each with a normalisation (`expand_bn`, ...), activations behind the first two. No bias,
 * "same" padding, no residual. `stem` is what all names begin with. Returns the tensor behind the last normalisation.
 */
export function invertedBottleneck(
  list: LayerList,
  stem: string,
  x: string,
  { kernel, stride, expanded, input, output }: InvertedBottleneck,
  activation: PlainActivation["kind"],
): string {
  const normalised = (name: string, from: string) => list.batchNorm(`${stem}${name}_bn`, from, EPSILON);
  let wide = x;
  if (expanded !== input) {
    wide = list.activation(normalised("expand", list.convolution(`${stem}expand`, x, expanded)), activation);
  }
  const options = { kernel, stride, padding: "same", depthwise: true } as const;
  const filtered = normalised("dw", list.convolution(`${stem}dw`, wide, expanded, options));
  const narrow = list.convolution(`${stem}project`, list.activation(filtered, activation), output);
  return normalised("project", narrow);
}
