// Writes weights/README.md, a model card for every network that ships, and README.md's tables of quality, from what the weights say of their
// training, from counts, and from measured quality (weights/quality.json).
// usage: tsx scripts/model-cards.ts [--check] [--measure DIR,DIR]
//   --measure  first scores every network on the sets by `wasmograd evaluate` (dist/ must be built) and stores the result
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { parseSafetensors } from "../src/formats/safetensors.ts";
import { buildModel, modelInfo } from "../src/models/registry.ts";
import { countNetwork } from "../src/network/counts.ts";
import { SHIPPED } from "../src/upscale/weights/index.generated.ts";
import { fillBlocks, table, writeOrCheck } from "./documents.ts";

interface Score {
  readonly psnr: number;
  readonly ssim: number;
}

/** Means over a set, by "sesr-m5-x2 f32", and "bicubic-x2". */
type Quality = Record<string, Record<string, Score>>;

const CARD = "weights/README.md";
const QUALITY = "weights/quality.json";
/** The baseline, trained like the others; it does not ship. */
const BASELINE = {
  id: "fsrcnn",
  name: "FSRCNN",
  weights: (scale: number) => `training/checkpoints/fsrcnn-x${scale}.safetensors`,
};
const { values: options } = parseArgs({
  options: { check: { type: "boolean", default: false }, measure: { type: "string" } },
});

function measure(directories: readonly string[]): Quality {
  const quality: Quality = {};
  for (const directory of directories) {
    for (const scale of [2, 4]) {
      if (!SHIPPED.some((s) => s.scale === scale)) continue;
      const evaluated = (...networks: readonly string[]) => {
        const args = ["dist/cli/main.js", "evaluate", directory, "--scale", String(scale), ...networks, "--json"];
        return JSON.parse(execFileSync(process.execPath, args, { encoding: "utf8" }));
      };
      const report = evaluated("--model", "all", "--precision", "all");
      const set = (quality[report.set] ??= {});
      for (const { model, precision, mean } of report.models) {
        const { psnr, ssim, bicubic } = mean;
        set[`${model}-x${scale} ${precision}`] = { psnr, ssim };
        set[`bicubic-x${scale}`] = bicubic;
      }
      const weights = BASELINE.weights(scale);
      if (!existsSync(weights)) continue;
      const { psnr, ssim } = evaluated("--model", BASELINE.id, "--precision", "f32", "--weights", weights).mean;
      set[`${BASELINE.id}-x${scale} f32`] = { psnr, ssim };
    }
  }
  return quality;
}

function baselineIterations(scale: number): string {
  const { metadata } = parseSafetensors(readFileSync(BASELINE.weights(scale)));
  return grouped(Number(metadata.get("iterations")));
}

const grouped = (n: number): string => n.toLocaleString("en-US");
const minutes = (count: string | undefined): string => `${count} minute${count === "1" ? "" : "s"}`;
const figure = (score: Score | undefined): string =>
  score ? `${score.psnr.toFixed(2)} dB, ${score.ssim.toFixed(4)}` : "not measured";
const thousands = (bytes: number): string => `${(bytes / 1000).toFixed(1)} kB`;

/** "M5" of "sesr-m5". */
const variantOf = (id: string): string => id.replace("sesr-", "").toUpperCase();

/** "M5 x2" of "m5-x2", with what follows left as it is. */
const spoken = (network: string): string =>
  network.replace(/^(\w+)-x/, (_, variant: string) => `${variant.toUpperCase()} x`);

