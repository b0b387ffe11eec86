/** What a calibration times: networks of one layer, drawn from wide ranges of sizes, so that each kernel of the library is met with all kinds of tails. */
import type { AlgorithmId } from "../kernels/convolution/choice.ts";
import type { Activation, Layer, Network } from "../network/description.ts";
import { type RandomSource, randomSource } from "../random.ts";

/** One layer. Fields that a layer does not have are absent. */
export interface KernelCase {
  readonly precision: "f32" | "int8";
  readonly layer: CaseLayer;
  readonly height: number;
  readonly width: number;
  /** Of the input. */
  readonly channels: number;
  /** Of the output. */
  readonly outputs?: number;
  readonly kernel?: number;
  readonly stride?: number;
  readonly algorithm?: AlgorithmId;
  /** A sum with the input behind a convolution. */
  readonly residual?: true;
  readonly activation?: Activation["kind"];
  readonly heads?: number;
}

export type CaseLayer =
  | "conv2d"
  | "depthwise"
  | "activation"
  | "channel-affine"
  | "layer-norm"
  | "max-pool"
  | "global-average-pool"
  | "subsample"
  | "add"
  | "clip"
  | "depth-to-space"
  | "softmax"
  | "xca"
  | "class-attention"
  | "class-token";

/** As people read it; tells all cases apart. */
export function caseLabel(c: KernelCase): string {
  const { precision, layer, height, width, channels, outputs, kernel, stride, algorithm, residual, activation } = c;
  const parts = [
    precision,
    layer,
    `${height}x${width}x${channels}`,
    outputs === undefined ? "" : `->${outputs}`,
    kernel === undefined ? "" : `${kernel}x${kernel}`,
    stride === undefined || stride === 1 ? "" : `/${stride}`,
    algorithm ?? "",
    activation ?? "",
    residual ? "+" : "",
    c.heads === undefined ? "" : `${c.heads} heads`,
  ];
  return parts.filter((part) => part !== "").join(" ");
}

function activationOf(kind: Activation["kind"]): Activation {
  if (kind === "prelu") return { kind, slope: "slope" };
  if (kind === "mixed") throw new Error("mixed activations are not timed");
  return { kind };
}

function layersOf(c: KernelCase): Layer[] {
  const { layer, kernel: size = 1, stride = 1, outputs = c.channels } = c;
  const of = { name: "y", input: "x" } as const;
  const kernel = [size, size] as const;
  switch (layer) {
    case "conv2d":
    case "depthwise": {
      const depthwise = layer === "depthwise" ? ({ depthwise: true } as const) : {};
      const conv: Layer = {
        op: "conv2d",
        name: "conv",
        input: "x",
        kernel,
        stride,
        padding: "same",
        channels: outputs,
        weights: "weight",
        bias: "bias",
        ...depthwise,
      };
      const layers: Layer[] = [conv];
      const last = (): string => layers.at(-1)!.name;
      if (c.activation)
        layers.push({ op: "activation", name: "act", input: last(), activation: activationOf(c.activation) });
      if (c.residual) layers.push({ op: "add", name: "sum", inputs: [last(), "x"] });
      return layers;
    }
    case "activation":
      return [{ op: "activation", ...of, activation: activationOf(c.activation!) }];
    case "channel-affine":
      return [{ op: "channel-affine", ...of, scale: "scale", offset: "offset" }];
    case "layer-norm":
      return [{ op: "layer-norm", ...of, scale: "scale", offset: "offset", epsilon: 1e-6 }];
    case "max-pool":
      return [{ op: "max-pool", ...of, kernel, stride, padding: "same" }];
    case "global-average-pool":
      return [{ op: "global-average-pool", ...of }];
    case "subsample":
      return [{ op: "subsample", ...of, stride, channels: outputs, before: (outputs - c.channels) >> 1 }];
    case "add":
      return [{ op: "add", name: "y", inputs: ["x", "x"] }];
    case "clip":
      return [{ op: "clip", ...of, min: -1, max: 1 }];
    case "depth-to-space":
      return [{ op: "depth-to-space", ...of, block: size }];
    case "softmax":
      return [{ op: "attention", name: "y", q: "x", k: "x", v: "x", heads: c.heads!, map: "softmax" }];
    case "xca": {
      const attention = { q: "x", k: "x", v: "x", heads: c.heads!, map: "xca", temperature: "temperature" } as const;
      return [{ op: "attention", name: "y", ...attention }];
    }
    case "class-attention":
      return [
        { op: "take-token", name: "q", input: "x" },
        { op: "attention", name: "y", q: "q", k: "x", v: "x", heads: c.heads!, map: "softmax" },
      ];
    case "class-token":
      return [{ op: "class-token", ...of, weights: "token" }];
  }
}

