// Draws docs/images/training-curves.svg: how the x2 networks' PSNR rose with the crops they saw, from training/curves.json.
// usage: npx tsx scripts/training-curves.ts [--check]    --check writes nothing, fails when the file differs from what would be written
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { element, heading, LINE, line, MUTED, mark, picture, text } from "../src/cli/svg.ts";
import { absolute, writeOrCheck } from "./documents.ts";
import { LOOKS } from "./figures/line-chart.ts";

const SCRIPT = "scripts/training-curves.ts";
const NETWORKS = ["m3", "m5", "m7", "m11", "xl"];
/** Of each set: its column in a point, and the range drawn, in dB. */
const SETS = [
  { set: "Set5", column: 1, least: 36.8, most: 37.7 },
  { set: "Set14", column: 2, least: 32.5, most: 33.3 },
] as const;
const [TOP, HEIGHT, WIDTH, LEFTS] = [98, 300, 284, [72, 418]] as const;

/** Iteration, minutes of computing, PSNR on Set5 and on Set14, of the moving average of the weights. */
type Point = readonly [number, number, number, number];
interface Run {
  readonly network: string;
  readonly stage: string;
  /** How many times eight crops an iteration. */
  readonly batch: number;
  readonly points: readonly Point[];
}

/** Crops seen, PSNR on Set5 and on Set14. */
type Seen = readonly [number, number, number];
/** Ticks of the axis of crops, which is logarithmic. */
const TICKS = [30e3, 100e3, 300e3, 1e6, 3e6];
const MOST_CROPS = 6e6;

/** How the lines of the stages before the last ones are dashed. */
const DASHES: Readonly<Record<string, string>> = { adam: "5 4", soap: "1.5 3" };

/** A network's runs, one after the other in time. */
function inTime(runs: readonly Run[]): { readonly stage: string; readonly points: Seen[] }[] {
  let before = 0;
  return runs.map(({ stage, batch, points }) => {
    const moved = points.map(([i, , ...psnr]): Seen => [before + 8 * batch * i, ...psnr]);
    before = moved.at(-1)![0];
    return { stage, points: moved };
  });
}

function chart(all: readonly Run[]): string {
  const networks = NETWORKS.map((name) => inTime(all.filter(({ network }) => network === `${name}-x2`)));
  const parts = heading(
    "PSNR of the x2 networks by the crops that each has seen",
    "dB against crops. Dashed: Adam; dotted: SOAP; lines: a richer pool and a teacher, at last on a GPU.",
  );
  for (const [s, { set, column, least, most }] of SETS.entries()) {
    const left = LEFTS[s]!;
    const foot = TOP + HEIGHT;
    const x = (crops: number): number =>
      left + (Math.log(crops / TICKS[0]!) / Math.log(MOST_CROPS / TICKS[0]!)) * WIDTH;
    const y = (db: number): number => foot - (HEIGHT * (db - least)) / (most - least);
    parts.push(text(left, TOP - 12, set, { bold: true, size: 14 }));
    for (let tenth = Math.round(10 * least); tenth <= Math.round(10 * most); tenth++) {
      parts.push(line(left, y(tenth / 10), left + WIDTH, y(tenth / 10), { stroke: LINE }));
      parts.push(text(left - 6, y(tenth / 10) + 4, (tenth / 10).toFixed(1), { anchor: "end", size: 12, fill: MUTED }));
    }
    for (const crops of TICKS) {
      const named = crops < 1e6 ? `${crops / 1e3}k` : `${crops / 1e6}M`;
      parts.push(text(x(crops), foot + 20, named, { anchor: "middle", size: 12, fill: MUTED }));
    }
    for (const [n, runs] of networks.entries()) {
      const { colour, marker } = LOOKS[n]!;
      for (const { stage, points } of runs) {
        const drawn = points.filter((point) => point[0] >= TICKS[0]! && point[column] >= least);
        const path = drawn.map((point) => `${x(point[0]).toFixed(1)},${y(point[column]).toFixed(1)}`).join(" ");
        const dash = stage in DASHES ? { "stroke-dasharray": DASHES[stage]! } : {};
        parts.push(element("polyline", { points: path, fill: "none", stroke: colour, "stroke-width": 1.75, ...dash }));
        const last = drawn.at(-1);
        if (last) parts.push(mark(x(last[0]), y(last[column]), marker, colour, stage in DASHES));
      }
    }
  }
  const key = TOP + HEIGHT + 52;
  for (const [n, name] of NETWORKS.entries()) {
    const at = 80 + n * 120;
    parts.push(mark(at, key, LOOKS[n]!.marker, LOOKS[n]!.colour), text(at + 14, key + 4, `SESR-${name.toUpperCase()}`));
  }
  return picture(
    {
      script: SCRIPT,
      height: key + 22,
      title: "PSNR of the x2 networks on Set5 and Set14 over training",
      description:
        "Two panels. Each network is flat at the end of its dashed and its dotted line, and rises once more with a richer pool and a teacher. XL without one stays where it is over ten times as many crops.",
    },
    parts,
  );
}

const { values } = parseArgs({ options: { check: { type: "boolean" } } });
const runs = JSON.parse(readFileSync(absolute("training/curves.json"), "utf8")) as Run[];
writeOrCheck(SCRIPT, new Map([["docs/images/training-curves.svg", chart(runs)]]), values.check ?? false);