/** How the weights came to be, from the file's own metadata. */
function trainingText(
  facts: ReadonlyMap<string, string>,
  int8: ReadonlyMap<string, string> | undefined,
  fine: readonly string[],
): string {
  const fact = (name: string): string => facts.get(name) ?? "";
  if (!facts.has("minutes")) {
    return `${grouped(Number(fact("iterations")))} iterations with a cosine schedule, seed ${fact("seed")}, by an earlier version of \`training/train.py\`;\nhardware and time are not recorded in the file.`;
  }
  const from = fact("started_from");
  const origin = from ? `from ${spoken(from)}'s weights` : "from scratch";
  const optimiser =
    facts.get("optimiser") === "soap" ? "SOAP on the collapsed kernels" : "Adam on the expanded kernels";
  const bf16 = facts.has("bf16_iterations")
    ? `, ${grouped(Number(fact("bf16_iterations")))} of them with activations in bf16`
    : "";
  const crops = facts.has("batch") ? `, ${fact("batch")} times as many crops each as on a CPU` : "";
  const together = facts.has("together") ? `, ${fact("together")} networks side by side` : "";
  const schedule = `${grouped(Number(fact("stable")))} iterations at a constant rate and ${grouped(Number(fact("decay")))} at a falling one${bf16}${crops}${together}`;
  const taught = facts.has("teacher")
    ? `;\nhalf of the loss against what ${spoken(fact("teacher"))} makes of the tiles (\`training/teach.py\`)`
    : "";
  const averaged = facts.has("averaged_runs")
    ? `;\nthe mean of ${fact("averaged_runs")} runs, each from the last one's weights`
    : "";
  const earlier = facts.has("earlier") ? `\nBefore: ${fact("earlier")}.` : "";
  const own = `${origin}, ${optimiser};\n${schedule},\nseed ${fact("seed")}; ${minutes(fact("minutes"))} of computing (${fact("hardware")}, PyTorch ${fact("torch")})${taught}${averaged}`;
  const tuned = int8
    ? `; int8: ${grouped(Number(int8.get("int8_iterations")))} iterations more, ${minutes(int8.get("int8_minutes"))}`
    : "";
  const parts = fine.length > 0 ? `,\n${fine.join(" and ")} read in two parts like the input` : "";
  return `${own}${tuned}${parts}.${earlier}`;
}

function card({ id, scale }: { id: string; scale: 2 | 4 }, quality: Quality): string {
  const stem = `${id}-x${scale}`;
  const path = (end: string): string => `weights/${stem}.${end}`;
  const facts = parseSafetensors(readFileSync(path("safetensors"))).metadata;
  const trained = existsSync(path("int8.safetensors")) ? readFileSync(path("int8.safetensors")) : undefined;
  const { fine = [] }: { fine?: string[] } = JSON.parse(readFileSync(path("calibration.json"), "utf8"));
  const { input } = modelInfo(id, { scale });
  const { weights, params, macs } = countNetwork(buildModel(id, { scale }), input);
  const rows = Object.entries(quality).map(([set, scores]) => {
    const cells = [`bicubic-x${scale}`, `${stem} f32`, `${stem} int8`].map((key) => figure(scores[key]));
    return `| ${set} | ${cells.join(" | ")} |`;
  });
  return [
    `### SESR-${variantOf(id)} x${scale}`,
    "",
    `**Training.** ${trainingText(facts, trained && parseSafetensors(trained).metadata, fine)}`,
    "",
    `**Size.** ${grouped(weights)} weights, ${grouped(params - weights)} biases and slopes; f32 ${thousands(statSync(path("safetensors")).size)}, int8 about ${thousands(weights + 4 * (params - weights))}.`,
    `**Cost.** ${(macs / 1e9).toFixed(3)} G multiply-accumulates for a 1280x720 result.`,
    "",
    "| | bicubic | f32 | int8 |",
    "|---|---|---|---|",
    ...rows,
    "",
  ].join("\n");
}

