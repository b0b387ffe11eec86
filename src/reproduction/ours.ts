/** Our side of each published figure, computed when it is asked for. */
import { buildModel, modelInfo } from "../models/registry.ts";
import { countNetwork, trainingMacs } from "../network/counts.ts";
import { device } from "../timing/devices/registry.ts";
import { lower } from "../timing/lower.ts";
import { macsOf } from "../timing/operation.ts";
import type { SimulationReport } from "../timing/report.ts";
import { simulate } from "../timing/simulate.ts";
import { nestedOf } from "../winograd/catalogue.ts";
import { claims } from "../winograd/report.ts";
import { countProducts } from "../winograd/structure.ts";
import {
  FULL_HD,
  fsrcnnOnN78,
  LARGE_ARENA_BYTES,
  RAN_DEVICES,
  ranSpeed,
  sesrForHardware,
  sesrOnN78,
  sesrWithSumOnN78,
  TILE,
} from "./hardware.ts";
import type { PublishedFigure } from "./published.ts";

/** One way to compute a figure. */
export interface Reading {
  /** Its name where there are several. */
  readonly reading?: string;
  /** In the figure's unit; null where it cannot be computed. */
  readonly value: number | null;
  /** How far the value can be trusted. */
  readonly kind: "computed" | "estimated" | "not computed";
  /** What the value rests on, in words. */
  readonly assumptions: string;
}

type Size = readonly [height: number, width: number];

const scaled = (model: string, scale: number) => buildModel(model, model === "vdsr" ? {} : { scale: scale as 2 | 4 });

/** The input that comes out at 1280x720; VDSR's is upscaled before. */
const hdInput = (model: string, scale: number): Size => (model === "vdsr" ? [720, 1280] : [720 / scale, 1280 / scale]);

/** As SESR's table counts: a transposed convolution meets every value of the output's size with every tap. */
function publishedWay(model: string, scale: number, input = hdInput(model, scale)): number {
  const { operations } = lower(scaled(model, scale), input);
  return operations.reduce((sum, operation) => sum + macsOf(operation), 0);
}

const counted = (value: number, assumptions = "counted from the description"): Reading[] => [
  { value, kind: "computed", assumptions },
];

const TRANSPOSED = "FSRCNN's last layer counted at the output's size, as published";
const AT_HD = "to 1280x720, batch 1";

function superResolution(what: string, model: string, scale: number): Reading[] {
  const network = scaled(model, scale);
  if (what === "weights") {
    const { weights } = countNetwork(network, hdInput(model, scale));
    return counted(weights / 1e3, "filters alone, collapsed");
  }
  const note = model === "fsrcnn" ? `${AT_HD}; ${TRANSPOSED}` : AT_HD;
  return counted(publishedWay(model, scale) / 1e9, note);
}

const onPart = (network: string) => `4TOPS_4PLE; ReLU, ${network}; maps in DRAM compress to half, weights not`;
const passes = () => onPart("without the sum with the input picture");

function onN78(quantity: string, model: string, scale: string | undefined): Reading[] {
  const run = (metric: string) => {
    if (model === "fsrcnn") return fsrcnnOnN78(metric);
    return model === "tile" ? sesrOnN78(TILE, 2, metric) : sesrOnN78(FULL_HD, Number(scale) as 2 | 4, metric);
  };
  if (quantity === "macs") {
    return counted(
      run("22.02").total.macs / 1e9,
      "as the NPU executes them, zeros of the transposed convolution included",
    );
  }
  return ["22.02", "25.03"].flatMap((metric): Reading[] => {
    const reading = (name: string, { total }: SimulationReport, assumptions: string): Reading => {
      const { ms, fps, dramBytes } = total;
      const value = quantity === "ms" ? ms : quantity === "fps" ? fps : dramBytes / 1e6;
      return { reading: name, value, kind: "estimated", assumptions };
    };
    const own = reading(`metric ${metric}`, run(metric), passes());
    if (model !== "sesr-m5" || scale !== "2") return [own];
    const whole = sesrWithSumOnN78(FULL_HD, metric);
    return [own, reading(`metric ${metric}, with the sum`, whole, onPart("the network as it is trained"))];
  });
}

function fasterThanFsrcnn(inTiles: boolean): Reading[] {
  // Of a picture without margins, as the published figure counts them: its area over a tile's.
  const tiles = (FULL_HD[0] * FULL_HD[1]) / (TILE[0] * TILE[1]);
  return ["22.02", "25.03"].flatMap((metric): Reading[] => {
    const slow = fsrcnnOnN78(metric).total.ms;
    const value =
      slow / (inTiles ? tiles * sesrOnN78(TILE, 2, metric).total.ms : sesrOnN78(FULL_HD, 2, metric).total.ms);
    const reading = `metric ${metric}`;
    if (!inTiles) return [{ reading, value, kind: "estimated", assumptions: passes() }];
    const npu = device("ethos-n78-4tops-4ple", { metric });
    const exact = simulate(sesrForHardware(2), npu, {
      input: FULL_HD,
      tile: TILE,
      activations: "clamped",
      mode: "analytic",
    });
    return [
      { reading, value, kind: "estimated", assumptions: `${tiles} tiles of 400x300 without margins; ${passes()}` },
      {
        reading: `${reading}, exact`,
        value: slow / exact.total.ms,
        kind: "estimated",
        assumptions: `${exact.tiles!.count} tiles with the margins that make them exact; ${passes()}`,
      },
    ];
  });
}

