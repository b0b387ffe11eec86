/** Pictures as SVG text: real text, a white ground that reads in light and dark themes, numbers to a hundredth of a pixel. */

export const INK = "#1f2328";
export const MUTED = "#59636e";
export const LINE = "#d1d9e0";
/** Okabe and Ito's colours, told apart by most colour-blind eyes as well. */
export const BLUE = "#0072b2";
export const ORANGE = "#e69f00";
export const RED = "#d55e00";
export const GREEN = "#009e73";
export const PURPLE = "#aa4499";
export const BLUE_TINT = "#deebf7";
export const ORANGE_TINT = "#fdebc8";
export const GREY_TINT = "#eff2f5";

export const escaped = (text: string): string =>
  text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
const number = (x: number): string => String(Number(x.toFixed(2)));

type Attributes = Readonly<Record<string, string | number | undefined>>;

export function element(name: string, attributes: Attributes, content?: string): string {
  const list = Object.entries(attributes)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ` ${key}="${typeof value === "number" ? number(value) : escaped(value!)}"`)
    .join("");
  return content === undefined ? `<${name}${list}/>` : `<${name}${list}>${content}</${name}>`;
}

export interface TextStyle {
  readonly size?: number;
  readonly anchor?: "start" | "middle" | "end";
  readonly bold?: boolean;
  readonly fill?: string;
}

/** A line of text; x and y are of its anchor on the base line. */
export function text(x: number, y: number, content: string, style: TextStyle = {}): string {
  const { size = 13, anchor, bold, fill } = style;
  const attributes = {
    x,
    y,
    "font-size": size === 13 ? undefined : size,
    "text-anchor": anchor === "start" ? undefined : anchor,
    "font-weight": bold ? "bold" : undefined,
    fill: fill === INK ? undefined : fill,
  };
  return element("text", attributes, escaped(content));
}

export function rect(x: number, y: number, width: number, height: number, style: Attributes): string {
  return element("rect", { x, y, width, height, ...style });
}

export function line(x1: number, y1: number, x2: number, y2: number, style: Attributes = {}): string {
  return element("line", { x1, y1, x2, y2, stroke: LINE, ...style });
}

export type Marker = "circle" | "square" | "triangle" | "diamond" | "ring";

export function mark(x: number, y: number, marker: Marker, colour: string, hollow = false): string {
  const style = { fill: hollow ? "#ffffff" : colour, stroke: colour, "stroke-width": 1.5 };
  const at = (dx: number, dy: number): string => `${Number((x + dx).toFixed(2))},${Number((y + dy).toFixed(2))}`;
  switch (marker) {
    case "circle":
      return element("circle", { cx: x, cy: y, r: 4.5, ...style });
    case "ring":
      return element("circle", { cx: x, cy: y, r: 6.5, ...style, fill: "none", "stroke-width": 2 });
    case "square":
      return rect(x - 4, y - 4, 8, 8, style);
    case "triangle":
      return element("polygon", { points: [at(0, -5.5), at(5, 4), at(-5, 4)].join(" "), ...style });
    case "diamond":
      return element("polygon", { points: [at(0, -6), at(6, 0), at(0, 6), at(-6, 0)].join(" "), ...style });
  }
}

export interface PictureOptions {
  readonly width?: number;
  readonly height: number;
  /** Read out and shown on hover; the heading is drawn by `heading`. */
  readonly title: string;
  readonly description: string;
  /** Patterns and the like. */
  readonly definitions?: string;
  /** What writes the picture: a script of the repository, or a command. */
  readonly script: string;
}

export const WIDTH = 720;

/** The whole file. */
export function picture(
  { width = WIDTH, height, title, description, definitions, script }: PictureOptions,
  parts: string[],
): string {
  const root = {
    xmlns: "http://www.w3.org/2000/svg",
    width,
    height,
    viewBox: `0 0 ${width} ${height}`,
    role: "img",
    "aria-labelledby": "title description",
    "font-family": "sans-serif",
    "font-size": 13,
    fill: INK,
  };
  const ground = rect(0.5, 0.5, width - 1, height - 1, { rx: 8, fill: "#ffffff", stroke: LINE });
  const lines = [
    `<!-- Written by ${script}; do not edit. -->`,
    element("title", { id: "title" }, escaped(title)),
    element("desc", { id: "description" }, escaped(description)),
    ...(definitions ? [element("defs", {}, definitions)] : []),
    ground,
    ...parts,
  ];
  return `${element("svg", root, `\n${lines.map((part) => `  ${part}\n`).join("")}`)}\n`;
}

/** The title in the picture itself, and a line under it. */
export function heading(title: string, under: string): string[] {
  return [text(20, 30, title, { size: 16, bold: true }), text(20, 51, under, { fill: MUTED })];
}
