/** PSNR lost on pictures by granularity and bits, from docs/images/winograd-psnr.json. */

import { heading, INK, LINE, line, MUTED, mark, picture, text } from "../../src/cli/svg.ts";
import { GRANULARITIES } from "../../src/winograd/filter-scaling.ts";
import { LOOKS, panel } from "./line-chart.ts";
import { PSNR_ALGORITHMS, type PsnrMeasurement } from "./psnr.ts";
import { SCRIPT } from "./script.ts";

/** The loss that counts as none, as `wasmograd verify` has it. */
export const AIM_DB = 0.05;
const [TOP, HEIGHT, PANEL, FIRST, SECOND] = [98, 270, 284, 72, 418];
/** Logarithmic; what is smaller is drawn at the foot. */
const [LEAST, MOST] = [0.001, 2];
const BIT_LOOKS = [LOOKS[0]!, LOOKS[3]!, LOOKS[4]!];

export function psnrChart({ bits, sets, machine, runtime, date }: PsnrMeasurement): string {
  const above = (loss: number): number => (HEIGHT * Math.log(Math.max(loss, LEAST) / LEAST)) / Math.log(MOST / LEAST);
  const grid = [
    ...[0.01, 0.1, 1].map((db) => ({ height: above(db), label: String(db) })),
    { height: 0, label: `≤ ${LEAST}` },
    { height: above(AIM_DB), label: String(AIM_DB), colour: INK },
  ];
  const parts = heading(
    "PSNR lost by filters in fewer bits, SESR-M5 x2 in int8",
    `dB, logarithmic, against exact filters. Measured ${date} on ${machine}, ${runtime}.`,
  );
  const positions = GRANULARITIES.map((name) => name.replace("-", "-\n"));
  for (const [s, { set, pictures, losses }] of sets.entries()) {
    const left = s === 0 ? FIRST : SECOND;
    const series = PSNR_ALGORITHMS.flatMap((algorithm) =>
      bits.map((width, b) => ({
        name: `${width} bits`,
        ...BIT_LOOKS[b]!,
        heights: GRANULARITIES.map((granularity) => above(losses[algorithm][granularity][b]!)),
        dashed: algorithm === "winograd",
      })),
    );
    const title = `${set}, mean of ${pictures} pictures`;
    parts.push(...panel({ left, top: TOP, width: PANEL, height: HEIGHT, title, positions, grid }, series));
  }
  const key = TOP + HEIGHT + 74;
  parts.push(line(20, key - 20, 700, key - 20, { stroke: LINE }));
  for (const [b, width] of bits.entries()) {
    const x = 32 + b * 92;
    parts.push(mark(x, key, BIT_LOOKS[b]!.marker, BIT_LOOKS[b]!.colour), text(x + 14, key + 4, `${width} bits`));
  }
  parts.push(
    line(316, key, 346, key, { stroke: MUTED, "stroke-width": 1.75 }),
    text(354, key + 4, "five 3x3 layers"),
    line(486, key, 516, key, { stroke: MUTED, "stroke-width": 1.75, "stroke-dasharray": "5 4" }),
    text(524, key + 4, "two 5x5 layers as well"),
  );
  const tap = sets.map(({ set, losses }) => `${set} ${losses["f4x4-3x3-complex"].tap[bits.indexOf(9)]!.toFixed(4)}`);
  return picture(
    {
      script: SCRIPT,
      height: key + 22,
      title: "PSNR lost by scaled filters on Set5 and Set14",
      description: `Two panels of lines falling from coarse to fine granularity. With 9 bits a tap in the 3x3 layers: ${tap.join(", ")} dB; the aim is at most ${AIM_DB} dB.`,
    },
    parts,
  );
}
