/** Rows of a reproduction as cells of text, and as Markdown. */
import type { Group } from "./published.ts";
import type { ReproductionReport, ReproductionRow } from "./reproduce.ts";

export const HEADER = ["figure", "published", "ours", "ratio", "how"] as const;

/** Digits enough for the ratio to be believed: four. */
function figure(value: number, unit: ReproductionRow["unit"]): string {
  const places = Math.max(0, 3 - Math.floor(Math.log10(Math.abs(value) || 1)));
  return `${value.toFixed(Math.min(places, 4))}${unit === "x" ? "x" : ` ${unit}`}`;
}

const publishedText = ({ published, unit, confirmed }: ReproductionRow): string =>
  `${published}${unit === "x" ? "x" : ` ${unit}`}${confirmed ? "" : " *"}`;

/** One row, in the order of `HEADER`; an asterisk marks what is not confirmed. */
export function cells(row: ReproductionRow): string[] {
  const { what, ours, ratio, reading, kind, assumptions, unit } = row;
  return [
    what,
    publishedText(row),
    ours === null ? "-" : figure(ours, unit),
    ratio === null ? "-" : ratio.toFixed(3),
    [kind, ...(reading ? [reading] : []), assumptions].join("; "),
  ];
}

export function rowsOf({ rows }: ReproductionReport, group: Group): readonly ReproductionRow[] {
  return rows.filter((row) => row.group === group);
}

/** What is the same all over a group is said once beneath its table. */
function shared(rows: readonly ReproductionRow[]): ReadonlyMap<string, number> {
  const notes = [...new Set(rows.map(({ assumptions }) => assumptions))];
  return new Map(notes.map((note, i) => [note, i + 1]));
}

/** A heading, a table and numbered assumptions for each group. @param level of headings, as many as there are # signs */
export function markdown(report: ReproductionReport, level = 2): string {
  const line = (row: readonly string[]): string => `| ${row.join(" | ")} |`;
  const sections = Object.entries(report.groups).map(([group, title]) => {
    const rows = rowsOf(report, group as Group);
    const notes = shared(rows);
    const body = rows.map((row) => {
      const { source, reading, assumptions } = row;
      const [what, published, ours, ratio] = cells(row);
      return line([
        `${what}`,
        published!,
        source,
        ours!,
        ratio!,
        `${reading ? `${reading} ` : ""}[${notes.get(assumptions)}]`,
      ]);
    });
    const header = line(["figure", "published", "source", "ours", "ratio", "how"]);
    const list = [...notes].map(([note, i]) => `- [${i}] ${note}`.replace(/(.{1,130})(?: |$)/g, "$1\n  ").trimEnd());
    return [`${"#".repeat(level)} ${title}`, "", header, `|${"---|".repeat(6)}`, ...body, "", ...list].join("\n");
  });
  return sections.join("\n\n");
}
