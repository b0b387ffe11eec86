import { modelIds } from "../../models/registry.ts";
import type { Network } from "../../network/description.ts";
import { checkDestination, writeWhole } from "../../node/files.ts";
import { chromeTrace } from "../../timing/chrome-trace.ts";
import type { Device } from "../../timing/devices/description.ts";
import { parseOverrides } from "../../timing/devices/overrides.ts";
import { device, deviceIds } from "../../timing/devices/registry.ts";
import type { LayerReport, SimulationReport } from "../../timing/report.ts";
import { memoryRates, peakOf, type SimulateOptions, simulate, trace } from "../../timing/simulate.ts";
import type { Traced } from "../../timing/timeline.ts";
import type { Command } from "../command.ts";
import { ganttChart } from "../gantt-chart.ts";
import { readText } from "../input-files.ts";
import { choiceOption, type Parsed, sizeOption, UsageError } from "../options.ts";
import { rooflineChart } from "../roofline-chart.ts";
import { loadSubject, modelOptions, SUBJECT_OPTIONS } from "../subject.ts";
import { grouped, table } from "../terminal.ts";

/** @throws UsageError without --device; WasmogradError on an unknown one, ERR_IO, ERR_FORMAT and ERR_ARGUMENT on --config */
async function chosenDevice(parsed: Parsed): Promise<Device> {
  const id = parsed.text("device");
  if (id === undefined) throw new UsageError(`--device: expected one of ${deviceIds().join(", ")}, got none`);
  const [system, memory, metric] = ["system", "memory", "metric"].map((name) => parsed.text(name));
  const known = device(id, { ...(system && { system }), ...(memory && { memory }), ...(metric && { metric }) });
  const config = parsed.text("config");
  if (config === undefined) return known;
  return parseOverrides(known, await readText(config), config);
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(bytes < 1e7 ? 2 : 1)} MB`;
}

function row({ name, operation, shape, cycles, ms, utilisation, bound, why }: LayerReport): string[] {
  return [
    name,
    operation,
    shape.join("x"),
    grouped(Math.round(cycles)),
    ms.toFixed(3),
    `${(100 * utilisation).toFixed(1)} %`,
    bound,
    why,
  ];
}

function text(
  { network, device: id, mode, total, layers, clockHz }: SimulationReport,
  input: readonly number[],
): string {
  const header = ["operation", "kind", "output", "cycles", "ms", "of peak", "bound", "because"];
  const peak = total.sramPeakBytes === null ? "" : `, SRAM in use at most ${megabytes(total.sramPeakBytes)}`;
  return (
    `${network} on ${input.join("x")}, ${id} at ${grouped(clockHz / 1e6)} MHz, ${mode === "event" ? "event simulation" : "analytic estimate"}\n\n` +
    table(header, layers.map(row), { lastLeft: true }) +
    `\n${grouped(Math.round(total.cycles))} cycles, ${total.ms.toFixed(3)} ms, ${total.fps.toFixed(2)} a second, ` +
    `${(100 * total.utilisation).toFixed(1)} % of the peak; ${total.why}\n` +
    `SRAM ${megabytes(total.sramBytes)}, DRAM ${megabytes(total.dramBytes)}, flash ${megabytes(total.flashBytes)} moved${peak}\n`
  );
}

/** Files that show a simulation, by the options that name them. */
const DRAWINGS: Readonly<Record<string, (traced: Traced, target: Device) => string>> = {
  trace: (traced) => `${JSON.stringify(chromeTrace(traced))}\n`,
  gantt: (traced) => ganttChart(traced, SCRIPT),
  roofline: ({ report }, target) =>
    rooflineChart(report, { macsPerCycle: peakOf(target).macsPerCycle, memories: memoryRates(target) }, SCRIPT),
};
const SCRIPT = "wasmograd simulate";

/** The report, and the files that were asked for. @throws WasmogradError as `simulate`, ERR_IO */
async function simulated(
  parsed: Parsed,
  signal: AbortSignal,
  network: Network,
  target: Device,
  options: SimulateOptions,
): Promise<SimulationReport> {
  const wanted = Object.entries(DRAWINGS).flatMap(([option, draw]) => {
    const path = parsed.text(option);
    return path === undefined ? [] : [{ path, draw }];
  });
  if (wanted.length === 0) return simulate(network, target, options);
  for (const { path } of wanted) await checkDestination(path);
  const traced = trace(network, target, options);
  for (const { path, draw } of wanted) await writeWhole(path, new TextEncoder().encode(draw(traced, target)), signal);
  return traced.report;
}

export const command: Command = {
  spec: {
    name: "simulate",
    positionals: ["MODEL"],
    summary:
      "Simulates a network on an NPU, int8: time and traffic, operation by operation, and what binds each.\n" +
      `MODEL: ${modelIds().join(", ")}, or a description as FILE.json`,
    options: {
      device: { type: "string", value: "ID", help: "see wasmograd devices" },
      system: { type: "string", value: "ID", help: "Ethos-U: what it is built into" },
      memory: { type: "string", value: "ID", help: "Ethos-U: memory mode" },
      metric: { type: "string", value: "ID", help: "Ethos-N: 22.02 (default) or 25.03" },
      config: {
        type: "string",
        value: "FILE",
        help: 'JSON with what differs from the device, such as {"system": {"clockHz": 4e8}}',
      },
      mode: {
        type: "string",
        value: "MODE",
        help: "event (default): block by block, with all that blocks wait for; analytic: closed formulas",
      },
      trace: { type: "string", value: "FILE", help: "write a trace for Perfetto or Chrome (JSON)" },
      gantt: { type: "string", value: "FILE", help: "draw what happens when (SVG)" },
      roofline: { type: "string", value: "FILE", help: "draw layers under the device's roofs (SVG)" },
      activations: {
        type: "string",
        value: "KIND",
        help: "as-described (default), or clamped: all at the cost of ReLU",
      },
      bits: { type: "string", value: "8|16", help: "of feature maps; weights have 8" },
      ...SUBJECT_OPTIONS,
    },
  },

  async run(parsed, signal) {
    const [name] = parsed.positionals as [string];
    const target = await chosenDevice(parsed);
    const { network, ...subject } = await loadSubject(name, modelOptions(parsed, name));
    const input = sizeOption(parsed, "input") ?? subject.input;
    const options = {
      input,
      mode: choiceOption(parsed, "mode", ["event", "analytic"], "event"),
      activations: choiceOption(parsed, "activations", ["as-described", "clamped"], "as-described"),
      bits: choiceOption(parsed, "bits", ["8", "16"], "8") === "16" ? 16 : 8,
    } as const;
    const report = await simulated(parsed, signal, network, target, options);
    const configuration =
      target.kind === "ethos-u" ? { system: target.system.id, memory: target.memory.id } : { metric: target.metric.id };
    if (parsed.flag("json")) process.stdout.write(`${JSON.stringify({ ...report, ...configuration, input })}\n`);
    else process.stdout.write(text(report, input));
  },
};
