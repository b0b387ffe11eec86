import { readFile } from "node:fs/promises";
import { basename, resolve } from "node:path";
import { check, WasmogradError } from "../../errors.ts";
import { shippedModels } from "../../upscale/create-network.ts";
import { createUpscaler } from "../../upscale/create-upscaler.ts";
import type { Upscaler } from "../../upscale/upscaler.ts";
import type { Command } from "../command.ts";
import {
  ALGORITHM_OPTIONS,
  algorithmOptions,
  MODEL_OPTIONS,
  type Parsed,
  scaleOption,
  UsageError,
} from "../options.ts";
import { findPairs, loadPair } from "../picture-sets.ts";
import { defaultProtocol, describeProtocol, PROTOCOL_OPTIONS, type Protocol, protocolOption } from "../protocol.ts";
import { checkScorable, lumaPair, type Score, scoreBicubic, scoreNetwork } from "../scores.ts";
import { markdownTable, pause, progressLine, table } from "../terminal.ts";

/** A network with its figures, picture by picture. */
interface Subject {
  readonly model: string;
  readonly precision: "int8" | "f32";
  readonly scores: Score[];
}

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

/** Words with commas between, or all that there are. */
function listOption(parsed: Parsed, name: string, fallback: string, all: readonly string[]): string[] {
  const text = parsed.text(name) ?? fallback;
  const words = text === "all" ? all : text.split(",");
  return [...new Set(words)];
}

function precisionsOption(parsed: Parsed): ("int8" | "f32")[] {
  return listOption(parsed, "precision", "int8", ["int8", "f32"]).map((word) => {
    if (word === "int8" || word === "f32") return word;
    throw new UsageError(`--precision: expected int8 or f32, got ${word}`);
  });
}

/** Every model in every precision. */
async function loadSubjects(parsed: Parsed, scale: 2 | 4): Promise<{ subjects: Subject[]; upscalers: Upscaler[] }> {
  const shipped = shippedModels().filter((m) => m.scale === scale);
  const models = listOption(
    parsed,
    "model",
    "sesr-m5",
    shipped.map(({ model }) => model),
  );
  const precisions = precisionsOption(parsed);
  const file = parsed.text("weights");
  if (file !== undefined && (models.length > 1 || precisions.join() !== "f32")) {
    throw new UsageError("--weights: expected with one --model and --precision f32 only");
  }
  const weights = file === undefined ? undefined : await readWeightsFile(file);
  const computing = algorithmOptions(parsed);
  if (computing.filterScaling && precisions.includes("f32")) {
    throw new UsageError("--filter-bits: expected with --precision int8 only");
  }
  const subjects = models.flatMap((model) =>
    precisions.map((precision): Subject => ({ model, precision, scores: [] })),
  );
  const upscalers: Upscaler[] = [];
  for (const { model, precision } of subjects) {
    upscalers.push(await createUpscaler({ model, scale, precision, ...computing, ...(weights && { weights }) }));
  }
  return { subjects, upscalers };
}

async function readWeightsFile(file: string): Promise<Uint8Array> {
  try {
    return await readFile(file);
  } catch (error) {
    throw new WasmogradError("ERR_IO", `${file}: cannot be read`, { cause: error });
  }
}

interface Measured {
  readonly names: readonly string[];
  readonly bicubic: readonly Score[];
}

/** Fills the scores of `subjects`. */
async function measure(
  directory: string,
  scale: number,
  protocol: Protocol,
  subjects: readonly Subject[],
  upscalers: readonly Upscaler[],
  signal: AbortSignal,
): Promise<Measured> {
  const pairs = await findPairs(directory, scale);
  check(pairs.length > 0, "ERR_IO", () => `${directory}: no pictures`);
  const progress = progressLine();
  const bicubic: Score[] = [];
  try {
    for (const [i, pair] of pairs.entries()) {
      progress.update(i / pairs.length, pair.name);
      const { high, low } = await loadPair(pair, scale);
      checkScorable(pair.high, high, protocol.border);
      const planes = await lumaPair(high, low, protocol);
      await pause(signal);
      bicubic.push(await scoreBicubic(low, planes, protocol));
      for (const [k, upscaler] of upscalers.entries()) {
        await pause(signal);
        subjects[k]!.scores.push(scoreNetwork(upscaler, planes, protocol));
      }
      await pause(signal);
    }
  } finally {
    progress.clear();
  }
  return { names: pairs.map(({ name }) => name), bicubic };
}

