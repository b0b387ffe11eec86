import { checkEncodableSize } from "../../node/codec.ts";
import { checkOutput, readImage, writeImage } from "../../node/files.ts";
import { DEFAULT_MAX_PIXELS } from "../../node/limits.ts";
import { createUpscaler, MOST_THREADS } from "../../upscale/create-upscaler.ts";
import type { Command } from "../command.ts";
import { choiceOption, integerOption, MODEL_OPTIONS, scaleOption } from "../options.ts";
import { progressLine } from "../terminal.ts";

export const command: Command = {
  spec: {
    name: "upscale",
    positionals: ["IN", "OUT"],
    summary:
      "Enlarges a picture with a super-resolution network.\n" +
      "Reads and writes PNG and JPEG; with the optional package sharp also WebP, AVIF and TIFF.\n" +
      `The result may have up to ${DEFAULT_MAX_PIXELS} pixels, so the input a quarter of that at scale 2.`,
    options: {
      ...MODEL_OPTIONS,
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
    const scale = scaleOption(parsed);
    const precision = choiceOption(parsed, "precision", ["int8", "f32"], "int8");
    const tileSize = integerOption(parsed, "tile", 16, Number.POSITIVE_INFINITY);
    const quality = integerOption(parsed, "quality", 1, 100);
    const threads = integerOption(parsed, "threads", 1, MOST_THREADS);
    const format = await checkOutput(to);
    const upscaler = await createUpscaler({
      model: parsed.text("model") ?? "sesr-m5",
      scale,
      precision,
      ...(threads !== undefined && { threads }),
    });

    const started = performance.now();
    // The result has to fit in memory and to be encoded, so the limit holds for it, and for the input that over the area factor.
    const image = await readImage(from, { signal, maxPixels: DEFAULT_MAX_PIXELS / scale ** 2 });
    const decoded = performance.now();
    const progress = progressLine();
    const outWidth = image.width * scale;
    const outHeight = image.height * scale;
    await checkEncodableSize(format, { width: outWidth, height: outHeight });
    const sizes = `${image.width}x${image.height} -> ${outWidth}x${outHeight}`;
    const result = await upscaler
      .upscale(image, {
        signal,
        ...(tileSize !== undefined && { tileSize }),
        onProgress: ({ fraction }) => progress.update(fraction, sizes),
      })
      .finally(() => progress.clear());
    const inferred = performance.now();
    await writeImage(to, result, { signal, ...(quality !== undefined && { quality }) });
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
      `${to}: ${sizes}, ${upscaler.model} x${scale} ${precision}, ${report.threads === 1 ? "one thread" : `${report.threads} threads`}\n` +
        `decode ${ms(report.decodeMs)}, upscale ${ms(report.inferMs)}, encode ${ms(report.encodeMs)}, ` +
        `WebAssembly memory ${(report.peakWasmBytes / 2 ** 20).toFixed(1)} MiB\n`,
    );
  },
};
