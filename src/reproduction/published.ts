/**
 * Published figures of the four papers, as far as they are known to us: from abstracts, official repositories (their text and figures) and
 * those who compare. Not confirmed are those that are known from memory of a paper's tables only. No figure here goes into a model.
 */

/** "x": a ratio; K, M, G: 10^3, 10^6, 10^9; FPS: pictures a second. */
export type Unit = "x" | "K" | "M" | "G" | "MB" | "ms" | "FPS" | "%";

/** One figure of a paper. */
export interface PublishedFigure {
  /** Unique. */
  readonly id: string;
  /** Which paper and kind. */
  readonly group: Group;
  /** In words. */
  readonly what: string;
  /** As printed. */
  readonly value: number;
  /** Of the value. */
  readonly unit: Unit;
  /** Paper and table, or who quotes it. */
  readonly source: string;
  /** Seen in a source; false: known from memory only. */
  readonly confirmed: boolean;
}

export const GROUPS = {
  sesr: "SESR (arXiv 2103.09404): parameters and multiply-accumulates",
  "sesr-npu": "SESR on Ethos-N78, 4 TOPS (estimates of the vendor's tool)",
  ran: "RAN (arXiv 2208.08562): parameters and multiply-accumulates",
  "ran-npu": "RAN-e on Ethos-U: pictures a second over EfficientNet-Lite0's (estimates)",
  winograd: "Winograd convolution via integer arithmetic (arXiv 1901.01965)",
} as const satisfies Record<Group, string>;

/** Figures of one kind, of one paper. */
export type Group = "sesr" | "sesr-npu" | "ran" | "ran-npu" | "winograd";

const FIGURE = "figure in the official repository";
const ABSTRACT = "abstract";
const README = "README of the official repository";
const TABLE = "the paper's table, from memory";

const figures = (
  group: Group,
  source: string,
  confirmed: boolean,
  rows: readonly (readonly [id: string, what: string, value: number, unit: Unit])[],
): PublishedFigure[] => rows.map(([id, what, value, unit]) => ({ id, group, what, value, unit, source, confirmed }));

