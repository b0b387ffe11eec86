/** The front of a search as a picture: cost against non-linear units, narrow enough for a telephone. */
import type { CostUnit } from "../ran/block-costs.ts";
import type { PricedNetwork } from "../ran/search.ts";
import {
  BLUE,
  element,
  GREEN,
  heading,
  LINE,
  line,
  type Marker,
  MUTED,
  mark,
  ORANGE,
  picture,
  RED,
  text,
} from "./svg.ts";
import { ticks } from "./ticks.ts";

export type ChartPoint = Pick<PricedNetwork, "cost" | "units">;

export interface FrontChart {
  readonly device: string;
  readonly unit: CostUnit;
  readonly input: readonly [height: number, width: number];
  /** By rising cost, at least one. */
  readonly front: readonly ChartPoint[];
  /** Networks that are marked by themselves, with the names that the key gives them; at most four. */
  readonly named: readonly (ChartPoint & { readonly name: string })[];
  /** What writes the picture. */
  readonly script: string;
}

const [WIDTH, LEFT, PANEL, TOP, HEIGHT] = [360, 52, 288, 98, 240];
const LOOKS: readonly (readonly [Marker, string])[] = [
  ["square", ORANGE],
  ["triangle", RED],
  ["circle", GREEN],
  ["diamond", BLUE],
];
/** More dots would only be drawn over each other. */
const MOST_DOTS = 200;

const short = (value: number): string => String(Number(value.toPrecision(4)));
/** Cycles of an NPU run into millions. */
const scaled = (value: number, unit: CostUnit): string => short(unit === "ms" ? value : value / 1e6);

export function frontChart({ device, unit, input, front, named, script }: FrontChart): string {
  const all = [...front, ...named];
  const [xs, ys] = [ticks(Math.max(...all.map((p) => p.units))), ticks(Math.max(...all.map((p) => p.cost)))];
  const x = (units: number): number => LEFT + (units / xs.at(-1)!) * PANEL;
  const y = (cost: number): number => TOP + HEIGHT * (1 - cost / ys.at(-1)!);
  const foot = TOP + HEIGHT;
  const axis = unit === "ms" ? "ms" : "million cycles";
  const parts = [
    ...heading("RAN-e networks on a device", `input ${input.join("x")}; accuracy is not predicted`),
    text(20, TOP - 18, `${axis}, sum over blocks`, { size: 12, fill: MUTED }),
  ];
  for (const cost of ys) {
    parts.push(line(LEFT, y(cost), LEFT + PANEL, y(cost)));
    parts.push(text(LEFT - 6, y(cost) + 4, scaled(cost, unit), { anchor: "end", size: 12, fill: MUTED }));
  }
  for (const units of xs) {
    parts.push(line(x(units), foot, x(units), foot + 4, { stroke: MUTED }));
    parts.push(text(x(units), foot + 18, short(units / 1e6), { anchor: "middle", size: 12, fill: MUTED }));
  }
  parts.push(text(LEFT + PANEL / 2, foot + 36, "active non-linear units, millions", { anchor: "middle" }));
  const every = Math.ceil(front.length / MOST_DOTS);
  for (const [i, { cost, units }] of front.entries()) {
    if (i % every === 0 || i === front.length - 1) {
      parts.push(element("circle", { cx: x(units), cy: y(cost), r: 2, fill: MUTED }));
    }
  }
  const key = foot + 62;
  parts.push(line(20, key - 16, WIDTH - 20, key - 16, { stroke: LINE }));
  parts.push(element("circle", { cx: 30, cy: key + 2, r: 2, fill: MUTED }));
  parts.push(text(44, key + 6, "front: no network has as many units for less"));
  for (const [i, { name, cost, units }] of named.entries()) {
    const [marker, colour] = LOOKS[i % LOOKS.length]!;
    const row = key + 22 * (i + 1);
    parts.push(mark(x(units), y(cost), marker, colour), mark(30, row + 2, marker, colour));
    parts.push(text(44, row + 6, `${name}: ${scaled(cost, unit)} ${axis}, ${short(units / 1e6)} M units`));
  }
  const said = named.map(({ name, cost, units }) => `${name} ${scaled(cost, unit)} at ${short(units / 1e6)} M units`);
  const [first, last] = [front[0]!, front.at(-1)!];
  return picture(
    {
      width: WIDTH,
      height: key + 22 * named.length + 22,
      title: "Cost of RAN-e networks against their active non-linear units",
      description:
        `Costs in ${axis} on ${device}. The front of ${front.length} networks rises from ${scaled(first.cost, unit)} at ` +
        `${short(first.units / 1e6)} M units to ${scaled(last.cost, unit)} at ${short(last.units / 1e6)} M units. ${said.join("; ")}.`,
      script,
    },
    parts,
  );
}
