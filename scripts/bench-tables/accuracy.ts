/** Tables of docs/accuracy.md: what `wasmograd classify --json` printed, one file a network. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { absolute, type Blocks, table } from "../documents.ts";

const FOLDER = "bench/results";

interface AccuracyResults {
  readonly model: string;
  readonly pictures: number;
  readonly decoder: "sharp" | "portable";
  readonly calibration: { readonly pictures: number; readonly from: string };
  readonly results: readonly {
    readonly variant: string;
    readonly accuracy: number;
    readonly agreement: number;
    readonly sameBitsAsInt8Direct?: boolean;
  }[];
}

function read(pattern: RegExp): AccuracyResults[] {
  if (!existsSync(absolute(FOLDER))) return [];
  const stems = readdirSync(absolute(FOLDER)).flatMap((name) =>
    pattern.test(name) ? [name.replace(".json", "")] : [],
  );
  return stems
    .sort()
    .map((stem) => `${stem}.json`)
    .map((name): AccuracyResults => JSON.parse(readFileSync(absolute(`${FOLDER}/${name}`), "utf8")));
}

const percent = (x: number): string => `${(100 * x).toFixed(2)} %`;

const bits = (same: boolean | undefined): string => (same === undefined ? "" : same ? "yes" : "no");

function accuracyTable({ model, pictures, decoder, calibration, results }: AccuracyResults): string {
  const rows = results.map((r) => [r.variant, percent(r.accuracy), percent(r.agreement), bits(r.sameBitsAsInt8Direct)]);
  const int8 = results.some(({ variant }) => variant.startsWith("int8"));
  const ranges = int8 ? `; ranges for int8 from ${calibration.pictures} pictures of ${calibration.from}` : "";
  const count = pictures.toLocaleString("en-US");
  return [
    `**${model}**, ${count} pictures decoded by ${decoder === "sharp" ? "sharp (libjpeg)" : "the portable decoder"}`,
    table(["arithmetic", "right", "as f32 direct", "bits of int8 direct"], rows),
    `*Measured by \`wasmograd classify --json\`${ranges}.*`,
  ].join("\n\n");
}

export function accuracyBlocks(): Blocks {
  const tables = (pattern: RegExp): string => read(pattern).map(accuracyTable).join("\n\n");
  return new Map([
    ["accuracy-cifar", tables(/^accuracy-resnet.*\.json$/)],
    ["accuracy-study", tables(/^accuracy-study.*\.json$/)],
  ]);
}
