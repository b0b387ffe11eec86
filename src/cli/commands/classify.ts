import { basename } from "node:path";
import { check } from "../../errors.ts";
import { loadWeights } from "../../formats/weights-file.ts";
import type { FeatureMap, Model } from "../../network/description.ts";
import { inferShapes } from "../../network/shapes.ts";
import { decodeImage } from "../../node/codec.ts";
import { loadSharp } from "../../node/sharp.ts";
import { calibrate } from "../../quantization/calibrate.ts";
import { quantise } from "../../quantization/quantise.ts";
import { runReference } from "../../reference/run.ts";
import { ATTENTION_OPTION } from "../attention-option.ts";
import { compareVariants, VARIANTS, type Variant } from "../classification.ts";
import { classifierInput } from "../classifier-input.ts";
import type { Command } from "../command.ts";
import { readBytes } from "../input-files.ts";
import { findLabelled, type LabelledPicture, type LabelledPictures } from "../labelled-pictures.ts";
import { integerOption, type Parsed, sizeOption, UsageError } from "../options.ts";
import { attentionOf, loadSubject } from "../subject.ts";
import { grouped, pause, progressLine, table } from "../terminal.ts";

const CALIBRATION_PICTURES = 64;

/** As many pictures as asked for, spread evenly over all classes. */
function spread(pictures: readonly LabelledPicture[], count: number): readonly LabelledPicture[] {
  if (count >= pictures.length) return pictures;
  return Array.from({ length: count }, (_, i) => pictures[Math.floor(((i + 0.5) * pictures.length) / count)]!);
}

function chosenVariants(text: string | undefined): readonly Variant[] {
  if (text === undefined) return VARIANTS;
  return text.split(",").map((id) => {
    const found = VARIANTS.find((variant) => variant.id === id.trim());
    if (!found) throw new UsageError(`--variants: expected some of ${VARIANTS.map((v) => v.id).join(", ")}, got ${id}`);
    return found;
  });
}

async function loadModel(parsed: Parsed, id: string, file: string): Promise<Model> {
  const attention = attentionOf(parsed, id);
  const { network } = await loadSubject(id, attention ? { attention } : {});
  return { network, weights: loadWeights(await readBytes(file), network) };
}

export const command: Command = {
  spec: {
    name: "classify",
    positionals: ["PICTURES"],
    summary:
      "Measures a classifier's accuracy in f32 and int8, direct and Winograd, exact and with scaled filters.\n" +
      "PICTURES: a folder or a .tar file with one folder a class, the order of whose names is the order of the network's outputs.",
    options: {
      model: { type: "string", value: "ID", help: "network, see wasmograd models, or a description as FILE.json" },
      weights: {
        type: "string",
        value: "FILE",
        help: "its weights, safetensors by the names of PyTorch, torchvision or timm",
      },
      attention: ATTENTION_OPTION,
      input: { type: "string", value: "HxW", help: "input size; by default that of the pictures" },
      calibration: {
        type: "string",
        value: "PICTURES",
        help: `where the ranges for int8 come from (${CALIBRATION_PICTURES} pictures); by default PICTURES, labels unseen`,
      },
      variants: { type: "string", value: "LIST", help: `some of ${VARIANTS.map(({ id }) => id).join(", ")}` },
      limit: { type: "string", value: "N", help: "only N pictures, spread over all classes" },
      portable: { type: "boolean", help: "decode without sharp even where it is installed" },
    },
  },

  async run(parsed, signal) {
    const [place] = parsed.positionals as [string];
    const id = parsed.text("model");
    const file = parsed.text("weights");
    if (id === undefined) throw new UsageError("--model: expected the id of a network, got none");
    if (file === undefined) throw new UsageError("--weights: expected a safetensors file, got none");
    const variants = chosenVariants(parsed.text("variants"));
    const limit = integerOption(parsed, "limit", 1, Number.POSITIVE_INFINITY);
    const model = await loadModel(parsed, id, file);
    const set = await findLabelled(place);
    const pictures = limit === undefined ? set.pictures : spread(set.pictures, limit);
    const decoded = async (picture: LabelledPicture) =>
      decodeImage(await picture.bytes(), { name: picture.name, ...(parsed.flag("portable") && { sharp: false }) });
    const first = await decoded(pictures[0]!);
    const size = sizeOption(parsed, "input") ?? ([first.height, first.width] as const);
    checkOutputs(model, size, set, id);
    const input = async (picture: LabelledPicture) => classifierInput(await decoded(picture), size);
    const progress = progressLine();

    const from = parsed.text("calibration");
    const sample = spread((from === undefined ? set : await findLabelled(from)).pictures, CALIBRATION_PICTURES);
    const inputs: FeatureMap<Float32Array>[] = [];
    for (const picture of sample) inputs.push(await input(picture));
    const observed = function* () {
      for (const [i, map] of inputs.entries()) {
        progress.update(i / inputs.length, "calibration");
        yield map;
      }
    };
    const needsInt8 = variants.some(({ precision }) => precision === "int8");
    const int8 = needsInt8 ? quantise(model, calibrate(model, observed(), runReference)) : undefined;
    const next = async function* () {
      for (const [i, picture] of pictures.entries()) {
        if (i % 16 === 0) {
          progress.update(i / pictures.length, picture.name);
          await pause(signal);
        }
        yield { input: await input(picture), label: picture.label };
      }
    };
    let results: Awaited<ReturnType<typeof compareVariants>>;
    try {
      results = await compareVariants({ f32: model, int8: int8! }, variants, next());
    } finally {
      progress.clear();
    }
    const report = {
      model: model.network.name,
      weights: basename(file),
      pictures: pictures.length,
      classes: set.classes,
      decoder: parsed.flag("portable") || !(await loadSharp()) ? "portable" : "sharp",
      calibration: { pictures: sample.length, from: basename(from ?? place) },
      results,
    };
    if (parsed.flag("json")) {
      process.stdout.write(`${JSON.stringify(report)}\n`);
      return;
    }
    const percent = (x: number): string => (100 * x).toFixed(2);
    const rows = results.map((r) => [
      r.variant,
      percent(r.accuracy),
      percent(r.agreement),
      r.sameBitsAsInt8Direct === undefined ? "" : r.sameBitsAsInt8Direct ? "yes" : "no",
      r.msPerPicture.toFixed(2),
    ]);
    process.stdout.write(
      `${model.network.name}, ${grouped(pictures.length)} pictures of ${set.classes.length} classes at ${size.join("x")}, decoder ${report.decoder}\n\n` +
        table(["arithmetic", "right %", `as ${variants[0]!.id} %`, "bits of int8 direct", "ms"], rows),
    );
  },
};

/** @throws WasmogradError ERR_SHAPE unless the network is a classifier of as many classes as there are folders */
function checkOutputs(
  { network }: Model,
  size: readonly [number, number],
  { classes }: LabelledPictures,
  id: string,
): void {
  const [height, width, outputs] = inferShapes(network, size).get(network.output)!;
  check(
    height === 1 && width === 1,
    "ERR_SHAPE",
    () => `--model: expected a classifier, got ${id} with a ${height}x${width} result`,
  );
  check(
    outputs === classes.length,
    "ERR_SHAPE",
    () => `--model: expected ${classes.length} classes, one a folder, got ${id} with ${outputs}`,
  );
}
