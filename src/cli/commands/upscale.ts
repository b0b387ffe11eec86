import type { Image, Size } from "../../image/types.ts";
import { checkEncodableSize } from "../../node/codec.ts";
import { checkOutput, readImage, writeImage } from "../../node/files.ts";
import { checkSize, DEFAULT_MAX_PIXELS } from "../../node/limits.ts";
import { shippedScales } from "../../upscale/create-network.ts";
import { createUpscaler, MOST_THREADS } from "../../upscale/create-upscaler.ts";
import { factorOf, fitInside, MOST_SCALE, nearestScale, targetSize } from "../../upscale/target-size.ts";
import type { Upscaler } from "../../upscale/upscaler.ts";
import type { Command } from "../command.ts";
import { boxOption, choiceOption, factorOption, integerOption, MODEL_OPTIONS, UsageError } from "../options.ts";
import { progressLine } from "../terminal.ts";

/** Of a model without weights the error is left to `createUpscaler`. */
function trainedScales(model: string): readonly (2 | 4)[] {
  const scales = shippedScales(model);
  return scales.length > 0 ? scales : [2];
}

/** @throws UsageError where `box` is smaller than the picture */
function targetOf(image: Image, box: Size | undefined, factor: number): Size {
  if (!box) return targetSize(image, { scale: factor });
  const target = fitInside(image, box);
  if (target.width >= image.width || target.height >= image.height) return target;
  throw new UsageError(
    `--to: expected at least the picture's ${image.width}x${image.height}, got ${box.width}x${box.height}`,
  );
}

export const command: Command = {
  spec: {
    name: "upscale",
    positionals: ["IN", "OUT"],
    summary:
      "Enlarges a picture with a super-resolution network.\n" +
      "Reads and writes PNG and JPEG; with the optional package sharp also WebP, AVIF and TIFF.\n" +
      "Networks are trained for factors of 2 and 4; for others the nearest of them is followed by a bicubic resize.\n" +
      `The network's result may have up to ${DEFAULT_MAX_PIXELS} pixels, so the input a quarter of that at scale 2.`,
    options: {
      ...MODEL_OPTIONS,
      scale: { type: "string", value: "N", help: `factor from 1 to ${MOST_SCALE}, 2 by default` },
      to: {
        type: "string",
        value: "WxH",
        help: "instead of --scale: the largest size of the same proportions inside WxH",
      },
      tile: {
        type: "string",
        value: "N",
        help: "edge of square tiles in input pixels; by default bands of full height",
      },
      threads: { type: "string", value: "N", help: "threads for larger pictures, by default as many as processors" },
      quality: { type: "string", value: "1..100", help: "quality of lossy formats, 90 by default" },
    },
  },

  async run(parsed, signal) {
    const [from, to] = parsed.positionals as [string, string];
    const box = boxOption(parsed, "to");
    if (box && parsed.text("scale") !== undefined) throw new UsageError("--to: expected without --scale");
    const factor = factorOption(parsed);
    const precision = choiceOption(parsed, "precision", ["int8", "f32"], "int8");
    const tileSize = integerOption(parsed, "tile", 16, Number.POSITIVE_INFINITY);
    const quality = integerOption(parsed, "quality", 1, 100);
    const threads = integerOption(parsed, "threads", 1, MOST_THREADS);
    const format = await checkOutput(to);
    const model = parsed.text("model") ?? "sesr-m5";
    const trained = trainedScales(model);
    const load = (scale: number): Promise<Upscaler> =>
      createUpscaler({ model, scale, precision, ...(threads !== undefined && { threads }) });
    // The network's result has to fit in memory, so the limit holds for it, and for the input that over the area factor.
    const limitAt = (scale: number): number => DEFAULT_MAX_PIXELS / scale ** 2;

    // What is wrong with the options is said before a large picture is read, unless the network depends on its size.
    let upscaler = box ? undefined : await load(factor);
    const started = performance.now();
    const image = await readImage(from, { signal, maxPixels: limitAt(upscaler?.scale ?? Math.min(...trained)) });
    const target = targetOf(image, box, factor);
    checkSize(target, DEFAULT_MAX_PIXELS, to);
    const fitting = trained.filter((scale) => image.width * image.height <= limitAt(scale));
    upscaler ??= await load(nearestScale(factorOf(image, target), fitting));
    const { scale } = upscaler;
    const decoded = performance.now();
    const progress = progressLine();
    await checkEncodableSize(format, target);
    const sizes = `${image.width}x${image.height} -> ${target.width}x${target.height}`;
    const result = await upscaler
      .upscale(image, {
        signal,
        to: target,
        ...(tileSize !== undefined && { tileSize }),
        onProgress: ({ fraction }) => progress.update(fraction, sizes),
      })
      .finally(() => progress.clear());
    const inferred = performance.now();
    await writeImage(to, result, { signal, ...(quality !== undefined && { quality }) });
    const resized = target.width !== image.width * scale || target.height !== image.height * scale;
    const report = {
      width: result.width,
      height: result.height,
      model: upscaler.model,
      scale,
      precision,
      threads: upscaler.threadsFor(image),
      decodeMs: decoded - started,
      inferMs: inferred - decoded,
      encodeMs: performance.now() - inferred,
      peakWasmBytes: upscaler.memoryBytes,
    };
    if (parsed.flag("json")) {
      process.stdout.write(`${JSON.stringify(report)}\n`);
      return;
    }
    const ms = (value: number): string => `${value.toFixed(0)} ms`;
    process.stdout.write(
      `${to}: ${sizes}, ${upscaler.model} x${scale} ${precision}${resized ? " and bicubic" : ""}, ${report.threads === 1 ? "one thread" : `${report.threads} threads`}\n` +
        `decode ${ms(report.decodeMs)}, upscale ${ms(report.inferMs)}, encode ${ms(report.encodeMs)}, ` +
        `WebAssembly memory ${(report.peakWasmBytes / 2 ** 20).toFixed(1)} MiB\n`,
    );
  },
};
