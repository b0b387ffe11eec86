import { modelIds } from "../../models/registry.ts";
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
  const known = device(id, { ...(system && { system }), ...(memory && { memory }), ...(metric && { metric }) });
  const config = parsed.text("config");
  if (config === undefined) return known;
  return parseOverrides(known, await readText(config), config);
}

/** What a device is built into, where there is a choice. */
function configurationOf(device: Device): object {
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

function text({ network, device: id, total, layers, clockHz }: SimulationReport, input: readonly number[]): string {
  const header = ["operation", "kind", "output", "cycles", "ms", "of peak", "bound", "because"];
  const peak = total.sramPeakBytes === null ? "" : `, SRAM in use at most ${megabytes(total.sramPeakBytes)}`;
  return (
    `${network} on ${input.join("x")}, ${id} at ${grouped(clockHz / 1e6)} MHz, analytic estimate\n\n` +
    table(header, layers.map(row), { lastLeft: true }) +
    `\n${grouped(Math.round(total.cycles))} cycles, ${total.ms.toFixed(3)} ms, ${total.fps.toFixed(2)} a second, ` +
    `${(100 * total.utilisation).toFixed(1)} % of the peak\n` +
    `SRAM ${megabytes(total.sramBytes)}, DRAM ${megabytes(total.dramBytes)}, flash ${megabytes(total.flashBytes)} moved${peak}\n`
  );
}

export const command: Command = {
  spec: {
    name: "simulate",
    positionals: ["MODEL"],
    summary:
      "Estimates a network's time and traffic on an NPU, int8, operation by operation, and says what binds each.\n" +
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
    });
    const configuration = configurationOf(target);
    if (parsed.flag("json")) process.stdout.write(`${JSON.stringify({ ...report, ...configuration, input })}\n`);
    else process.stdout.write(text(report, input));
  },
};
