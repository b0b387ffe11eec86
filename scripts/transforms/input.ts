/**
 * Emits the input transform V = B^T d B of a run of neighbouring tiles: columns into the workspace, each once though tiles overlap, then the
 * rows of each tile into the planes.
 */
import type { Transforms } from "../../src/winograd/transforms.ts";
import { F32, I16, type Lanes } from "./lanes.ts";
import type { PlaneLayout } from "./layout.ts";
import { StraightLine } from "./straight-line.ts";
import { TILES } from "./tiling.ts";

const at = (pointer: string, bytes: number): string => (bytes === 0 ? pointer : `${pointer} + ${bytes}`);
const planesFrom = (pointer: string, count: number): string =>
  count === 0 ? pointer : count === 1 ? `${pointer} + plane` : `${pointer} + plane * ${count}`;
const load = (pointer: string, bytes: number): string =>
  bytes === 0 ? `v128.load(${pointer})` : `v128.load(${pointer}, ${bytes})`;

/** Stores the three left factors a+b, a, b of a pair and moves `to` on, past the last one only if asked. */
function storePair(lanes: Lanes, a: string, b: string, last: boolean): string[] {
  return [
    `v128.store(to, ${lanes.add(a, b)});`,
    "to += plane;",
    `v128.store(to, ${a});`,
    "to += plane;",
    `v128.store(to, ${b});`,
    ...(last ? [] : ["to += plane;"]),
  ];
}

/**
 * `real_row`: one row of a real vertical point into its real planes (`real`) and its pairs (`to`); or, without pairs, `real_rows`: all of
 * them. @param rowBytes between rows of the workspace
 */
function realRow({ horizontal }: Transforms, layout: PlaneLayout, lanes: Lanes, rowBytes: number): string[] {
  const { horizontal: h } = layout;
  const lines: string[] = [];
  const row = new StraightLine(lines, horizontal.input, {
    lanes,
    prefix: "t",
    inputs: horizontal.input.inputs.map((_, x) => load("from", x * 16)),
  });
  for (const [k, column] of h.real.entries()) {
    lines.push(`v128.store(real, ${row.output(column)});`);
    if (k < h.real.length - 1) lines.push("real += plane;");
  }
  for (const [q, { r, s }] of h.pairs.entries()) {
    const [a, b] = [row.output(r), row.output(s)];
    lines.push(...storePair(lanes, a, b, q === h.pairs.length - 1));
  }
  if (layout.pairless) {
    return [
      "/** All rows of a tile, into planes from `real` on. One call a tile: calls cost as much as a third of a row. */",
      "function real_rows(from: usize, real: usize, plane: usize): void {",
      `for (let i = 0; i < ${layout.vertical.real.length}; i++, from += ${rowBytes}, real += plane) {`,
      ...lines,
      "}",
      "}",
    ];
  }
  const pair = h.pairs.length > 0 ? "to: usize, " : "";
  return [
    `/** A row of a real vertical point: real planes from \`real\` on${pair && ", its pairs from `to` on"}. */`,
    `function real_row(from: usize, real: usize, ${pair}plane: usize): void {`,
    ...lines,
    "}",
  ];
}

