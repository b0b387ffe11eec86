import { readdir } from "node:fs/promises";
import { basename, extname, join, resolve } from "node:path";
import { check, WasmogradError } from "../../errors.ts";
import { luma, psnr, psnrY, ssim, ssimY } from "../../image/metrics.ts";
import { resize } from "../../image/resize.ts";
import type { Image } from "../../image/types.ts";
import { readImage } from "../../node/files.ts";
import { createUpscaler } from "../../upscale/create-upscaler.ts";
import type { Upscaler } from "../../upscale/upscaler.ts";
import type { Command } from "../command.ts";
import { choiceOption, MODEL_OPTIONS, scaleOption } from "../options.ts";
import { progressLine, table } from "../terminal.ts";

const PROTOCOL =
  "PSNR and SSIM on Y (BT.601 studio range, peak 255), border of `scale` pixels left out; low resolution stored with 8 bits, " +
  "Y from it in floating point; grey pictures as grey RGB; results clipped and rounded to 8 bits";

const READABLE = new Set([".png", ".jpg", ".jpeg", ".webp", ".avif", ".tif", ".tiff"]);

interface Pair {
  readonly name: string;
  readonly high: string;
  /** Undefined: the low resolution is made from the high by bicubic resize. */
  readonly low: string | undefined;
}

async function pictures(directory: string): Promise<string[] | undefined> {
  try {
    const names = await readdir(directory);
    return names.filter((name) => READABLE.has(extname(name).toLowerCase())).sort();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw new WasmogradError("ERR_IO", `${directory}: cannot be read as a directory`, { cause: error });
  }
}

/** HR/ with LRx2/ or LRx4/ beside it, or plain pictures. */
async function findPairs(directory: string, scale: number): Promise<Pair[]> {
  const high = join(directory, "HR");
  const low = join(directory, `LRx${scale}`);
  const highNames = await pictures(high);
  if (highNames) {
    const lowNames = await pictures(low);
    check(lowNames !== undefined, "ERR_IO", () => `${low}: no such directory, which HR/ needs beside it`);
    const missing = highNames.filter((name) => !lowNames.includes(name));
    check(missing.length === 0, "ERR_IO", () => `${low}: no counterpart of ${missing.join(", ")}`);
    return highNames.map((name) => ({ name, high: join(high, name), low: join(low, name) }));
  }
  const names = await pictures(directory);
  check(names !== undefined, "ERR_IO", () => `${directory}: no such directory`);
  return names.map((name) => ({ name, high: join(directory, name), low: undefined }));
}

/** The top left width x height pixels. */
function crop(image: Image, width: number, height: number): Image {
  if (image.width === width && image.height === height) return image;
  const { channels } = image;
  const data =
    image.depth === 8 ? new Uint8Array(width * height * channels) : new Uint16Array(width * height * channels);
  for (let y = 0; y < height; y++) {
    const start = y * image.width * channels;
    data.set(image.data.subarray(start, start + width * channels), y * width * channels);
  }
  return { ...image, width, height, data };
}

async function loadPair({ name, high, low }: Pair, scale: number): Promise<{ high: Image; low: Image }> {
  const picture = await readImage(high);
  if (low === undefined) {
    const width = picture.width - (picture.width % scale);
    const height = picture.height - (picture.height % scale);
    check(Math.min(width, height) > 0, "ERR_SHAPE", () => `${name}: expected at least ${scale}x${scale} pixels`);
    const cropped = crop(picture, width, height);
    return { high: cropped, low: await resize(cropped, { width: width / scale, height: height / scale }) };
  }
  const small = await readImage(low);
  const width = small.width * scale;
  const height = small.height * scale;
  const fits =
    picture.width >= width &&
    picture.width < width + scale &&
    picture.height >= height &&
    picture.height < height + scale;
  check(fits, "ERR_SHAPE", () => {
    return `${low}: ${small.width}x${small.height} is not ${picture.width}x${picture.height} at 1/${scale}`;
  });
  return { high: crop(picture, width, height), low: small };
}

/** Edge of SSIM's window, which has to fit inside the border. */
const WINDOW = 11;

interface Score {
  readonly psnr: number;
  readonly ssim: number;
}

function scoreNetwork(upscaler: Upscaler, high: Image, low: Image): Score {
  const y = upscaler.upscaleLuma(Float32Array.from(luma(low)), low);
  const levels = y.map((v) => Math.min(255, Math.max(0, Math.round(v))));
  const reference = luma(high);
  const shave = upscaler.scale;
  return { psnr: psnr(reference, levels, high, shave), ssim: ssim(reference, levels, high, shave) };
}

async function scoreBicubic(high: Image, low: Image, shave: number): Promise<Score> {
  const enlarged = await resize(low, { width: high.width, height: high.height });
  return { psnr: psnrY(high, enlarged, { shave }), ssim: ssimY(high, enlarged, { shave }) };
}

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
    options: MODEL_OPTIONS,
  },

  async run(parsed, signal) {
    const [directory] = parsed.positionals as [string];
    const scale = scaleOption(parsed);
    const precision = choiceOption(parsed, "precision", ["int8", "f32"], "int8");
    const pairs = await findPairs(directory, scale);
    check(pairs.length > 0, "ERR_IO", () => `${directory}: no pictures`);
    const upscaler = await createUpscaler({ model: parsed.text("model") ?? "sesr-m5", scale, precision });
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
