import { cpus } from "node:os";
import { runSuite, SUITES } from "../../bench/suite.ts";
import type { Command } from "../command.ts";
import { choiceOption } from "../options.ts";
import { progressLine, table } from "../terminal.ts";

export const command: Command = {
  spec: {
    name: "bench",
    positionals: [],
    summary:
      "Measures this machine's roofline and the kernels, one thread.\n" +
      "GMAC/s count the multiply-accumulates of the direct convolution, so Winograd may pass the roofline. Kernels of one layer\n" +
      "are timed alternately with the roofline; ratios are medians over the rounds.",
    options: { suite: { type: "string", value: "NAME", help: `${SUITES.join(", ")}; all by default` } },
  },

  async run(parsed, signal) {
    const suite = choiceOption(parsed, "suite", SUITES, "all");
    const progress = progressLine();
    const { roofline, kernels } = await runSuite(suite, {
      signal,
      onProgress: (fraction, name) => progress.update(fraction, name),
    }).finally(() => progress.clear());
    const machine = {
      cpu: cpus()[0]?.model.trim() ?? "unknown",
      arch: process.arch,
      platform: process.platform,
      runtime: `node ${process.version}`,
      v8: process.versions.v8,
    };
    if (parsed.flag("json")) {
      process.stdout.write(`${JSON.stringify({ machine, roofline, kernels })}\n`);
      return;
    }
    const rooflines = [["int8", roofline.dotI16x8] as const, ["f32", roofline.f32MulAdd] as const].flatMap(
      ([name, rate]) => (rate === null ? [] : [`${name} ${rate.toFixed(1)} GMAC/s`]),
    );
    const rows = kernels.map((k) => [
      k.name,
      k.shape,
      k.medianMs.toFixed(3),
      `± ${(k.spread * 100).toFixed(0)} %`,
      k.gmacPerS.toFixed(1),
      `${(k.ofRoofline * 100).toFixed(0)} %`,
      `${k.overDirect.toFixed(2)}x`,
    ]);
    process.stdout.write(
      `${machine.cpu}, ${machine.runtime} (V8 ${machine.v8}), one thread\n` +
        `roofline: ${rooflines.join(", ")}\n\n` +
        table(["kernel", "shape", "median ms", "spread", "GMAC/s", "of roofline", "over direct"], rows),
    );
  },
};
