/** Which tensors of a network stay real where its ends do. */
import { check } from "../errors.ts";
import type { Conv2dLayer, Network } from "../network/description.ts";
import { inputLayer, tensorsRead } from "../network/graph.ts";

/**
 * From the output back to the last convolution, by depth-to-space alone; undefined where something else lies between. Nobody else reads
 * what lies between, as all layers lead to the output.
 */
function tail({
  layers,
  output,
}: Network): { readonly last: Conv2dLayer; readonly names: readonly string[] } | undefined {
  const computing = (tensor: string) => layers.find(({ name }) => name === tensor)!;
  const names = [output];
  let layer = computing(output);
  while (layer.op === "depth-to-space") {
    names.push(layer.input);
    layer = computing(layer.input);
  }
  return layer.op === "conv2d" ? { last: layer, names } : undefined;
}

/**
 * The input, the output and the tensors that lead to it from the last convolution, of a fused network whose clips are absorbed.
 * @throws WasmogradError ERR_UNSUPPORTED where other layers than offsets read the input, the residual of the last convolution excepted, and
 *   where the output is something else than a convolution's sums
 */
export function realEnds(network: Network): ReadonlySet<string> {
  const { name: input } = inputLayer(network);
  const end = tail(network);
  const { tensor = input, scale } = end?.last.residual ?? {};
  const linear = end && !end.last.activation && tensor === input && scale === undefined;
  check(linear === true, "ERR_UNSUPPORTED", () => {
    const expected =
      "a convolution without activation, with the unscaled input as its residual or none, then depth-to-space or clips only";
    return `boundary: f32: expected the output of ${network.name} from ${expected}`;
  });
  for (const layer of network.layers) {
    const fits = layer.op === "offset" || (layer === end!.last && layer.input !== input);
    check(fits || !tensorsRead(layer).includes(input), "ERR_UNSUPPORTED", () => {
      const expected = `offsets and the residual of ${end!.last.name}`;
      return `boundary: f32: expected no readers of ${input} but ${expected}, got ${layer.op} ${layer.name}`;
    });
  }
  return new Set([input, ...end.names]);
}
