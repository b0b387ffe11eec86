/** Bits of the transformed input and filter, worst case, beside int16. */

import { BLUE, element, heading, INK, line, MUTED, ORANGE, picture, RED, rect, text } from "../../src/cli/svg.ts";
import { CATALOGUE, nestedOf } from "../../src/winograd/catalogue.ts";
import { growth } from "../../src/winograd/growth.ts";
import { algorithmTable, type TableRow } from "../../src/winograd/summary.ts";
import { SCRIPT } from "./script.ts";

const [LEFT, TOP, BIT, ROW] = [280, 104, 20, 38];
const INT16 = 16;

/** Filter bits with the doubling of conjugate pairs in the filter, as kernels store it. */
export function storedBits({ title, form }: Pick<TableRow, "title" | "form">): number {
  const { id } = CATALOGUE.find((entry) => entry.title === title)!;
  return growth(nestedOf(id, { form, doubling: "filter" })).filter.bits;
}

export function bitGrowth(): string {
  const rows = algorithmTable();
  const most = Math.max(...rows.flatMap((row) => [row.input.bits, row.filter.bits]));
  const x = (bits: number): number => LEFT + bits * BIT;
  const bottom = TOP + rows.length * ROW;
  const parts = heading(
    "How wide int8 values get in the transformed domain",
    "Worst case over all data, two's complement bits. What passes 16 bits has no int16 kernel.",
  );
  for (let bits = 0; bits <= most; bits += 4) {
    parts.push(line(x(bits), TOP - 8, x(bits), bottom));
    parts.push(text(x(bits), bottom + 20, String(bits), { anchor: "middle", fill: MUTED }));
  }
  parts.push(line(x(INT16), TOP - 22, x(INT16), bottom, { stroke: RED, "stroke-width": 2 }));
  parts.push(text(x(INT16) + 6, TOP - 12, "int16", { fill: RED, bold: true }));
  for (const [i, row] of rows.entries()) {
    const y = TOP + i * ROW;
    parts.push(
      text(20, y + 21, `${row.title} ${row.formName}`, { bold: row.kernels.some((k) => k.startsWith("qs8")) }),
    );
    const bar = (top: number, bits: number, stored: number, fill: string, ink: string): void => {
      const inside = Math.min(bits, INT16);
      parts.push(rect(x(0), top, inside * BIT, 15, { fill }));
      if (bits > INT16) parts.push(rect(x(INT16), top, (bits - INT16) * BIT, 15, { fill: RED }));
      if (stored > bits)
        parts.push(rect(x(bits), top, (stored - bits) * BIT, 15, { fill: "url(#hatch)", stroke: fill }));
      const label = stored > bits ? `${bits}, as stored ${stored}` : String(bits);
      parts.push(text(x(inside) - 6, top + 12, label, { anchor: "end", size: 12, fill: ink, bold: bits > INT16 }));
    };
    bar(y + 1, row.input.bits, row.input.bits, BLUE, "#ffffff");
    bar(y + 17, row.filter.bits, storedBits(row), ORANGE, INK);
  }
  const key = bottom + 42;
  parts.push(rect(20, key - 11, 13, 13, { fill: BLUE }), text(40, key, "input, of -128 to 127"));
  parts.push(rect(206, key - 11, 13, 13, { fill: ORANGE }), text(226, key, "filter, of -127 to 127"));
  parts.push(text(404, key, "bold: has an int8 kernel", { bold: true }));
  parts.push(rect(20, key + 11, 13, 13, { fill: "url(#hatch)", stroke: ORANGE }));
  parts.push(
    text(40, key + 22, "as stored: filters of conjugate pairs doubled, so that the output transform need not"),
  );
  const stripe = element("path", { d: "M-1,1 l2,-2 M0,6 l6,-6 M5,7 l2,-2", stroke: ORANGE, "stroke-width": 2 });
  const hatch = { id: "hatch", width: 6, height: 6, patternUnits: "userSpaceOnUse" };
  return picture(
    {
      script: SCRIPT,
      height: key + 42,
      title: "Bit growth of the Winograd algorithms",
      description: `For each of ${rows.length} algorithms and forms the bits of transformed int8 inputs and filters: ${rows
        .map((row) => `${row.title} ${row.formName} ${row.input.bits} and ${row.filter.bits}`)
        .join("; ")}.`,
      definitions: element("pattern", hatch, stripe),
    },
    parts,
  );
}
