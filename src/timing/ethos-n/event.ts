/** Ethos-N, event mode: the passes of the analytic mode, stripe by stripe. */
import type { EthosN } from "../devices/description.ts";
import { busyOf, timelineOf } from "../event/observe.ts";
import { run } from "../event/run.ts";
import type { Program } from "../operation.ts";
import { type LayerReport, type SimulationReport, totalOf } from "../report.ts";
import type { Traced } from "../timeline.ts";
import type { EncodedSize } from "../weights.ts";
import { macsPerCycle } from "./compute.ts";
import { describePass, ofHost, type PassEstimate, passesOf, reasonOf } from "./estimate.ts";
import { programOf } from "./jobs.ts";

const RESOURCES = ["mce", "ple", "dram"] as const;

function bindingOf(
  device: EthosN,
  pass: PassEstimate,
  cycles: number,
  busy: Readonly<Record<string, number>>,
  waits: number,
): { readonly bound: string; readonly why: string } {
  const of = (resource: string): number => busy[resource] ?? 0;
  const bound = RESOURCES.reduce((most, one) => (of(one) > of(most) ? one : most));
  const share = cycles > 0 ? waits / cycles : 0;
  const words = `; ${Math.round(100 * share)} % of the time engines wait for stripes to come or to go`;
  return { bound, why: reasonOf(device, pass, bound, bound !== "dram" && share > 0.1 ? words : "") };
}

/**
 * @param drawn whether the timeline is written down as well
 * @throws WasmogradError as `passesOf`
 */
export function simulateEthosN(device: EthosN, network: Program, size: EncodedSize, drawn: boolean): Traced {
  const { clockHz } = device.metric;
  const peak = macsPerCycle(device);
  const planned = passesOf(device, network, size);
  const program = programOf(device, planned);
  const outcome = run(program, { drawn });
  const layers = planned.passes.map((pass, i): LayerReport => {
    const counts = outcome.layers[i]!;
    const { cycles } = counts;
    const cyclesByResource = busyOf(program, counts);
    const ms = (cycles / clockHz) * 1000;
    if (!("traffic" in pass)) return { ...ofHost(device, pass), cyclesByResource, cycles, ms };
    const described = describePass(pass);
    const waits = counts.waitsForMemory + counts.waitsForWeights;
    return {
      ...described,
      cyclesByResource,
      cycles,
      ms,
      ...bindingOf(device, pass, cycles, cyclesByResource, waits),
      utilisation: cycles > 0 ? described.macs / (cycles * peak) : 0,
    };
  });
  const total = totalOf(layers, { clockHz, macsPerCycle: peak, sramPeakBytes: null });
  const report: SimulationReport = { network: network.name, device: device.id, mode: "event", clockHz, total, layers };
  return { report, timeline: timelineOf(report, outcome) };
}
