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
      "GMAC/s count the multiply-accumulates of the direct convolution, so Winograd may pass the roofline.",
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
    const rows = kernels.map((k) => [
      k.name,
      k.shape,
      k.medianMs.toFixed(3),
      `± ${(k.spread * 100).toFixed(0)} %`,
      k.gmacPerS.toFixed(1),
      `${(k.ofRoofline * 100).toFixed(0)} %`,
    ]);
    process.stdout.write(
      `${machine.cpu}, ${machine.runtime} (V8 ${machine.v8}), one thread\n` +
        `roofline: int8 ${roofline.dotI16x8.toFixed(1)} GMAC/s, f32 ${roofline.f32MulAdd.toFixed(1)} GMAC/s\n\n` +
        table(["kernel", "shape", "median ms", "spread", "GMAC/s", "of roofline"], rows),
    );
  },
};
