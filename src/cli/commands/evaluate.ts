import { basename, resolve } from "node:path";
import { check } from "../../errors.ts";
import { createUpscaler } from "../../upscale/create-upscaler.ts";
import type { Command } from "../command.ts";
import {
  ALGORITHM_OPTIONS,
  algorithmOptions,
  choiceOption,
  MODEL_OPTIONS,
  scaleOption,
  UsageError,
} from "../options.ts";
import { findPairs, loadPair } from "../picture-sets.ts";
import { type Score, scoreBicubic, scoreNetwork } from "../scores.ts";
import { progressLine, table } from "../terminal.ts";

const PROTOCOL =
  "PSNR and SSIM on Y (BT.601 studio range, peak 255), border of `scale` pixels left out; low resolution stored with 8 bits, " +
  "Y from it in floating point; grey pictures as grey RGB; results clipped and rounded to 8 bits";

/** Edge of SSIM's window, which has to fit inside the border. */
const WINDOW = 11;

/** Means over the pictures; equal pictures, whose PSNR is infinite (null in JSON), are left out of its mean. */
function mean(scores: readonly Score[]): Score {
  const of = (key: keyof Score): number => {
    const finite = scores.map((s) => s[key]).filter(Number.isFinite);
    return finite.reduce((sum, value) => sum + value, 0) / finite.length;
  };
  return { psnr: of("psnr"), ssim: of("ssim") };
}

export const command: Command = {
  spec: {
    name: "evaluate",
    positionals: ["DIR"],
    summary:
      "Measures a network's quality on a set of pictures, with bicubic interpolation beside it.\n" +
      "DIR holds HR/ and LRx2/ or LRx4/, or plain pictures, of which low resolutions are made.\n" +
      `Protocol: ${PROTOCOL}.`,
    options: { ...MODEL_OPTIONS, ...ALGORITHM_OPTIONS },
  },

  async run(parsed, signal) {
    const [directory] = parsed.positionals as [string];
    const scale = scaleOption(parsed);
    const precision = choiceOption(parsed, "precision", ["int8", "f32"], "int8");
    const pairs = await findPairs(directory, scale);
    check(pairs.length > 0, "ERR_IO", () => `${directory}: no pictures`);
    const computing = algorithmOptions(parsed);
    if (precision === "f32" && computing.filterScaling) {
      throw new UsageError("--filter-bits: expected with --precision int8 only");
    }
    const upscaler = await createUpscaler({ model: parsed.text("model") ?? "sesr-m5", scale, precision, ...computing });
    const progress = progressLine();
    const images: { name: string; psnr: number; ssim: number; bicubic: Score }[] = [];
    try {
      for (const [i, pair] of pairs.entries()) {
        signal.throwIfAborted();
        progress.update(i / pairs.length, pair.name);
        const { high, low } = await loadPair(pair, scale);
        const smallest = WINDOW + 2 * scale;
        check(Math.min(high.width, high.height) >= smallest, "ERR_SHAPE", () => {
          return `${pair.high}: expected at least ${smallest}x${smallest} pixels, got ${high.width}x${high.height}`;
        });
        const bicubic = await scoreBicubic(high, low, scale);
        images.push({ name: pair.name, ...scoreNetwork(upscaler, high, low), bicubic });
      }
    } finally {
      progress.clear();
    }
    const report = {
      set: basename(resolve(directory)),
      protocol: PROTOCOL,
      model: upscaler.model,
      scale,
      precision,
      ...computing,
      images,
      mean: { ...mean(images), bicubic: mean(images.map((image) => image.bicubic)) },
    };
    if (parsed.flag("json")) {
      process.stdout.write(`${JSON.stringify(report)}\n`);
      return;
    }
    const cells = (s: Score): string[] => [s.psnr.toFixed(2), s.ssim.toFixed(4)];
    const rows = images.map((image) => [image.name, ...cells(image.bicubic), ...cells(image)]);
    rows.push(["mean", ...cells(report.mean.bicubic), ...cells(report.mean)]);
    process.stdout.write(
      `${report.set}, ${upscaler.model} x${scale} ${precision}\n${PROTOCOL}\n\n` +
        table(["picture", "bicubic dB", "SSIM", `${upscaler.model} dB`, "SSIM"], rows),
    );
  },
};