/** `pair_rows`: rows R and S of a vertical pair into the pairs with real columns and the corner blocks. */
function pairRows({ horizontal }: Transforms, { horizontal: h }: PlaneLayout, lanes: Lanes): string[] {
  const lines: string[] = [];
  const rowOf = (prefix: string, pointer: string): StraightLine =>
    new StraightLine(lines, horizontal.input, {
      lanes,
      prefix,
      inputs: horizontal.input.inputs.map((_, x) => load(pointer, x * 16)),
      reload: true,
    });
  const [R, S] = [rowOf("r", "rowR"), rowOf("s", "rowS")];
  for (const [k, column] of h.real.entries()) {
    const last = h.pairs.length === 0 && k === h.real.length - 1;
    const [a, b] = [R.output(column), S.output(column)];
    lines.push(...storePair(lanes, a, b, last));
  }
  for (const [q, { r, s }] of h.pairs.entries()) {
    const [rr, ss] = [R.output(r), S.output(s)];
    const [rs, sr] = [R.output(s), S.output(r)];
    lines.push(`const re${q} = ${lanes.sub(rr, ss)}, im${q} = ${lanes.add(rs, sr)};`);
    lines.push(...storePair(lanes, `re${q}`, `im${q}`, false));
    lines.push(`const re${q}c = ${lanes.add(rr, ss)}, im${q}c = ${lanes.sub(sr, rs)};`);
    lines.push(...storePair(lanes, `re${q}c`, `im${q}c`, q === h.pairs.length - 1));
  }
  return [
    "/** Rows R and S of a vertical pair: its pairs with real columns, then the corner blocks, from `to` on. */",
    "function pair_rows(rowR: usize, rowS: usize, to: usize, plane: usize): void {",
    ...lines,
    "}",
  ];
}

/** Columns that a full group of neighbouring tiles reads. */
export function columnsOf({ m, n }: { readonly m: number; readonly n: number }): number {
  return (TILES - 1) * m + n;
}

/** Helper functions, and the statements of the method. */
export function emitInput(
  transforms: Transforms,
  layout: PlaneLayout,
  dtype: "s8" | "f32",
): { readonly helpers: string[]; readonly method: string[] } {
  const lanes = dtype === "s8" ? I16 : F32;
  const { nested, vertical } = transforms;
  const { m, n: width } = nested.horizontal.algorithm;
  const { n } = nested.vertical.algorithm;
  const { vertical: v, horizontal: h } = layout;
  /** Bytes between rows of the workspace, which holds the columns of a whole group of tiles. */
  const rowBytes = 16 * columnsOf(nested.horizontal.algorithm);

  const column: string[] = [];
  for (let y = 0; y < n; y++) {
    column.push(`const d${y} = ${dtype === "s8" ? "v128.load8x8_s" : "v128.load"}(row);`);
    if (y < n - 1) column.push("row += rowStride;");
  }
  const line = new StraightLine(column, vertical.input, {
    lanes,
    prefix: "t",
    inputs: vertical.input.inputs.map((_, y) => `d${y}`),
  });
  for (let j = 0; j < n; j++) {
    const offset = j * rowBytes;
    const value = line.output(j);
    column.push(offset === 0 ? `v128.store(column, ${value});` : `v128.store(column, ${value}, ${offset});`);
  }

  const rows = layout.pairless
    ? ["real_rows(from, at, plane);"]
    : v.real.map((row, i) => {
        const real = planesFrom("at", layout.realPlane(i, 0));
        const pair = h.pairs.length > 0 ? `${planesFrom("at", layout.rowPair(i, 0))}, ` : "";
        return `real_row(${at("from", row * rowBytes)}, ${real}, ${pair}plane);`;
      });
  const pairs = v.pairs.map(({ r, s }, p) => {
    const [rowR, rowS] = [at("from", r * rowBytes), at("from", s * rowBytes)];
    return `pair_rows(${rowR}, ${rowS}, ${planesFrom("at", layout.columnPair(p, 0))}, plane);`;
  });
  const [lanesPerStep, bytes] = dtype === "s8" ? [8, 8] : [4, 16];
  return {
    helpers: [
      ...realRow(transforms, layout, lanes, rowBytes),
      "",
      ...(v.pairs.length > 0 ? [...pairRows(transforms, layout, lanes), ""] : []),
    ],
    method: [
      `for (let c = 0; c < channels; c += ${lanesPerStep}, tile += ${bytes}, to += 16) {`,
      "let pixel = tile, column = workspace;",
      `for (let x = (count - 1) * ${m} + ${width}; x > 0; x--, pixel += pixelStride, column += 16) {`,
      "let row = pixel;",
      ...column,
      "}",
      "let from = workspace, at = to;",
      `for (let i = 0; i < count; i++, from += ${m * 16}, at += tileStep) {`,
      ...rows,
      ...pairs,
      "}",
      "}",
    ],
  };
}
