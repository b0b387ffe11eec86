import { modelIds } from "../../models/registry.ts";
import { parseCpu } from "../../timing/devices/cpu-file.ts";
import type { Device } from "../../timing/devices/description.ts";
import { parseOverrides } from "../../timing/devices/overrides.ts";
import { device, deviceIds } from "../../timing/devices/registry.ts";
import type { LayerReport, SimulationReport } from "../../timing/report.ts";
import { simulate } from "../../timing/simulate.ts";
import type { Command } from "../command.ts";
import { readText } from "../input-files.ts";
import { choiceOption, type Parsed, sizeOption, UsageError } from "../options.ts";
import { loadSubject, modelOptions, SUBJECT_OPTIONS } from "../subject.ts";
import { grouped, table } from "../terminal.ts";

/** @throws UsageError without --device; WasmogradError on an unknown one, ERR_IO, ERR_FORMAT and ERR_ARGUMENT on --config */
async function chosenDevice(parsed: Parsed): Promise<Device> {
  const id = parsed.text("device");
  if (id === undefined) throw new UsageError(`--device: expected one of ${deviceIds().join(", ")}, got none`);
  const [system, memory, metric] = ["system", "memory", "metric"].map((name) => parsed.text(name));
  const known = id.endsWith(".json")
    ? parseCpu(await readText(id), id)
    : device(id, { ...(system && { system }), ...(memory && { memory }), ...(metric && { metric }) });
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

/** What of a device's options the report was made with. */
function configurationOf(target: Device): Readonly<Record<string, string>> {
  if (target.kind === "cpu") return { source: target.source };
  return target.kind === "ethos-u"
    ? { system: target.system.id, memory: target.memory.id }
    : { metric: target.metric.id };
}

function text(report: SimulationReport, input: readonly number[], target: Device): string {
  const { network, device: id, total, layers, clockHz } = report;
  const header = ["operation", "kind", "output", "cycles", "ms", "of peak", "bound", "because"];
  const peak = total.sramPeakBytes === null ? "" : `, SRAM in use at most ${megabytes(total.sramPeakBytes)}`;
  return (
    `${network} on ${input.join("x")}, ${id} at ${grouped(clockHz / 1e6)} MHz, analytic estimate\n\n` +
    table(header, layers.map(row), { lastLeft: true }) +
    `\n${grouped(Math.round(total.cycles))} cycles, ${total.ms.toFixed(3)} ms, ${total.fps.toFixed(2)} a second, ` +
    `${(100 * total.utilisation).toFixed(1)} % of the peak\n` +
    (target.kind === "cpu"
      ? `caches ${megabytes(total.sramBytes)}, DRAM ${megabytes(total.dramBytes)} moved; figures: ${target.source}\n`
      : `SRAM ${megabytes(total.sramBytes)}, DRAM ${megabytes(total.dramBytes)}, flash ${megabytes(total.flashBytes)} moved${peak}\n`)
  );
}

export const command: Command = {
  spec: {
    name: "simulate",
    positionals: ["MODEL"],
    summary:
      "Estimates a network's time and traffic on an NPU or a CPU, operation by operation, and says what binds each.\n" +
      `MODEL: ${modelIds().join(", ")}, or a description as FILE.json`,
    options: {
      device: {
        type: "string",
        value: "ID",
        help: "see wasmograd devices; or FILE.json of a CPU, as wasmograd bench --calibrate writes it",
      },
      precision: { type: "string", value: "int8|f32", help: "CPUs: arithmetic, int8 by default" },
      system: {
        type: "string",
        value: "ID",
        help: "Ethos-U: what it is built into; Arm CPUs: webassembly (default) or native products",
      },
      memory: { type: "string", value: "ID", help: "Ethos-U: memory mode" },
      metric: { type: "string", value: "ID", help: "Ethos-N: 22.02 (default) or 25.03" },
      config: {
        type: "string",
        value: "FILE",
        help: 'JSON with what differs from the device, such as {"system": {"clockHz": 4e8}}',
      },
      mode: { type: "string", value: "analytic", help: "closed formulas; the only mode so far" },
      activations: {
        type: "string",
        value: "KIND",
        help: "as-described (default), or clamped: all at the cost of ReLU",
      },
      bits: { type: "string", value: "8|16", help: "of feature maps; weights have 8" },
      ...SUBJECT_OPTIONS,
    },
  },

  async run(parsed) {
    const [name] = parsed.positionals as [string];
    const target = await chosenDevice(parsed);
    const { network, ...subject } = await loadSubject(name, modelOptions(parsed, name));
    const input = sizeOption(parsed, "input") ?? subject.input;
    const report = simulate(network, target, {
      input,
      mode: choiceOption(parsed, "mode", ["analytic"], "analytic"),
      activations: choiceOption(parsed, "activations", ["as-described", "clamped"], "as-described"),
      bits: choiceOption(parsed, "bits", ["8", "16"], "8") === "16" ? 16 : 8,
      precision: choiceOption(parsed, "precision", ["int8", "f32"], "int8"),
    });
    const configuration = configurationOf(target);
    if (parsed.flag("json")) process.stdout.write(`${JSON.stringify({ ...report, ...configuration, input })}\n`);
    else process.stdout.write(text(report, input, target));
  },
};
