import { cpus } from "node:os";
import { calibrate, serialiseCalibration } from "../../bench/calibrate.ts";
import { runSuite, SUITES } from "../../bench/suite.ts";
import { checkDestination, writeWhole } from "../../node/files.ts";
import { cachesOf, nominalClock, processorTime } from "../../node/processor.ts";
import type { Command } from "../command.ts";
import { choiceOption, UsageError } from "../options.ts";
import { progressLine, table } from "../terminal.ts";

interface Host {
  readonly cpu: string;
  readonly arch: string;
  readonly platform: string;
  readonly runtime: string;
  readonly v8: string;
}

const host = (): Host => ({
  cpu: cpus()[0]?.model.trim() ?? "unknown",
  arch: process.arch,
  platform: process.platform,
  runtime: `node ${process.version}`,
  v8: process.versions.v8,
});

const percent = (part: number): string => `${(100 * part).toFixed(1)} %`;

/** @throws WasmogradError ERR_IO when the file cannot be written; as `calibrate` */
async function writeCalibration(file: string, signal: AbortSignal, json: boolean): Promise<void> {
  await checkDestination(file);
  const { cpu, runtime } = host();
  const machine = `${cpu}, ${runtime}, ${new Date().toISOString().slice(0, 10)}`;
  const progress = progressLine();
  const calibration = await calibrate(
    { machine, clockHz: await nominalClock(), caches: await cachesOf() },
    { clock: processorTime, signal, onProgress: (fraction, name) => progress.update(fraction, name) },
  ).finally(() => progress.clear());
  await writeWhole(file, new TextEncoder().encode(serialiseCalibration(calibration)), signal);
  const { fitted, heldOut, device } = calibration;
  if (json) {
    process.stdout.write(`${JSON.stringify({ file, source: device.source, fitted, heldOut })}\n`);
    return;
  }
  const row = (name: string, { count, median, p95, worst }: typeof fitted): string[] => [
    name,
    String(count),
    ...[median, p95, worst].map(percent),
  ];
  process.stdout.write(
    `${machine}, one thread\n\n` +
      table(
        ["shapes", "count", "median error", "95th percentile", "largest"],
        [row("fitted", fitted), row("held out", heldOut)],
      ) +
      `\n${file}: wasmograd simulate MODEL --device ${file}\n`,
  );
}

export const command: Command = {
  spec: {
    name: "bench",
    positionals: [],
    summary:
      "Measures this machine's roofline and the kernels, one thread.\n" +
      "GMAC/s count the multiply-accumulates of the direct convolution, so Winograd may pass the roofline. Kernels of one layer\n" +
      "are timed alternately with the roofline; ratios are medians over the rounds.",
    options: {
      suite: { type: "string", value: "NAME", help: `${SUITES.join(", ")}; all by default` },
      calibrate: {
        type: "string",
        value: "FILE",
        help: "instead: times some 1,700 layers for about three minutes and writes this machine as a device for simulate",
      },
    },
  },

  async run(parsed, signal) {
    const file = parsed.text("calibrate");
    if (file !== undefined) {
      if (parsed.text("suite") !== undefined) throw new UsageError("--suite: expected none together with --calibrate");
      await writeCalibration(file, signal, parsed.flag("json"));
      return;
    }
    const suite = choiceOption(parsed, "suite", SUITES, "all");
    const progress = progressLine();
    const { roofline, kernels } = await runSuite(suite, {
      signal,
      onProgress: (fraction, name) => progress.update(fraction, name),
    }).finally(() => progress.clear());
    const machine = host();
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