const cells = (s: Score): string[] => [s.psnr.toFixed(2), s.ssim.toFixed(4)];

/** Of one network picture by picture, of several the means. */
function tableOf({ names, bicubic }: Measured, subjects: readonly Subject[]): [header: string[], rows: string[][]] {
  const [only, ...others] = subjects;
  if (others.length > 0) {
    const rows = subjects.map(({ model, precision, scores }) => [model, precision, ...cells(mean(scores))]);
    return [
      ["model", "precision", "PSNR dB", "SSIM"],
      [["bicubic", "", ...cells(mean(bicubic))], ...rows],
    ];
  }
  const { model, scores } = only!;
  const rows = names.map((name, i) => [name, ...cells(bicubic[i]!), ...cells(scores[i]!)]);
  rows.push(["mean", ...cells(mean(bicubic)), ...cells(mean(scores))]);
  return [["picture", "bicubic dB", "SSIM", `${model} dB`, "SSIM"], rows];
}

/** One network's figures as JSON has them. */
function resultOf({ model, precision, scores }: Subject, { names, bicubic }: Measured): object {
  return {
    model,
    precision,
    images: scores.map((score, i) => ({ name: names[i], ...score, bicubic: bicubic[i] })),
    mean: { ...mean(scores), bicubic: mean(bicubic) },
  };
}

export const command: Command = {
  spec: {
    name: "evaluate",
    positionals: ["DIR"],
    summary:
      "Measures networks' quality on a set of pictures, with bicubic interpolation beside them.\n" +
      "DIR holds HR/ and LRx2/ or LRx4/, or plain pictures, of which low resolutions are made.\n" +
      `Protocol, unless options change it: ${describeProtocol(defaultProtocol(2))}.`,
    options: {
      ...MODEL_OPTIONS,
      model: { type: "string", value: "ID,...|all", help: "networks, sesr-m5 by default; all: all that have weights" },
      precision: {
        type: "string",
        value: "int8,f32",
        help: "arithmetic, int8 by default; several: each network in each",
      },
      weights: {
        type: "string",
        value: "FILE",
        help: "f32: your own weights (safetensors) instead of those that ship",
      },
      ...PROTOCOL_OPTIONS,
      ...ALGORITHM_OPTIONS,
      markdown: { type: "boolean", help: "print the table in Markdown" },
    },
  },

  async run(parsed, signal) {
    const [directory] = parsed.positionals as [string];
    const scale = scaleOption(parsed);
    const protocol = protocolOption(parsed, scale);
    const { subjects, upscalers } = await loadSubjects(parsed, scale);
    const measured = await measure(directory, scale, protocol, subjects, upscalers, signal).finally(() => {
      for (const upscaler of upscalers) upscaler.dispose();
    });
    const set = basename(resolve(directory));
    const computing = algorithmOptions(parsed);
    const text = describeProtocol(protocol);
    if (parsed.flag("json")) {
      const results = subjects.map((subject) => resultOf(subject, measured));
      const shared = { set, protocol: text, scale, ...computing };
      const report = results.length === 1 ? { ...shared, ...results[0] } : { ...shared, models: results };
      process.stdout.write(`${JSON.stringify(report)}\n`);
      return;
    }
    const [header, rows] = tableOf(measured, subjects);
    const [{ model, precision }] = subjects as [Subject];
    const what = subjects.length === 1 ? `${model} x${scale} ${precision}` : `x${scale}`;
    const title = `${set}, ${what}${computingText(computing)}`;
    process.stdout.write(
      parsed.flag("markdown")
        ? `${title}. ${text}.\n\n${markdownTable(header, rows)}`
        : `${title}\n${text}\n\n${table(header, rows)}`,
    );
  },
};
