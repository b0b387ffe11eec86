/** Ethos-U, event mode: the schedule of the analytic mode, block by block. */
import type { EthosU } from "../devices/description.ts";
import { busyOf, timelineOf } from "../event/observe.ts";
import type { LayerCounts } from "../event/recorder.ts";
import { run } from "../event/run.ts";
import { macsOf, type Program } from "../operation.ts";
import { type LayerReport, type SimulationReport, totalOf } from "../report.ts";
import type { Traced } from "../timeline.ts";
import type { EncodedSize } from "../weights.ts";
import { describeStep, ofHost } from "./estimate.ts";
import { programOf } from "./jobs.ts";
import { prepareEthosU } from "./prepare.ts";
import { isHost, type Scheduled, schedule } from "./schedule.ts";
import { explainEvents } from "./why.ts";

function layerReport(
  device: EthosU,
  { step, estimate }: Scheduled,
  counts: LayerCounts,
  cyclesByResource: LayerReport["cyclesByResource"],
): LayerReport {
  const { cycles, waitsForMemory, waitsForWeights } = counts;
  const ms = (cycles / device.system.clockHz) * 1000;
  const macs = macsOf(step.operation);
  const utilisation = cycles === 0 ? 0 : macs / (cycles * device.core.macsPerCycle);
  if (isHost(step)) return { ...ofHost(device, step), cyclesByResource, cycles, ms, utilisation };
  const observed = { cycles, cyclesByResource, waitsForMemory, waitsForWeights };
  const binding = explainEvents(device, step, estimate!, observed);
  return { ...describeStep(step, estimate!), cyclesByResource, cycles, ms, ...binding, utilisation };
}

/**
 * @param drawn whether the timeline is written down as well
 * @throws WasmogradError as `schedule`
 */
export function simulateEthosU(device: EthosU, network: Program, size: EncodedSize, drawn: boolean): Traced {
  const planned = schedule(device, prepareEthosU(network), size);
  const program = programOf(device, planned);
  const outcome = run(program, { drawn });
  const layers = planned.steps.map((step, i) => {
    const counts = outcome.layers[i]!;
    return layerReport(device, step, counts, busyOf(program, counts));
  });
  const { clockHz } = device.system;
  const { macsPerCycle } = device.core;
  const total = totalOf(layers, { clockHz, macsPerCycle, sramPeakBytes: planned.sramPeakBytes });
  const report: SimulationReport = { network: network.name, device: device.id, mode: "event", clockHz, total, layers };
  let cycle = 0;
  const samples = layers.map(({ cycles }, i) => {
    const sample = { cycle, value: planned.sramBytes[i]! };
    cycle += cycles;
    return sample;
  });
  return { report, timeline: timelineOf(report, outcome, [{ title: "SRAM in use", unit: "bytes", samples }]) };
}
