/** Tables of whole networks and detectors: what `npm run bench:networks` wrote. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { absolute, type Blocks, table } from "../documents.ts";

const FOLDER = "bench/results";
const FILE = `${FOLDER}/networks-node20.json`;
const TRANSFORMERS = /^networks-transformers-node\d+\.json$/;

interface Spread {
  readonly median: number;
  readonly lower: number;
  readonly upper: number;
}

interface NetworkResults {
  readonly machine: { readonly cpu: string; readonly cores: number; readonly runtime: string; readonly date: string };
  readonly load: readonly number[];
  readonly versions: Readonly<Record<string, string>>;
  readonly settings: { readonly rounds: number; readonly slowRounds: number };
  readonly cases: readonly {
    readonly name: string;
    readonly entries: readonly {
      readonly name: string;
      readonly macs: number | null;
      readonly ms: Spread;
      readonly gmacPerSecond: number | null;
      readonly memoryBytes: number | null;
    }[];
    readonly ratios: readonly { readonly of: string; readonly over: string; readonly time: Spread }[];
  }[];
}

const digits = (x: number): string => (x < 1000 ? x.toPrecision(3) : x.toFixed(0));

function caseTables({ name, entries, ratios }: NetworkResults["cases"][number]): string {
  const rows = entries.map((e) => [
    e.name,
    e.macs === null ? "" : digits(e.macs / 1e6),
    `${digits(e.ms.median)} (${digits(e.ms.lower)} to ${digits(e.ms.upper)})`,
    e.gmacPerSecond === null ? "" : e.gmacPerSecond.toFixed(1),
    e.memoryBytes === null ? "" : (e.memoryBytes / 2 ** 20).toFixed(0),
  ]);
  const pairs = ratios.map(({ of, over, time }) => [of, over, `${(1 / time.median).toFixed(2)}x`]);
  return [
    `**${name}**`,
    table(["network", "M MACs", "ms (quartiles)", "GMAC/s", "MiB"], rows),
    table(["this", "against", "as fast"], pairs),
  ].join("\n\n");
}

function section(file: string, suite: string, slow: (rounds: number) => string): string {
  const { machine, load, versions, settings, cases } = JSON.parse(
    readFileSync(absolute(file), "utf8"),
  ) as NetworkResults;
  const note =
    `*Measured ${machine.date} by \`npm run bench:networks${suite}\` on ${machine.cpu}, ${machine.cores} cores, ${machine.runtime}, one thread, ` +
    `${settings.rounds} rounds in turns${slow(settings.slowRounds)}, random weights; load of the machine ${Math.min(...load)} to ${Math.max(...load)}, ` +
    `where 1 is this measurement; onnxruntime-web ${versions["onnxruntime-web"]}.*`;
  return [...cases.map(caseTables), note].join("\n\n");
}

function transformers(): string {
  const files = existsSync(absolute(FOLDER)) ? readdirSync(absolute(FOLDER)) : [];
  const found = files.filter((name) => TRANSFORMERS.test(name)).sort();
  const sections = found.map((name) => section(`${FOLDER}/${name}`, " -- --suite transformers", () => ""));
  return sections.join("\n\n") || "*Not measured: `npm run bench:networks -- --suite transformers`.*";
}

export function networkBlocks(): Blocks {
  const networks = existsSync(absolute(FILE))
    ? section(FILE, "", (rounds) => ` (detectors ${rounds})`)
    : "*Not measured: `npm run bench:networks`.*";
  return new Map([
    ["networks", networks],
    ["networks-transformers", transformers()],
  ]);
}
