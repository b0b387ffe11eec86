/** Which tensors of a network stay real where its ends do. */
import { check } from "../errors.ts";
import type { Conv2dLayer, Network } from "../network/description.ts";
import { inputLayer, readers, tensorsRead } from "../network/graph.ts";

/** From the last convolution to the output, by depth-to-space alone; undefined where something else, or another reader, lies between. */
function tail(network: Network): { readonly last: Conv2dLayer; readonly names: readonly string[] } | undefined {
  const counts = readers(network);
  const names: string[] = [];
  for (let tensor = network.output; counts.get(tensor) === 1; ) {
    const layer = network.layers.find(({ name }) => name === tensor)!;
    names.push(tensor);
    if (layer.op === "conv2d") return { last: layer, names };
    if (layer.op !== "depth-to-space") return undefined;
    tensor = layer.input;
  }
  return undefined;
}

/**
 * The input, the output and the tensors that lead to it from the last convolution, of a fused network whose clips are absorbed.
 * @throws WasmogradError ERR_UNSUPPORTED where other layers than offsets read the input, the residual of the last convolution excepted, and
 *   where the output is something else than a convolution's sums
 */
export function realEnds(network: Network): ReadonlySet<string> {
  const { name: input } = inputLayer(network);
  const end = tail(network);
  const linear = end && !end.last.activation && (end.last.residual?.tensor ?? input) === input;
  check(linear === true, "ERR_UNSUPPORTED", () => {
    const expected =
      "a convolution without activation, with the input as its residual or none, then depth-to-space or clips only";
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