/** All of them. A function, so that pages that do not ask do not load them. */
export const published = (): readonly PublishedFigure[] => [
  ...figures("sesr", ABSTRACT, true, [
    ["sesr-fewest", "fewer MACs than FSRCNN, SESR-M5 x2 to 1280x720, at least", 2, "x"],
    ["sesr-most", "fewer MACs than VDSR, SESR-M11 x4 to 1280x720, up to", 330, "x"],
  ]),
  ...figures("sesr", FIGURE, true, [
    ["sesr-hundred", "fewer MACs than VDSR, SESR-M11 x2 to 1280x720", 100, "x"],
    ["macs vdsr 2", "VDSR to 1280x720, MACs", 612.6, "G"],
    ["macs fsrcnn 2", "FSRCNN x2 to 1280x720, MACs", 6.0, "G"],
  ]),
  ...figures("sesr", README, true, [
    ["training-expanded", "SESR-M5 x2, 32 patches of 64x64, expanded, MACs forward", 41.77, "G"],
    ["training-collapsed", "the same in collapsed space", 1.84, "G"],
  ]),
  ...figures("sesr", `${TABLE}; its digits agree with a count`, false, [
    ["weights sesr-m3 2", "SESR-M3 x2, weights", 8.91, "K"],
    ["weights sesr-m5 2", "SESR-M5 x2, weights", 13.52, "K"],
    ["weights sesr-m7 2", "SESR-M7 x2, weights", 18.12, "K"],
    ["weights sesr-m11 2", "SESR-M11 x2, weights", 27.34, "K"],
    ["weights sesr-xl 2", "SESR-XL x2, weights", 105.37, "K"],
    ["weights sesr-m3 4", "SESR-M3 x4, weights", 13.71, "K"],
    ["weights sesr-m5 4", "SESR-M5 x4, weights", 18.32, "K"],
    ["weights sesr-m7 4", "SESR-M7 x4, weights", 22.92, "K"],
    ["weights sesr-m11 4", "SESR-M11 x4, weights", 32.14, "K"],
    ["weights sesr-xl 4", "SESR-XL x4, weights", 114.97, "K"],
    ["weights fsrcnn 2", "FSRCNN x2, weights", 12.46, "K"],
    ["macs sesr-m3 2", "SESR-M3 x2 to 1280x720, MACs", 2.05, "G"],
    ["macs sesr-m5 2", "SESR-M5 x2 to 1280x720, MACs", 3.11, "G"],
    ["macs sesr-m7 2", "SESR-M7 x2 to 1280x720, MACs", 4.17, "G"],
    ["macs sesr-m11 2", "SESR-M11 x2 to 1280x720, MACs", 6.3, "G"],
    ["macs sesr-xl 2", "SESR-XL x2 to 1280x720, MACs", 24.27, "G"],
    ["macs sesr-m3 4", "SESR-M3 x4 to 1280x720, MACs", 0.79, "G"],
    ["macs sesr-m5 4", "SESR-M5 x4 to 1280x720, MACs", 1.05, "G"],
    ["macs sesr-m7 4", "SESR-M7 x4 to 1280x720, MACs", 1.32, "G"],
    ["macs sesr-m11 4", "SESR-M11 x4 to 1280x720, MACs", 1.85, "G"],
    ["macs sesr-xl 4", "SESR-XL x4 to 1280x720, MACs", 6.62, "G"],
    ["macs fsrcnn 4", "FSRCNN x4 to 1280x720, MACs", 4.63, "G"],
  ]),

  ...figures("sesr-npu", "the paper's table", true, [
    ["n78-macs fsrcnn 2", "FSRCNN x2, 1080p to 4K: MACs", 54, "G"],
    ["n78-dram fsrcnn 2", "FSRCNN x2, 1080p to 4K: DRAM", 564, "MB"],
    ["n78-ms fsrcnn 2", "FSRCNN x2, 1080p to 4K: time", 167.4, "ms"],
    ["n78-fps fsrcnn 2", "FSRCNN x2, 1080p to 4K", 5.97, "FPS"],
    ["n78-macs sesr-m5 2", "SESR-M5 x2, 1080p to 4K: MACs", 28, "G"],
    ["n78-dram sesr-m5 2", "SESR-M5 x2, 1080p to 4K: DRAM", 282, "MB"],
    ["n78-ms sesr-m5 2", "SESR-M5 x2, 1080p to 4K: time", 27.2, "ms"],
    ["n78-fps sesr-m5 2", "SESR-M5 x2, 1080p to 4K", 36.7, "FPS"],
    ["n78-ms tile", "SESR-M5 x2, a tile of 400x300 to 800x600: time", 1.2, "ms"],
  ]),
  ...figures("sesr-npu", TABLE, false, [
    ["n78-macs tile", "SESR-M5 x2, a tile of 400x300 to 800x600: MACs", 1.62, "G"],
    ["n78-macs sesr-m5 4", "SESR-M5 x4, 1080p to 8K: MACs", 38, "G"],
    ["n78-dram sesr-m5 4", "SESR-M5 x4, 1080p to 8K: DRAM", 390, "MB"],
    ["n78-ms sesr-m5 4", "SESR-M5 x4, 1080p to 8K: time", 45.1, "ms"],
    ["n78-fps sesr-m5 4", "SESR-M5 x4, 1080p to 8K", 22.2, "FPS"],
  ]),
  ...figures("sesr-npu", ABSTRACT, true, [
    ["n78-faster", "FPS over FSRCNN, SESR-M5 x2 in one piece, at least", 6, "x"],
    ["n78-fastest", "FPS over FSRCNN, SESR-M5 x2 in tiles, up to", 8, "x"],
  ]),

  ...figures("ran", FIGURE, true, [
    ["params ran-e-gt", "RAN-e ground truth, parameters", 4.5, "M"],
    ["params ran-e-c", "RAN-e sub-network C, parameters", 4.7, "M"],
    ["params efficientnet-lite0", "EfficientNet-Lite0, parameters", 4.7, "M"],
    ["params resnet18", "ResNet-18, parameters", 11.7, "M"],
    ["params repvgg-a0", "RepVGG-A0, parameters", 8.3, "M"],
    ["macs ran-e-gt", "RAN-e ground truth, MACs", 434, "M"],
    ["macs ran-e-c", "RAN-e sub-network C, MACs", 488, "M"],
    ["macs efficientnet-lite0", "EfficientNet-Lite0, MACs", 385, "M"],
    ["macs resnet18", "ResNet-18, MACs", 1.8, "G"],
    ["macs repvgg-a0", "RepVGG-A0, MACs", 1.4, "G"],
    ["ran-i-saving", "RAN-i-B, fewer MACs than ConvNeXt-B", 1.82, "x"],
  ]),
  ...figures("ran", `${FIGURE}, read off a plot`, true, [
    ["macs ran-i-t", "RAN-i-T, MACs", 3.3, "G"],
    ["macs ran-i-s", "RAN-i-S, MACs", 4.6, "G"],
    ["macs ran-i-b", "RAN-i-B, MACs", 8.4, "G"],
  ]),
  ...figures("ran", "abstract, from memory", false, [["ran-i-most", "RAN-i, fewer MACs, up to", 2, "x"]]),
  ...figures("ran", ABSTRACT, true, [
    ["ran-i-cpu", "RAN-i, FPS over ConvNeXt on an Arm datacentre CPU, nearly", 1.4, "x"],
  ]),

  ...figures("ran-npu", FIGURE, true, [
    ["u55 resnet18", "ResNet-18, U55", 0.46, "x"],
    ["u55 repvgg-a0", "RepVGG-A0, U55", 0.72, "x"],
    ["u55 efficientnet-lite0-hswish", "EfficientNet-Lite0 with hard-swish, U55", 1, "x"],
    ["u55 ran-e-c", "RAN-e sub-network C, U55", 1.06, "x"],
    ["u55 ran-e-gt", "RAN-e ground truth, U55", 1.16, "x"],
    ["u65 resnet18", "ResNet-18, U65", 0.48, "x"],
    ["u65 repvgg-a0", "RepVGG-A0, U65", 0.69, "x"],
    ["u65 efficientnet-lite0-hswish", "EfficientNet-Lite0 with hard-swish, U65", 1, "x"],
    ["u65 ran-e-c", "RAN-e sub-network C, U65", 1.28, "x"],
    ["u65 ran-e-gt", "RAN-e ground truth, U65", 1.49, "x"],
  ]),

  ...figures("winograd", ABSTRACT, true, [
    ["winograd-reduction", "fewer multiplications, complex F(4x4,3x3)", 3.13, "x"],
    ["winograd-efficiency", "efficiency gain over rational F(4x4,3x3), up to", 17.37, "%"],
    ["winograd-width", "filter width cut by integer scaling", 30.77, "%"],
  ]),
  ...figures("winograd", "the literature's F(2x2,3x3)", true, [
    ["winograd-f2", "fewer multiplications, F(2x2,3x3)", 2.25, "x"],
  ]),
];
