import { cells, HEADER, markdown, rowsOf } from "../../reproduction/format.ts";
import type { Group } from "../../reproduction/published.ts";
import { reproduce } from "../../reproduction/reproduce.ts";
import type { Command } from "../command.ts";
import { UsageError } from "../options.ts";
import { table } from "../terminal.ts";

export const command: Command = {
  spec: {
    name: "reproduce",
    positionals: [],
    summary:
      "Puts the papers' figures beside ours, row by row: counts, NPU estimates, Winograd's reductions.\n" +
      "Ours are computed now; times are estimates on both sides. What holds of the NPU's model: docs/timing-model.md.",
    options: {
      markdown: { type: "boolean", help: "print tables in Markdown, with sources" },
    },
  },

  async run(parsed) {
    if (parsed.flag("json") && parsed.flag("markdown")) throw new UsageError("--markdown: expected without --json");
    const report = reproduce();
    if (parsed.flag("json")) {
      process.stdout.write(`${JSON.stringify(report)}\n`);
      return;
    }
    if (parsed.flag("markdown")) {
      process.stdout.write(`${markdown(report)}\n\n\\* not confirmed\n`);
      return;
    }
    for (const [group, title] of Object.entries(report.groups)) {
      const rows = rowsOf(report, group as Group).map(cells);
      process.stdout.write(`${title}\n\n${table(HEADER, rows, { lastLeft: true })}\n`);
    }
    process.stdout.write("* not confirmed: known from memory of the paper only; ratio: ours over published\n");
  },
};
