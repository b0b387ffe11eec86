import { cpus } from "node:os";
import { measureRanECosts, SECONDS } from "../../bench/ran-e-costs.ts";
import { RAN_E_BLOCKS, type RanEBlock } from "../../models/ran-e-blocks.ts";
import { checkDestination, readText, writeWhole } from "../../node/files.ts";
import { processorTime } from "../../node/processor.ts";
import { CostTable, parseCosts, serialiseCosts } from "../../ran/block-costs.ts";
import { type BlockShape, shapeName } from "../../ran/block-shape.ts";
import { deviceCosts } from "../../ran/device-costs.ts";
import { checkLimits, type Limits, priceNetwork, searchRanE } from "../../ran/search.ts";
import { layOutSpace, ranENetworks, shapeAt, shapesOf, type Wishes } from "../../ran/search-space.ts";
import type { Device } from "../../timing/devices/description.ts";
import { deviceIds } from "../../timing/devices/registry.ts";
import type { Command } from "../command.ts";
import { DEVICE_OPTIONS, deviceOption, isDeviceFile } from "../device-option.ts";
import { frontChart } from "../front-chart.ts";
import { choiceOption, inputOption, integerOption, type Parsed, positiveNumber, UsageError } from "../options.ts";
import { NUMBERS, networkJson, numbers, rowsText, thinned } from "../search-report.ts";
import { grouped, progressLine, table } from "../terminal.ts";

const FAMILY = "ran-e";
const HOST = "host";
const IMAGENET_INPUT = [224, 224] as const;

/** "a=1,b=2" -> [["a", "1"], ["b", "2"]]; a part without "=" has an empty key. */
function partsOf(parsed: Parsed, name: string): [key: string, value: string][] {
  const text = parsed.text(name);
  if (text === undefined) return [];
  return text.split(",").map((part) => {
    const at = part.indexOf("=");
    return [at < 0 ? "" : part.slice(0, at).trim(), part.slice(at + 1).trim()];
  });
}

function unique(name: string, keys: readonly string[]): void {
  const twice = keys.find((key, i) => keys.indexOf(key) !== i);
  if (twice !== undefined) throw new UsageError(`--${name}: expected ${twice} once, got it twice`);
}

/** @throws UsageError */
function budgetOption(parsed: Parsed): Limits {
  const parts = partsOf(parsed, "budget");
  unique(
    "budget",
    parts.map(([key]) => key),
  );
  const limits = parts.map(([key, value]) => {
    if (key !== "params" && key !== "macs" && key !== "units") {
      const got = key === "" ? value : key;
      throw new UsageError(`--budget: expected some of macs=N, params=N, units=N, got ${got === "" ? "nothing" : got}`);
    }
    return [key, positiveNumber(value, `--budget: ${key}`)] as const;
  });
  return Object.fromEntries(limits);
}

function blockNamed(option: string, text: string): RanEBlock {
  const found = RAN_E_BLOCKS.find((block) => block === text);
  if (found === undefined) throw new UsageError(`--${option}: expected one of ${RAN_E_BLOCKS.join("; ")}, got ${text}`);
  return found;
}

/** @throws UsageError */
function wishesOf(parsed: Parsed): Required<Wishes> {
  const pins = partsOf(parsed, "pin");
  for (const [key, value] of pins) {
    if (key === "") throw new UsageError(`--pin: expected POSITION=BLOCK such as 2.0=k3 t6, got ${value}`);
  }
  unique(
    "pin",
    pins.map(([key]) => key),
  );
  return {
    pins: Object.fromEntries(pins.map(([key, value]) => [key, blockNamed("pin", value)])),
    forbidden: partsOf(parsed, "forbid").map(([key, value]) => ({
      ...(key !== "" && { position: key }),
      block: blockNamed("forbid", value),
    })),
  };
}

/** Options that only a simulated device has. */
const SIMULATION = [...Object.keys(DEVICE_OPTIONS), "activations"];

/** The device to simulate, or undefined where this machine is measured. @throws UsageError on one that is not known; as `deviceOption` */
async function simulated(parsed: Parsed) {
  const id = parsed.text("device") ?? HOST;
  if (id === HOST) {
    const misplaced = SIMULATION.find((name) => parsed.text(name) !== undefined);
    if (misplaced) throw new UsageError(`--${misplaced}: expected with --device of the timing model only, got ${HOST}`);
    return undefined;
  }
  if (!isDeviceFile(id) && !deviceIds().includes(id)) {
    const known = [HOST, ...deviceIds()].join(", ");
    throw new UsageError(
      `--device: expected ${known}, FILE.json, or the costs of another by --costs FILE.json, got ${id}`,
    );
  }
  return deviceOption(parsed);
}

/** Costs of the timing model, written down. */
function computed(shapes: readonly BlockShape[], device: Device, parsed: Parsed): CostTable {
  const activations = choiceOption(parsed, "activations", ["as-described", "clamped"], "as-described");
  const costs = deviceCosts(device, { activations });
  const distinct = [...new Map(shapes.map((shape) => [shapeName(shape), shape])).values()];
  const name = activations === "clamped" ? `${costs.device}, activations at the cost of ReLU` : costs.device;
  return new CostTable(
    name,
    costs.unit,
    distinct.map((shape) => ({ ...shape, cost: costs.costOf(shape) })),
  );
}

async function measured(shapes: readonly BlockShape[], seconds: number, signal: AbortSignal): Promise<CostTable> {
  const cpu = cpus()[0]?.model.trim() ?? "unknown processor";
  const progress = progressLine();
  const device = `${cpu}, int8, one thread, processor time, Node ${process.version}`;
  return measureRanECosts(shapes, device, {
    clock: processorTime,
    seconds,
    signal,
    onProgress: (fraction, name) => progress.update(fraction, name),
  }).finally(() => progress.clear());
}