const INTRODUCTION = `# Weights

*Generated by \`npx tsx scripts/model-cards.ts\`; figures measured by its \`--measure\`.*

Of every network, by the name \`sesr-<variant>-x<scale>\`:

| file | what |
|---|---|
| \`.safetensors\` | collapsed, f32, OIHW, with the facts of its training in the metadata |
| \`.int8.safetensors\` | the same after training in int8, from which the int8 network is made; absent: it is made of the f32 weights |
| \`.calibration.json\` | what int8 needs beside them: activation ranges, channel scales, and the tensors that are read in two parts beside the input |

The expanded forms, from which training can go on, are in \`../training/checkpoints\`.

## What they are

Super-resolution networks (SESR, arXiv 2103.09404) that enlarge a picture's luma by 2 or 4. Input and output are BT.601 studio-range luma
over 255. Trained here; these are not the authors' weights.

**For.** Enlarging photographs. They sharpen what bicubic interpolation blurs and invent little. They were trained for pictures that were
made smaller by antialiased bicubic interpolation; they do not remove noise or the artefacts of JPEG compression, and little of what they
saw was text.

**Data.** 1,453 luma tiles of 192x192 pixels, 53.6 Mpixel, cut from 38 halved photographs, all CC0-1.0 (\`../shared/data/train-cc0-luma\`);
the same made smaller, turned, with other contrast, and laid over one another through masks that the script draws. Set5 and Set14
were not trained on. Recipes were compared on them, int8 trainings lengthened, and of XL in int8 longer trainings were left again that lost
more there (\`../training/README.md\`); no other checkpoint was picked by them.

**Licence.** Apache-2.0, like the code.

**Commands**, in \`training/\`: \`train.py --bf16 --optimiser adam|soap --stable N --decay N --from EXPANDED [--teacher XL]\` with what a
card says, then \`train_int8.py --iterations N\`; the weights that a network began with were those of the line "Before" or of the network named.
Where a card has networks side by side, they are one call with their names, \`--batch 4 --rate 2e-3\` and \`{}\` in \`EXPANDED\`.
\`train_all.py\` runs plans of these; recipe, schedule and files in [\`../training\`](../training/README.md).

**Quality.** \`wasmograd evaluate DIR --model all --precision all --scale N\`, default protocol: PSNR and SSIM on Y, 8-bit low
resolution, a border of \`scale\` pixels left out, means over the set.

## The networks

`;

if (options.measure !== undefined) {
  const result = measure(options.measure.split(","));
  const rounded = JSON.stringify(result, (_, v) => (typeof v === "number" ? Number(v.toFixed(8)) : v), 1);
  writeFileSync(QUALITY, `${rounded}\n`);
}
const quality: Quality = JSON.parse(readFileSync(QUALITY, "utf8"));

/** The networks of one scale beside bicubic interpolation: f32 and int8, set by set. */
function qualityTable(scale: number): string {
  const sets = Object.keys(quality);
  const cells = (keys: (set: string) => readonly string[]): string[] =>
    sets.flatMap((set) => keys(set).map((key) => (key === "" ? "" : figure(quality[set]![key]))));
  const networks = SHIPPED.filter((shipped) => shipped.scale === scale).map(({ id }) => [
    `SESR-${variantOf(id)}`,
    ...cells(() => [`${id}-x${scale} f32`, `${id}-x${scale} int8`]),
  ]);
  const baseline = existsSync(BASELINE.weights(scale))
    ? [
        [
          `${BASELINE.name}, trained alike, ${baselineIterations(scale)} iterations`,
          ...cells(() => [`${BASELINE.id}-x${scale} f32`, ""]),
        ],
      ]
    : [];
  return table(
    [`x${scale}`, ...sets.flatMap((set) => [`${set} f32`, `${set} int8`])],
    [["bicubic", ...cells(() => [`bicubic-x${scale}`, ""])], ...baseline, ...networks],
  );
}

const scales = [...new Set(SHIPPED.map(({ scale }) => scale))].sort();
const tables = new Map([["quality", scales.map(qualityTable).join("\n\n")]]);
const files = new Map([
  [CARD, INTRODUCTION + SHIPPED.map((shipped) => card(shipped, quality)).join("\n")],
  ["README.md", fillBlocks("README.md", readFileSync("README.md", "utf8"), tables, ["peers"])],
]);
writeOrCheck("scripts/model-cards.ts", files, options.check);
