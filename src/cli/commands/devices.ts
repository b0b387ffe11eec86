import { device, deviceIds, deviceOptions } from "../../timing/devices/registry.ts";
import { peakOf } from "../../timing/simulate.ts";
import type { Command } from "../command.ts";
import { grouped, table } from "../terminal.ts";

export const command: Command = {
  spec: { name: "devices", positionals: [], summary: "Lists the devices that simulate knows.", options: {} },

  async run(parsed) {
    const devices = deviceIds().map((id) => {
      const { macsPerCycle, clockHz } = peakOf(device(id));
      return { id, macsPerCycle, clockHz, ...deviceOptions(id) };
    });
    if (parsed.flag("json")) {
      process.stdout.write(`${JSON.stringify({ devices })}\n`);
      return;
    }
    const words = (list: readonly string[]): string => (list.length === 0 ? "-" : list.join(" "));
    const rows = devices.map(({ id, macsPerCycle, clockHz, systems, memories, metrics }) => [
      id,
      grouped(macsPerCycle),
      `${grouped(clockHz / 1e6)} MHz`,
      [systems, memories, metrics]
        .filter(({ length }) => length > 0)
        .map(words)
        .join("; "),
    ]);
    const header = ["device", "MACs a cycle", "clock", "--system; --memory or --metric, defaults first"];
    process.stdout.write(table(header, rows, { lastLeft: true }));
  },
};