export const command: Command = {
  spec: {
    name: "search",
    positionals: ["FAMILY"],
    summary:
      "Chooses the blocks of a network of a family for a device.\n" +
      "FAMILY: ran-e. Each block is collapsed or an inverted bottleneck (kernel 3, 5 or 7, expansion 4 or 6); costs add up over blocks.\n" +
      "Prints the cheapest network within the budget, and the front of cost against active non-linear units. Units stand for what a\n" +
      "network can express; accuracy is not predicted (what is whose: docs/ran.md).\n" +
      "Numbers may end in k, M or G for thousands, millions and thousands of millions.",
    options: {
      device: {
        type: "string",
        value: "ID|FILE",
        help: "host (default): measured on this machine, in about half a minute; or a simulated one, see wasmograd devices",
      },
      ...DEVICE_OPTIONS,
      activations: {
        type: "string",
        value: "KIND",
        help: "simulated: as-described (default), or clamped: all at the cost of ReLU",
      },
      seconds: { type: "string", value: "N", help: `how long the blocks take turns, ${SECONDS} by default` },
      costs: { type: "string", value: "FILE", help: "a table of block costs in JSON instead, of any device" },
      "save-costs": { type: "string", value: "FILE", help: "write the table" },
      budget: {
        type: "string",
        value: "LIST",
        help: "such as macs=450M,params=5M,units=1.2M: the first two at most, units at least",
      },
      pin: { type: "string", value: "LIST", help: "blocks that are given, such as 2.0=k3 t6,4.1=collapsed" },
      forbid: { type: "string", value: "LIST", help: "blocks that are not to be chosen, such as k7 t6,3.0=collapsed" },
      input: { type: "string", value: "N|HxW", help: "input size, 224 by default" },
      svg: { type: "string", value: "FILE", help: "draw the front" },
    },
  },

  async run(parsed, signal) {
    const [family] = parsed.positionals as [string];
    if (family !== FAMILY) throw new UsageError(`search: expected the family ${FAMILY}, got ${family}`);
    const target = await simulated(parsed);
    const [from, to, svg] = ["costs", "save-costs", "svg"].map((name) => parsed.text(name));
    const seconds = integerOption(parsed, "seconds", 1, 600) ?? SECONDS;
    const limits = budgetOption(parsed);
    const wishes = wishesOf(parsed);
    const input = inputOption(parsed, "input") ?? IMAGENET_INPUT;
    const space = layOutSpace(input, wishes);
    if (Object.keys(limits).length > 0) checkLimits(space, limits);
    for (const path of [to, svg]) if (path !== undefined) await checkDestination(path);
    const shapes = [
      ...shapesOf(space),
      ...ranENetworks().flatMap(({ blocks }) => blocks.map((block, i) => shapeAt(space.positions[i]!, block))),
    ];
    const costs =
      from !== undefined
        ? parseCosts(await readText(from), from)
        : target
          ? computed(shapes, target, parsed)
          : await measured(shapes, seconds, signal);
    costs.requireAll(shapes, from ?? costs.device);
    const encoded = (text: string): Uint8Array => new TextEncoder().encode(text);
    if (to !== undefined) await writeWhole(to, encoded(serialiseCosts(costs)), signal);
    const named = ranENetworks().map(({ id, blocks }) => ({ id, network: priceNetwork(space, costs, blocks) }));
    const { device, unit, best, front, exact } = searchRanE(space, costs, limits);
    if (svg !== undefined) {
      const points = [...named, { id: "best", network: best }].map(({ id, network }) => ({ name: id, ...network }));
      const script = `wasmograd search ${FAMILY}`;
      await writeWhole(svg, encoded(frontChart({ device, unit, input, front, named: points, script })), signal);
    }
    if (parsed.flag("json")) {
      const json = (network: typeof best) => networkJson(space, network);
      const report = {
        family,
        device,
        unit,
        input,
        budget: limits,
        ...wishes,
        networks: Object.fromEntries(named.map(({ id, network }) => [id, json(network)])),
        best: json(best),
        exact,
        front: front.map(json),
      };
      process.stdout.write(`${JSON.stringify(report)}\n`);
      return;
    }
    const budget = [
      ...(["params", "macs"] as const).flatMap((name) =>
        limits[name] ? [`at most ${grouped(limits[name])} ${name}`] : [],
      ),
      ...(limits.units ? [`at least ${grouped(limits.units)} units`] : []),
    ];
    const shown = thinned(front);
    const some = shown.length < front.length ? `, ${shown.length} of them shown` : "";
    process.stdout.write(
      `${device}\n${unit} for a picture of ${input.join("x")}, summed over blocks; accuracy is not predicted\n\n` +
        table(
          ["network", ...NUMBERS(unit)],
          [...named, { id: "best", network: best }].map(({ id, network }) => [id, ...numbers(network, unit)]),
        ) +
        `\nbest: the cheapest with ${budget.length === 0 ? "no limit" : budget.join(", ")}\n` +
        rowsText(space, best) +
        `\nfront: ${front.length} networks, each with more units than any cheaper one${some}\n` +
        table(
          ["", ...NUMBERS(unit)],
          shown.map((network) => ["", ...numbers(network, unit)]),
        ) +
        (exact ? "" : "\nToo many states were left to keep all: within the limits, but perhaps not the best.\n"),
    );
  },
};
