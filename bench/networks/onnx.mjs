/**
 * A network as the peers read it: our description, fused and with batch normalisations folded, as ONNX; f32, and int8 between QuantizeLinear
 * and DequantizeLinear. Maps are NCHW, but LayerNormalization and the dense layers behind it are NHWC, with transpositions around them, as
 * PyTorch's export of ConvNeXt has it; tokens are a map of one row, NHWC.
 */
import { convAxis } from "../../dist/conv-axis.js";
import { inferShapes } from "../../dist/index.js";
import { ohwiToOihw, transposed } from "../peers/models/layouts.mjs";
import { onnxAttention } from "../peers/models/onnx-attention.mjs";
import { OnnxWriter } from "../peers/models/onnx-writer.mjs";

const PERMUTATION = { NCHW: [0, 3, 1, 2], NHWC: [0, 2, 3, 1] };

const nchw = ([height, width, channels]) => [1, channels, height, width];

function windowAttributes({ kernel, stride, padding }, [height, width]) {
  const [y, x] = [height, width].map((size, i) => {
    const { padBefore, size: out } = convAxis(size, kernel[i], stride, padding);
    return { before: padBefore, after: Math.max(0, (out - 1) * stride + kernel[i] - size - padBefore) };
  });
  return {
    kernel_shape: [...kernel],
    strides: [stride, stride],
    pads: [y.before, x.before, y.after, x.after],
  };
}

/** What of a convolution does not depend on the type of its values. */
function convolution(layer, inputs, size) {
  const inputsPerGroup = layer.depthwise ? 1 : inputs;
  return {
    dims: [layer.channels, inputsPerGroup, ...layer.kernel],
    values: (weights) => ohwiToOihw(weights, layer.channels, layer.kernel[0], inputsPerGroup),
    attributes: { ...windowAttributes(layer, size), group: layer.depthwise ? inputs : 1 },
  };
}

const isPointwise = ({ kernel, stride }) => kernel[0] === 1 && kernel[1] === 1 && stride === 1;

class F32Graph {
  #writer = new OnnxWriter();
  #weights;
  #shapes;
  /** Of each of our tensors: ONNX's name of it in the layouts that it has been wanted in; the first is the one that it was made in. */
  #made = new Map();

  constructor({ weights }, shapes) {
    this.#weights = weights;
    this.#shapes = shapes;
  }

