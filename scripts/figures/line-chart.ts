/** Panels of lines over a few named positions. */
import {
  BLUE,
  element,
  GREEN,
  INK,
  LINE,
  line,
  type Marker,
  MUTED,
  mark,
  ORANGE,
  PURPLE,
  RED,
  text,
} from "../../src/cli/svg.ts";

export interface Series {
  readonly name: string;
  readonly colour: string;
  readonly marker: Marker;
  /** Heights in pixels above the panel's foot, one a position. */
  readonly heights: readonly number[];
  readonly dashed?: boolean;
}

/** Five looks that differ in colour and shape. */
export const LOOKS: readonly { readonly colour: string; readonly marker: Marker }[] = [
  { colour: RED, marker: "square" },
  { colour: ORANGE, marker: "triangle" },
  { colour: PURPLE, marker: "ring" },
  { colour: BLUE, marker: "circle" },
  { colour: GREEN, marker: "diamond" },
];

export interface Panel {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  readonly title: string;
  /** Labels of the positions, in one or two lines. */
  readonly positions: readonly string[];
  /** Height in pixels and label of each grid line. */
  readonly grid: readonly { readonly height: number; readonly label: string; readonly colour?: string }[];
}

export function panel(
  { left, top, width, height, title, positions, grid }: Panel,
  series: readonly Series[],
): string[] {
  const foot = top + height;
  const x = (i: number): number => left + ((i + 0.5) * width) / positions.length;
  const parts = [text(left, top - 12, title, { bold: true, size: 14 })];
  for (const { height: above, label, colour } of grid) {
    parts.push(
      line(left, foot - above, left + width, foot - above, {
        stroke: colour ?? LINE,
        "stroke-width": colour ? 1.5 : 1,
      }),
    );
    parts.push(text(left - 6, foot - above + 4, label, { anchor: "end", size: 12, fill: colour ?? MUTED }));
  }
  for (const [i, label] of positions.entries()) {
    for (const [row, part] of label.split("\n").entries()) {
      parts.push(text(x(i), foot + 20 + row * 15, part, { anchor: "middle", size: 12, fill: INK }));
    }
  }
  for (const { colour, heights, dashed } of series) {
    const points = heights.map((h, i) => `${Number(x(i).toFixed(2))},${Number((foot - h).toFixed(2))}`).join(" ");
    const dash = dashed ? { "stroke-dasharray": "5 4" } : {};
    parts.push(element("polyline", { points, fill: "none", stroke: colour, "stroke-width": 1.75, ...dash }));
  }
  for (const { colour, marker, heights, dashed } of series) {
    for (const [i, h] of heights.entries()) parts.push(mark(x(i), foot - h, marker, colour, dashed));
  }
  return parts;
}