function classifier(what: string, model: string, unit: PublishedFigure["unit"]): Reading[] {
  const { params, macs } = countNetwork(buildModel(model), modelInfo(model).input);
  return counted((what === "params" ? params : macs) / (unit === "M" ? 1e6 : 1e9), "224x224, batch 1");
}

const macsOfModel = (model: string): number => countNetwork(buildModel(model), modelInfo(model).input).macs;

function onEthosU(npu: keyof typeof RAN_DEVICES, model: string): Reading[] {
  const id = RAN_DEVICES[npu];
  const assumptions = `${id} in its default system and memory mode (a guess); weights not compressed`;
  const tables = !["resnet18", "repvgg-a0"].includes(model);
  const readings = tables ? (["as-described", "clamped"] as const) : (["as-described"] as const);
  const large = npu === "u55" && model === "resnet18";
  const own = readings.map(
    (activations): Reading => ({
      ...(tables && { reading: activations === "clamped" ? "hard-swish as ReLU6" : "hard-swish as a table" }),
      ...(large && { reading: "arena of 384 KiB" }),
      value: ranSpeed(model, id, { activations }),
      kind: "estimated",
      assumptions,
    }),
  );
  if (!large) return own;
  const arena: Reading = {
    reading: "arena of 2 MiB",
    value: ranSpeed(model, id, { arenaBytes: LARGE_ARENA_BYTES }),
    kind: "estimated",
    assumptions: `${id} in its default system, the arena of the published figure; EfficientNet-Lite0 in 384 KiB`,
  };
  return [arena, ...own];
}

function winogradClaim(id: string): Reading[] {
  const { computed, definition } = claims().find((claim) => claim.id === id)!;
  return [{ value: computed, kind: "computed", assumptions: definition }];
}

function training(form: "expanded" | "collapsed"): Reading[] {
  const macs = trainingMacs(buildModel("sesr-m5", { scale: 2, form: "expanded" }));
  const assumptions =
    form === "collapsed" ? "with the collapse of each block, by delta images" : "linear blocks as they are";
  return counted(macs[form] / 1e9, assumptions);
}

const fewer = (model: string, other: string, scale: number): number =>
  publishedWay(other, scale) / publishedWay(model, scale);

/** All readings of a figure. */
export function readingsOf({ id, unit }: PublishedFigure): readonly Reading[] {
  const [what, model, scale] = id.split(" ") as [string, string?, string?];
  if (model !== undefined) {
    if (what.startsWith("n78-")) return onN78(what.slice(4), model, scale);
    if (what === "u55" || what === "u65") return onEthosU(what, model);
    return scale === undefined ? classifier(what, model, unit) : superResolution(what, model, Number(scale));
  }
  switch (id) {
    case "sesr-fewest":
      return counted(fewer("sesr-m5", "fsrcnn", 2), `${AT_HD}; ${TRANSPOSED}`);
    case "sesr-most":
      return counted(fewer("sesr-m11", "vdsr", 4), AT_HD);
    case "sesr-hundred":
      return counted(fewer("sesr-m11", "vdsr", 2), AT_HD);
    case "training-expanded":
      return training("expanded");
    case "training-collapsed":
      return training("collapsed");
    case "n78-faster":
      return fasterThanFsrcnn(false);
    case "n78-fastest":
      return fasterThanFsrcnn(true);
    case "ran-i-saving":
    case "ran-i-most":
      return counted(macsOfModel("convnext-b") / macsOfModel("ran-i-b"), "RAN-i-B against ConvNeXt-B, 224x224");
    case "winograd-f2": {
      const { m, r } = nestedOf("f2x2-3x3").vertical.algorithm;
      const { products } = countProducts(nestedOf("f2x2-3x3").structure);
      return counted(
        (m * r) ** 2 / products,
        "multiplications of direct convolution over real products, a tile and channel",
      );
    }
    case "winograd-reduction":
      return winogradClaim("reduction");
    case "winograd-efficiency":
      return winogradClaim("efficiency");
    case "winograd-width":
      return winogradClaim("filter-width");
    default:
      return [
        { value: null, kind: "not computed", assumptions: "which pair of networks, and which CPU, is not known" },
      ];
  }
}