export function caseNetwork(c: KernelCase): Network {
  const layers = layersOf(c);
  return {
    name: caseLabel(c),
    layers: [{ op: "input", name: "x", channels: c.channels }, ...layers],
    output: layers.at(-1)!.name,
  };
}

const SIDES = [5, 7, 8, 11, 14, 16, 19, 24, 28, 33, 40, 56, 64, 80, 112, 160] as const;
const CHANNELS = [
  1, 3, 4, 6, 8, 12, 16, 17, 20, 24, 32, 40, 48, 52, 64, 80, 96, 128, 144, 192, 256, 320, 384, 512,
] as const;
/** Of a case: what takes longer tells little more, and below it timers and calls are all there is. */
const MOST_MACS = 40e6;
const LEAST_MACS = 20e3;
const MOST_VALUES = 1 << 20;

const pick = <T>(random: RandomSource, list: readonly T[]): T => list[Math.floor(random.uniform() * list.length)]!;

type Draw = (random: RandomSource) => KernelCase;

interface ConvolutionKind {
  readonly precision: "f32" | "int8";
  readonly kernels: readonly number[];
  readonly algorithm: AlgorithmId;
  readonly channels: readonly number[];
  readonly outputs: readonly number[];
  readonly strides: readonly number[];
}

function drawConvolution({ precision, kernels, algorithm, channels, outputs, strides }: ConvolutionKind): Draw {
  return (random) => {
    for (;;) {
      const [height, width] = [pick(random, SIDES), pick(random, SIDES)];
      const [c, o, kernel, stride] = [
        pick(random, channels),
        pick(random, outputs),
        pick(random, kernels),
        pick(random, strides),
      ];
      const macs = (height * width * c * o * kernel ** 2) / stride ** 2;
      if (macs > MOST_MACS || macs < LEAST_MACS || height * width * Math.max(c, o) > MOST_VALUES) continue;
      const kind = pick(random, [undefined, undefined, "relu", "prelu"] as const);
      const residual = c === o && stride === 1 && random.uniform() < 0.5;
      return {
        precision,
        layer: "conv2d",
        height,
        width,
        channels: c,
        outputs: o,
        kernel,
        stride,
        algorithm,
        ...(kind && { activation: kind }),
        ...(residual && { residual }),
      };
    }
  };
}

function drawDepthwise(precision: "f32" | "int8"): Draw {
  return (random) => {
    for (;;) {
      const [height, width, channels] = [pick(random, SIDES), pick(random, SIDES), pick(random, CHANNELS)];
      const [kernel, stride] = [pick(random, [3, 5, 7]), pick(random, [1, 1, 2])];
      const values = height * width * channels;
      if (channels < 8 || values > MOST_VALUES || values * kernel ** 2 < LEAST_MACS) continue;
      const kind = pick(random, [undefined, undefined, "relu"] as const);
      return {
        precision,
        layer: "depthwise",
        height,
        width,
        channels,
        kernel,
        stride,
        ...(kind && { activation: kind }),
      };
    }
  };
}

/** Layers of maps without products, at any size. */
function drawMap(fixed: Pick<KernelCase, "precision" | "layer" | "activation">, more: Draw2 = () => ({})): Draw {
  return (random) => {
    for (;;) {
      const [height, width, channels] = [pick(random, SIDES), pick(random, SIDES), pick(random, CHANNELS)];
      const values = height * width * channels;
      if (values > MOST_VALUES || values < 2000) continue;
      return { ...fixed, height, width, channels, ...more(random, channels) };
    }
  };
}
type Draw2 = (random: RandomSource, channels: number) => Partial<KernelCase>;

function drawAttention(precision: "f32" | "int8", layer: "softmax" | "xca" | "class-attention"): Draw {
  return (random) => {
    const [height, width] = [pick(random, [5, 7, 8, 11, 14]), pick(random, [5, 7, 8, 11, 14])];
    const [heads, own] = [pick(random, [1, 2, 3, 4, 6]), pick(random, [16, 24, 32, 48, 64])];
    return { precision, layer, height, width, channels: heads * own, heads };
  };
}

