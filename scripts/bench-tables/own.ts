/** Tables of wasmograd alone: kernels against the roofline, and whole pictures. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { absolute, table } from "../documents.ts";

const FOLDER = "bench/results";
const PRECISIONS = ["int8", "f32"] as const;

interface KernelResults {
  readonly machine: { readonly cpu: string; readonly runtime: string; readonly v8: string };
  readonly roofline: { readonly dotI16x8: number | null; readonly f32MulAdd: number | null };
  readonly kernels: readonly {
    readonly name: string;
    readonly shape: string;
    readonly medianMs: number;
    readonly spread: number;
    readonly gmacPerS: number;
    readonly ofRoofline: number;
    readonly overDirect: number;
  }[];
}

interface PictureResults {
  readonly machine: { readonly cpu: string; readonly cores: number; readonly runtime: string; readonly date: string };
  readonly rounds: number;
  readonly bySize: Readonly<Record<"int8" | "f32", readonly { readonly input: string; readonly nsPerPixel: number }[]>>;
  readonly memoryBytes: Readonly<Record<"int8" | "f32", Readonly<Record<string, number>>>>;
  readonly threads: { readonly input: string; readonly oneMs: number; readonly twoMs: number; readonly ratio: number };
  readonly start: Readonly<
    Record<
      "int8" | "f32",
      { readonly importMs: number; readonly createMs: number; readonly firstMs: number; readonly steadyMs: number }
    >
  >;
}

/** Results by runtime, in the order of their names. */
function read<Results>(stem: string): Results[] {
  if (!existsSync(absolute(FOLDER))) return [];
  const files = readdirSync(absolute(FOLDER)).filter((name) => new RegExp(`^${stem}-[a-z0-9]+\\.json$`).test(name));
  return files.sort().map((name): Results => JSON.parse(readFileSync(absolute(`${FOLDER}/${name}`), "utf8")));
}

const NOT_MEASURED = (command: string): string => `*Not measured at this commit: \`${command}\`.*`;

function kernelTable({ machine, roofline, kernels }: KernelResults): string {
  const rows = kernels.map((k) => [
    `\`${k.name}\``,
    k.shape,
    k.medianMs.toFixed(3),
    k.gmacPerS.toFixed(1),
    `${Math.round(100 * k.ofRoofline)} %`,
    `${k.overDirect.toFixed(2)}x`,
  ]);
  const rate = (value: number | null): string => (value === null ? "-" : value.toFixed(1));
  return [
    table(["kernel", "layer", "ms", "GMAC/s", "of roofline", "over direct"], rows),
    `*Measured by \`wasmograd bench --json\` on ${machine.cpu}, ${machine.runtime} (V8 ${machine.v8}), one thread; rooflines ${rate(roofline.dotI16x8)} (int8) and ${rate(roofline.f32MulAdd)} (f32) GMAC/s.*`,
  ].join("\n\n");
}

const mebibytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;

function pictureTables({ machine, rounds, bySize, memoryBytes, threads, start }: PictureResults): string {
  const sizes = bySize.int8.map(({ input }, i) => [
    input,
    ...PRECISIONS.flatMap((precision) => {
      const { nsPerPixel } = bySize[precision][i]!;
      const [width, height] = input.split("x").map(Number) as [number, number];
      const bytes = memoryBytes[precision][input];
      return [
        `${nsPerPixel.toFixed(0)} ns`,
        `${((nsPerPixel * width * height) / 1e6).toFixed(0)} ms`,
        bytes === undefined ? "" : mebibytes(bytes),
      ];
    }),
  ]);
  const starts = PRECISIONS.map((precision) => {
    const { importMs, createMs, firstMs, steadyMs } = start[precision];
    return [precision, ...[importMs, createMs, firstMs, steadyMs].map((ms) => `${ms.toFixed(1)} ms`)];
  });
  return [
    `${machine.runtime}:`,
    table(["input", "int8, a pixel", "picture", "memory", "f32, a pixel", "picture", "memory"], sizes),
    `Two worker threads on ${threads.input}, int8: ${threads.twoMs} ms instead of ${threads.oneMs}, ${threads.ratio.toFixed(2)}x.`,
    table(["start in a new process", "import", "create", "first 640x360", "later"], starts),
    `*SESR-M5 x2 on RGB pictures (start: luma alone); measured ${machine.date} by \`npm run bench:pictures\` on ${machine.cpu}, ${machine.cores} cores, medians of ${rounds} rounds in turns.*`,
  ].join("\n\n");
}

export function ownBlocks(): ReadonlyMap<string, string> {
  const kernels = read<KernelResults>("kernels");
  const pictures = read<PictureResults>("pictures");
  return new Map([
    ["kernels", kernels.map(kernelTable).join("\n\n") || NOT_MEASURED("wasmograd bench --json")],
    ["pictures", pictures.map(pictureTables).join("\n\n") || NOT_MEASURED("npm run bench:pictures")],
  ]);
}
