/**
 * Emits the output transform scale * Y = A^T M A of one tile and four output channels: columns into the workspace, then rows into a sink.
 *
 * Plane p of the products lies at m + p * STRIDE, a constant, so that every load is one instruction.
 */
import type { Transforms } from "../../src/winograd/transforms.ts";
import { F32, I32, type Lanes } from "./lanes.ts";
import type { PlaneLayout } from "./layout.ts";
import { StraightLine } from "./straight-line.ts";

/** Stores the outputs of a column, rows `rowBytes` apart. */
function storeColumn(line: StraightLine, lines: string[], rows: number, rowBytes: number, to: string): void {
  for (let y = 0; y < rows; y++) {
    const value = line.output(y);
    lines.push(y === 0 ? `v128.store(${to}, ${value});` : `v128.store(${to}, ${value}, ${y * rowBytes});`);
  }
}

const loadPlane = (pointer: string, plane: number): string =>
  plane === 0 ? `v128.load(${pointer})` : `v128.load(${pointer}, ${plane === 1 ? "STRIDE" : `STRIDE * ${plane}`})`;

interface Emission {
  readonly helpers: string[];
  /** Body of the method that transforms columns. */
  readonly columns: string[];
  /** Body of the method that transforms row y of the workspace, or both rows, and calls the sink. */
  readonly rows: string[];
  /** The same for eight channels, those from the fifth on with a workspace of their own behind the first; empty for tiles of 2 x 2. */
  readonly wideRows: string[];
}

/** `real_column`: planes of a real horizontal point, from `real` and, for vertical pairs, from `pair` on. */
function realColumn({ nested, vertical }: Transforms, layout: PlaneLayout, lanes: Lanes): string[] {
  const { vertical: v, horizontal: h } = layout;
  const lines: string[] = [];
  const inputs: string[] = [];
  for (const [i, row] of v.real.entries()) inputs[row] = loadPlane("real", i * h.real.length);
  for (const [p, { r, s }] of v.pairs.entries()) {
    const first = 3 * p * h.real.length;
    lines.push(`const k${p} = ${loadPlane("pair", first)};`);
    inputs[r] = lanes.sub(`k${p}`, loadPlane("pair", first + 2));
    inputs[s] = lanes.add(`k${p}`, loadPlane("pair", first + 1));
  }
  const line = new StraightLine(lines, vertical.output, { lanes, prefix: "t", inputs });
  storeColumn(line, lines, nested.vertical.algorithm.m, nested.horizontal.algorithm.n * 16, "to");
  if (layout.pairless) {
    return [
      "/** All columns. One call a tile, as for the rows of the input. */",
      "function real_columns(real: usize, to: usize): void {",
      `for (let i = 0; i < ${h.real.length}; i++, real += STRIDE, to += 16) {`,
      ...lines,
      "}",
      "}",
    ];
  }
  const pair = v.pairs.length > 0 ? "pair: usize, " : "";
  return [
    "/** The column of a real horizontal point. */",
    `function real_column(real: usize, ${pair}to: usize): void {`,
    ...lines,
    "}",
  ];
}

/** Columns R and S of a horizontal pair, in one block each. */
function pairColumns({ nested, vertical }: Transforms, layout: PlaneLayout, lanes: Lanes): string[] {
  const { vertical: v, horizontal: h } = layout;
  const lines: string[] = [];
  const real = (first: number): string => lanes.sub(loadPlane("m", first), loadPlane("m", first + 2));
  const imaginary = (first: number): string => lanes.add(loadPlane("m", first), loadPlane("m", first + 1));
  for (const [q, { r, s }] of h.pairs.entries()) {
    for (const part of [r, s]) {
      const block: string[] = [];
      const inputs: string[] = [];
      for (const [i, row] of v.real.entries()) {
        const first = layout.rowPair(i, q);
        inputs[row] = part === r ? real(first) : imaginary(first);
      }
      for (const [p, rows] of v.pairs.entries()) {
        const [P, Q] = [layout.corner(p, q, false), layout.corner(p, q, true)];
        inputs[rows.r] = part === r ? lanes.add(real(P), real(Q)) : lanes.sub(imaginary(P), imaginary(Q));
        inputs[rows.s] = part === r ? lanes.add(imaginary(P), imaginary(Q)) : lanes.sub(real(Q), real(P));
      }
      const line = new StraightLine(block, vertical.output, { lanes, prefix: "t", inputs });
      const rowBytes = nested.horizontal.algorithm.n * 16;
      storeColumn(line, block, nested.vertical.algorithm.m, rowBytes, `workspace + ${part * 16}`);
      lines.push("{", ...block, "}");
    }
  }
  return lines;
}

export function emitOutput(transforms: Transforms, layout: PlaneLayout, dtype: "s8" | "f32"): Emission {
  const lanes = dtype === "s8" ? I32 : F32;
  const { nested, horizontal } = transforms;
  const { vertical: v, horizontal: h } = layout;
  const [rows, width] = [nested.horizontal.algorithm.m, nested.horizontal.algorithm.n];
  const inverse = dtype === "s8" && nested.result.odd !== 1n ? (nested.result.inverse | 0).toString() : undefined;

  const columns = layout.pairless
    ? ["real_columns(m, workspace);"]
    : h.real.map((column, k) => {
        const real = k === 0 ? "m" : `m + STRIDE * ${k}`;
        const pair = v.pairs.length > 0 ? `m + STRIDE * ${layout.columnPair(0, k)}, ` : "";
        const to = column === 0 ? "workspace" : `workspace + ${column * 16}`;
        return `real_column(${real}, ${pair}${to});`;
      });

  /** @param offset in vectors of the workspace */
  const rowOf = (lines: string[], prefix: string, offset: number): string[] => {
    const inputs = horizontal.output.inputs.map((_, x) =>
      x + offset === 0 ? "v128.load(workspace)" : `v128.load(workspace, ${(x + offset) * 16})`,
    );
    const line = new StraightLine(lines, horizontal.output, { lanes, prefix, inputs });
    return Array.from({ length: rows }, (_, x) => {
      const value = line.output(x);
      return inverse === undefined ? value : `i32x4.mul(${value}, inverse)`;
    });
  };
  const prologue: string[] = inverse === undefined ? [] : [`const inverse = i32x4.splat(${inverse});`];
  const body = [...prologue];
  const wideRows: string[] = [];
  if (rows === 4) {
    const place = "p, tile, oy + y, ox, oc, y";
    const loop: string[] = [];
    const values = rowOf(loop, "t", 0);
    loop.push(`sink.row(${place}, ${values.join(", ")});`);
    const last = "const end = min(4, p.rowEnd - oy);";
    body.push(last, `for (let y = 0; y < end; y++, workspace += ${width * 16}) {`, ...loop, "}");
    const wide: string[] = [];
    const [low, high] = [rowOf(wide, "t", 0), rowOf(wide, "u", rows * width)];
    wide.push(`sink.wideRow(${place}, ${[...low, ...high].join(", ")});`);
    wideRows.push(...prologue, last, `for (let y = 0; y < end; y++, workspace += ${width * 16}) {`, ...wide, "}");
  } else {
    const top = rowOf(body, "t", 0);
    const bottom = rowOf(body, "u", width);
    body.push(`sink.block(p, tile, oy, ox, oc, ${[...top, ...bottom].join(", ")});`);
  }
  return {
    helpers: [...realColumn(transforms, layout, lanes), ""],
    columns: [...columns, ...pairColumns(transforms, layout, lanes)],
    rows: body,
    wideRows,
  };
}
