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
import { checkScorable, type Score, scoreBicubic, scoreNetwork } from "../scores.ts";
import { pause, progressLine, table } from "../terminal.ts";

const PROTOCOL =
  "PSNR and SSIM on Y (BT.601 studio range, peak 255), border of `scale` pixels left out; low resolution stored with 8 bits, " +
  "Y from it in floating point; grey pictures as grey RGB; results clipped and rounded to 8 bits";

/** Means over the pictures; equal pictures, whose PSNR is infinite (null in JSON), are left out of its mean. */
function mean(scores: readonly Score[]): Score {
  const of = (key: keyof Score): number => {
    const finite = scores.map((s) => s[key]).filter(Number.isFinite);
    return finite.reduce((sum, value) => sum + value, 0) / finite.length;
  };
  return { psnr: of("psnr"), ssim: of("ssim") };
}

/** Said only of what differs from the default. */
function computingText({ algorithm, filterScaling }: ReturnType<typeof algorithmOptions>): string {
  const scaled = filterScaling && `filters of ${filterScaling.bits} bits (${filterScaling.granularity})`;
  return [algorithm, scaled].map((text) => (text ? `, ${text}` : "")).join("");
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
        progress.update(i / pairs.length, pair.name);
        const { high, low } = await loadPair(pair, scale);
        checkScorable(pair.high, high, scale);
        await pause(signal);
        const bicubic = await scoreBicubic(high, low, scale);
        await pause(signal);
        images.push({ name: pair.name, ...scoreNetwork(upscaler, high, low), bicubic });
        await pause(signal);
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
      `${report.set}, ${upscaler.model} x${scale} ${precision}${computingText(computing)}\n${PROTOCOL}\n\n` +
        table(["picture", "bicubic dB", "SSIM", `${upscaler.model} dB`, "SSIM"], rows),
    );
  },
};