  #layoutOf(tensor) {
    return this.#made.get(tensor).keys().next().value;
  }

  #as(tensor, layout) {
    const forms = this.#made.get(tensor);
    if (!forms.has(layout)) {
      const [from] = forms.values();
      forms.set(layout, this.#writer.node("Transpose", [from], { attributes: { perm: PERMUTATION[layout] } }));
    }
    return forms.get(layout);
  }

  /** A value a channel, shaped so that it meets the channels of a map. */
  #perChannel(name, layout) {
    const { data } = this.#weights.get(name);
    return this.#writer.constant("FLOAT", layout === "NHWC" ? [data.length] : [1, data.length, 1, 1], data);
  }

  #activation(kind, value) {
    if (kind === "relu") return this.#writer.node("Relu", [value]);
    if (kind === "hard-swish") return this.#writer.node("HardSwish", [value]);
    if (kind === "gelu") return this.#writer.node("Gelu", [value], { domain: "com.microsoft" });
    if (kind !== "relu6") throw new Error(`${kind}: not written`);
    return this.#writer.node("Clip", [value, this.#writer.scalar("FLOAT", 0), this.#writer.scalar("FLOAT", 6)]);
  }

  #linear(layer) {
    const [height, width, inputs] = this.#shapes.get(layer.input);
    const { data } = this.#weights.get(layer.weights);
    const bias = this.#weights.get(layer.bias).data;
    const layout = isPointwise(layer) ? this.#layoutOf(layer.input) : "NCHW";
    const x = this.#as(layer.input, layout);
    const biases = this.#writer.constant("FLOAT", [bias.length], bias);
    if (layout === "NCHW") {
      const { dims, values, attributes } = convolution(layer, inputs, [height, width]);
      const filter = this.#writer.constant("FLOAT", dims, values(data));
      return { value: this.#writer.node("Conv", [x, filter, biases], { attributes }), layout };
    }
    const dims = [inputs, layer.channels];
    const matrix = this.#writer.constant("FLOAT", dims, transposed(data, layer.channels, inputs));
    return { value: this.#writer.node("Add", [this.#writer.node("MatMul", [x, matrix]), biases]), layout };
  }

  #sum(a, aLayout, tensor) {
    const layout = aLayout === "NCHW" || this.#layoutOf(tensor) === "NCHW" ? "NCHW" : "NHWC";
    const first =
      aLayout === layout ? a : this.#writer.node("Transpose", [a], { attributes: { perm: PERMUTATION[layout] } });
    return { value: this.#writer.node("Add", [first, this.#as(tensor, layout)]), layout };
  }

  #reshaped(value, dims) {
    return this.#writer.node("Reshape", [value, this.#writer.constant("INT64", [dims.length], dims)]);
  }

  #withClassToken({ name, input, weights }) {
    const [, width, channels] = this.#shapes.get(name);
    const token = this.#writer.constant("FLOAT", [1, 1, 1, channels], this.#weights.get(weights).data);
    const patches = this.#reshaped(this.#as(input, "NHWC"), [1, 1, width - 1, channels]);
    return this.#writer.node("Concat", [token, patches], { attributes: { axis: 2 } });
  }

  #attention({ name, q, k, v, heads, keyHeads = heads, valueHeads = heads, map }) {
    const [height, tokens, channels] = this.#shapes.get(q);
    const plain = map === "softmax" && keyHeads === heads && valueHeads === heads && height === 1;
    if (!plain)
      throw new Error(
        `${name}: only softmax attention of tokens is written, each head with keys and values of its own`,
      );
    const operands = { q: this.#as(q, "NHWC"), k: this.#as(k, "NHWC"), v: this.#as(v, "NHWC") };
    const attended = onnxAttention(this.#writer, operands, heads, { tokens, channels, keys: this.#shapes.get(k)[1] });
    return this.#reshaped(attended, [1, 1, tokens, channels]);
  }

  #layer(layer) {
    const layout = layer.input && this.#layoutOf(layer.input);
    switch (layer.op) {
      case "conv2d": {
        let made = this.#linear(layer);
        const { activation, residual } = layer;
        if (residual?.scale) throw new Error(`${layer.name}: a residual with a scale a channel is not written`);
        const apply = () => activation && { ...made, value: this.#activation(activation.kind, made.value) };
        if (residual?.position !== "before-activation") made = apply() ?? made;
        if (residual) made = this.#sum(made.value, made.layout, residual.tensor);
        if (residual?.position === "before-activation") made = apply() ?? made;
        return made;
      }
      case "layer-norm": {
        const [scale, offset] = [layer.scale, layer.offset].map((name) => this.#perChannel(name, "NHWC"));
        const attributes = { axis: -1, epsilon: { float: layer.epsilon } };
        const inputs = [this.#as(layer.input, "NHWC"), scale, offset];
        return { value: this.#writer.node("LayerNormalization", inputs, { attributes }), layout: "NHWC" };
      }
      case "channel-affine": {
        if (layer.offset !== undefined) throw new Error("channel-affine: not written with an offset");
        const inputs = [this.#as(layer.input, layout), this.#perChannel(layer.scale, layout)];
        return { value: this.#writer.node("Mul", inputs), layout };
      }
      case "activation":
        return { value: this.#activation(layer.activation.kind, this.#as(layer.input, layout)), layout };
      case "global-average-pool":
        return { value: this.#writer.node("GlobalAveragePool", [this.#as(layer.input, "NCHW")]), layout: "NCHW" };
      case "class-token":
        return { value: this.#withClassToken(layer), layout: "NHWC" };
      case "positions": {
        const [, width, channels] = this.#shapes.get(layer.name);
        const { data } = this.#weights.get(layer.weights);
        const positions = this.#writer.constant("FLOAT", [1, 1, width, channels], data);
        return { value: this.#writer.node("Add", [this.#as(layer.input, "NHWC"), positions]), layout: "NHWC" };
      }
      case "take-token": {
        const [begin, end, axis] = [0, 1, 2].map((value) => this.#writer.constant("INT64", [1], [value]));
        return { value: this.#writer.node("Slice", [this.#as(layer.input, "NHWC"), begin, end, axis]), layout: "NHWC" };
      }
      case "attention":
        return { value: this.#attention(layer), layout: "NHWC" };
      case "add": {
        const [a, b] = layer.inputs;
        return this.#sum(this.#as(a, this.#layoutOf(a)), this.#layoutOf(a), b);
      }
      default:
        throw new Error(`${layer.op}: not written`);
    }
  }

  write({ layers, output }) {
    for (const layer of layers) {
      const { value, layout } = layer.op === "input" ? { value: "x", layout: "NCHW" } : this.#layer(layer);
      this.#made.set(layer.name, new Map([[layout, value]]));
    }
    const [input] = layers.filter(({ op }) => op === "input");
    const dims = nchw(this.#shapes.get(output));
    this.#writer.node("Identity", [this.#as(output, "NCHW")], { output: "y" });
    const x = { name: "x", type: "FLOAT", dims: nchw(this.#shapes.get(input.name)) };
    return this.#writer.finish(x, { name: "y", type: "FLOAT", dims });
  }
}

/** @param {import("../../dist/index.js").Model} model prepared: fused, batch normalisations folded */
export function onnxF32(model, size) {
  return new F32Graph(model, inferShapes(model.network, size)).write(model.network);
}

/**
 * Convolutions (their residuals as additions, whose operands have the sum's scale) and means, which is what EfficientNet-Lite0 has.
 * @param {import("../../dist/index.js").QuantisedModel} model
 */
export function onnxQdq({ network, tensors, filters }, size) {
  const shapes = inferShapes(network, size);
  const writer = new OnnxWriter();
  const real = new Map();
  const parameters = new Map();
  const parametersOf = (tensor) => {
    if (!parameters.has(tensor)) parameters.set(tensor, writer.quantization(tensors.get(tensor)));
    return parameters.get(tensor);
  };
  const rounded = (value, tensor, output) => {
    const bytes = writer.node("QuantizeLinear", [value, ...parametersOf(tensor)], output ? { output } : {});
    return writer.node("DequantizeLinear", [bytes, ...parametersOf(tensor)]);
  };
  for (const layer of network.layers) {
    const { name } = layer;
    const output = name === network.output ? "y" : undefined;
    if (layer.op === "input") {
      real.set(name, writer.node("DequantizeLinear", ["x", ...parametersOf(name)]));
    } else if (layer.op === "global-average-pool") {
      real.set(name, rounded(writer.node("GlobalAveragePool", [real.get(layer.input)]), name, output));
    } else if (layer.op === "conv2d") {
      const [height, width, inputs] = shapes.get(layer.input);
      const { dims, values, attributes } = convolution(layer, inputs, [height, width]);
      const { weights, weightScales, bias, qmin, qmax } = filters.get(name);
      // Saturation stands for the activation, as it does with us.
      if (qmin !== -128 || qmax !== 127) throw new Error(`${name}: a narrower range than int8 is not written`);
      const { scale } = tensors.get(layer.input);
      const biasScales = weightScales.map((own) => own * scale);
      const filter = writer.dequantised("INT8", dims, values(weights), weightScales);
      const biases = writer.dequantised("INT32", [bias.length], bias, biasScales);
      const value = writer.node("Conv", [real.get(layer.input), filter, biases], { attributes });
      if (!layer.residual) real.set(name, rounded(value, name, output));
      else {
        const operands = [rounded(value, name), real.get(layer.residual.tensor)];
        real.set(name, rounded(writer.node("Add", operands), name, output));
      }
    } else throw new Error(`${layer.op}: not written`);
  }
  const [input] = network.layers.filter(({ op }) => op === "input");
  const end = (name, tensor) => ({ name, type: "UINT8", dims: nchw(shapes.get(tensor)) });
  return writer.finish(end("x", input.name), end("y", network.output));
}