const FEW = [1, 2, 3, 4] as const;
const MANY = CHANNELS.filter((c) => c > 4);
const WINOGRAD_CHANNELS = CHANNELS.filter((c) => c >= 4 && c <= 256);

function convolutions(precision: "f32" | "int8"): Draw[] {
  const strides = [1, 1, 2];
  const direct = { precision, algorithm: "direct" } as const;
  const winograd = (algorithm: AlgorithmId, kernel: number): Draw =>
    drawConvolution({
      precision,
      algorithm,
      kernels: [kernel],
      channels: WINOGRAD_CHANNELS,
      outputs: WINOGRAD_CHANNELS,
      strides: [1],
    });
  const kernels = [3, 3, 5, 7];
  return [
    drawConvolution({ ...direct, kernels, channels: CHANNELS, outputs: MANY, strides }),
    drawConvolution({
      ...direct,
      kernels: [3, 5],
      channels: precision === "int8" ? [1, 3] : CHANNELS,
      outputs: FEW,
      strides: precision === "int8" ? strides : [2],
    }),
    drawConvolution({ ...direct, kernels: [3, 5], channels: MANY, outputs: FEW, strides: [1] }),
    drawConvolution({ ...direct, kernels: [1], channels: CHANNELS, outputs: MANY, strides }),
    drawDepthwise(precision),
    winograd("f4x4-3x3-complex", 3),
    winograd("f4x4-3x3-rational", 3),
    winograd("f4x4-3x3-half", 3),
    ...(precision === "int8"
      ? [winograd("f2x2-3x3", 3), winograd("f2x2-5x5-complex", 5), winograd("f1x4-5x5-rational", 5)]
      : [winograd("f2x2-5x5-rational", 5)]),
  ];
}

function maps(precision: "f32" | "int8"): Draw[] {
  const one = (layer: CaseLayer, more?: Draw2): Draw => drawMap({ precision, layer }, more);
  const act = (activation: Activation["kind"]): Draw => drawMap({ precision, layer: "activation", activation });
  return [
    act("prelu"),
    act("hard-swish"),
    ...(precision === "f32" ? [act("relu6"), act("gelu"), one("class-token")] : []),
    one("layer-norm"),
    ...(["softmax", "xca", "class-attention"] as const).map((layer) => drawAttention(precision, layer)),
    one("channel-affine"),
    one("add"),
    one("clip"),
    one("global-average-pool"),
    one("max-pool", (random) => ({ kernel: pick(random, [2, 3]), stride: pick(random, [1, 2]) })),
    one("subsample", (random, channels) => ({ stride: 2, outputs: channels * pick(random, [1, 2]) })),
    (random) => {
      const kernel = pick(random, [2, 4]);
      const channels = kernel ** 2 * pick(random, [1, 3, 4]);
      return {
        precision,
        layer: "depth-to-space",
        height: pick(random, SIDES),
        width: pick(random, SIDES),
        channels,
        kernel,
      };
    },
  ];
}

/** Cases of each kind of layer that are fitted, and that are held out. */
const CONVOLUTIONS = { fitted: 36, heldOut: 14 } as const;
const MAPS = { fitted: 16, heldOut: 8 } as const;

export interface CalibrationCases {
  readonly fitted: readonly KernelCase[];
  /** None of them among the fitted ones. */
  readonly heldOut: readonly KernelCase[];
}

/** The same cases on every machine. */
export function calibrationCases(): CalibrationCases {
  const random = randomSource(11);
  const fitted: KernelCase[] = [];
  const heldOut: KernelCase[] = [];
  const seen = new Set<string>();
  const add = (list: KernelCase[], draw: Draw, count: number): void => {
    for (let n = 0; n < count; ) {
      const drawn = draw(random);
      if (seen.has(caseLabel(drawn))) continue;
      seen.add(caseLabel(drawn));
      list.push(drawn);
      n++;
    }
  };
  for (const precision of ["int8", "f32"] as const) {
    for (const [draws, counts] of [
      [convolutions(precision), CONVOLUTIONS],
      [maps(precision), MAPS],
    ] as const) {
      for (const draw of draws) {
        add(fitted, draw, counts.fitted);
        add(heldOut, draw, counts.heldOut);
      }
    }
  }
  return { fitted, heldOut };
}
