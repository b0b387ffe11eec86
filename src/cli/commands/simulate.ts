import { loadWeights } from "../../formats/weights-file.ts";
import { modelIds } from "../../models/registry.ts";
import type { Network } from "../../network/description.ts";
import { checkDestination, writeWhole } from "../../node/files.ts";
import { measuredSize } from "../../quantization/weight-entropy.ts";
import { chromeTrace } from "../../timing/chrome-trace.ts";
import type { Device } from "../../timing/devices/description.ts";
import type { LayerReport, SimulationReport, TotalReport } from "../../timing/report.ts";
import { memoryRates, peakOf, type SimulateOptions, simulate, trace } from "../../timing/simulate.ts";
import type { Traced } from "../../timing/timeline.ts";
import { whatIf } from "../../timing/what-if.ts";
import type { Command } from "../command.ts";
import { DEVICE_OPTIONS, deviceOption } from "../device-option.ts";
import { ganttChart } from "../gantt-chart.ts";
import { readBytes } from "../input-files.ts";
import { choiceOption, type Parsed, sizeOption } from "../options.ts";
import { rooflineChart } from "../roofline-chart.ts";
import { loadSubject, modelOptions, SUBJECT_OPTIONS } from "../subject.ts";
import { grouped, table } from "../terminal.ts";
import { tileOption, tilesText, whatIfText } from "../timing-report.ts";

/** What a device is built into, where there is a choice, or where its figures are from. */
function configurationOf(device: Device): object {
  if (device.kind === "cpu") return { source: device.source };
  if (device.kind === "ethos-u") return { system: device.system.id, memory: device.memory.id };
  return device.kind === "ethos-n" ? { metric: device.metric.id } : {};
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

/** Bytes by memory. */
function movedText({ sramBytes, dramBytes, flashBytes }: TotalReport, target: Device): string {
  const [sram, dram, flash] = [sramBytes, dramBytes, flashBytes].map(megabytes);
  if (target.kind === "cpu") return `caches ${sram}, DRAM ${dram} moved; figures: ${target.source}`;
  return `SRAM ${sram}, DRAM ${dram}, flash ${flash} moved`;
}

function text(report: SimulationReport, input: readonly number[], target: Device): string {
  const { network, device: id, mode, total, layers, clockHz, tiles } = report;
  const header = ["operation", "kind", "output", "cycles", "ms", "of peak", "bound", "because"];
  const peak = total.sramPeakBytes === null ? "" : `, SRAM in use at most ${megabytes(total.sramPeakBytes)}`;
  return (
    `${network} on ${input.join("x")}, ${id} at ${grouped(clockHz / 1e6)} MHz, ${mode === "event" ? "event simulation" : "analytic estimate"}\n\n` +
    table(header, layers.map(row), { lastLeft: true }) +
    `\n${grouped(Math.round(total.cycles))} cycles, ${total.ms.toFixed(3)} ms, ${total.fps.toFixed(2)} a second, ` +
    `${(100 * total.utilisation).toFixed(1)} % of the peak; ${total.why}\n` +
    `${movedText(total, target)}${peak}\n` +
    (tiles ? tilesText(tiles) : "")
  );
}

/** Files that show a simulation, by the options that name them. */
const DRAWINGS: Readonly<
  Record<string, (traced: Traced, target: Device, precision: SimulateOptions["precision"]) => string>
> = {
  trace: (traced) => `${JSON.stringify(chromeTrace(traced))}\n`,
  gantt: (traced) => ganttChart(traced, SCRIPT),
  roofline: ({ report }, target, precision) =>
    rooflineChart(
      report,
      { macsPerCycle: peakOf(target, precision).macsPerCycle, memories: memoryRates(target) },
      SCRIPT,
    ),
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
  for (const { path, draw } of wanted)
    await writeWhole(path, new TextEncoder().encode(draw(traced, target, options.precision)), signal);
  return traced.report;
}

export const command: Command = {
  spec: {
    name: "simulate",
    positionals: ["MODEL"],
    summary:
      "Simulates a network on an NPU or a CPU: time and traffic, operation by operation, and what binds each.\n" +
      `MODEL: ${modelIds().join(", ")}, or a description as FILE.json`,
    options: {
      device: {
        type: "string",
        value: "ID|FILE",
        help: "see wasmograd devices; or a description as FILE.json, which wasmograd bench --calibrate writes too",
      },
      ...DEVICE_OPTIONS,
      precision: { type: "string", value: "int8|f32", help: "CPUs: arithmetic, int8 by default" },
      mode: {
        type: "string",
        value: "MODE",
        help: "event (default on Ethos): block by block, with all that blocks wait for; analytic: closed formulas",
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
      tile: {
        type: "string",
        value: "WxH",
        help: "in tiles of so many input pixels, such as 400x300, each with the margin that it needs",
      },
      weights: {
        type: "string",
        value: "FILE",
        help: "a checkpoint in safetensors: weights compress as their values would, instead of not at all",
      },
      "what-if": { type: "boolean", help: "how the time changes with other memories, MACs, activations, tiles" },
      ...SUBJECT_OPTIONS,
    },
  },

  async run(parsed, signal) {
    const [name] = parsed.positionals as [string];
    const target = await deviceOption(parsed);
    const { network, ...subject } = await loadSubject(name, modelOptions(parsed, name));
    const input = sizeOption(parsed, "input") ?? subject.input;
    const tile = tileOption(parsed);
    const file = parsed.text("weights");
    const weights = file === undefined ? undefined : loadWeights(await readBytes(file), network);
    const options = {
      input,
      ...(tile && { tile }),
      ...(weights && { encodedSize: measuredSize({ network, weights }) }),
      ...(parsed.text("mode") !== undefined && { mode: choiceOption(parsed, "mode", ["event", "analytic"], "event") }),
      activations: choiceOption(parsed, "activations", ["as-described", "clamped"], "as-described"),
      bits: choiceOption(parsed, "bits", ["8", "16"], "8") === "16" ? 16 : 8,
      ...(parsed.text("precision") !== undefined && {
        precision: choiceOption(parsed, "precision", ["int8", "f32"], "int8"),
      }),
    } as const;
    const configuration = configurationOf(target);
    if (parsed.flag("what-if")) {
      const changes = whatIf(network, target, options);
      if (parsed.flag("json")) process.stdout.write(`${JSON.stringify({ ...changes, ...configuration, input })}\n`);
      else process.stdout.write(whatIfText(changes, input));
      return;
    }
    const report = await simulated(parsed, signal, network, target, options);
    if (parsed.flag("json")) process.stdout.write(`${JSON.stringify({ ...report, ...configuration, input })}\n`);
    else process.stdout.write(text(report, input, target));
  },
};
