/** Arm cores side by side: projections, of which there is no measurement. */
import { buildModel } from "../../src/models/registry.ts";
import { CPU_CORES, cpu } from "../../src/timing/devices/cpu.ts";
import type { Cpu } from "../../src/timing/devices/description.ts";
import { peakOf, simulate } from "../../src/timing/simulate.ts";
import { table } from "../documents.ts";

const COLUMNS = [
  { id: "sesr-m5", input: [360, 640], precision: "int8" },
  { id: "mobilenet-v2", input: [224, 224], precision: "int8" },
  { id: "convnext-t", input: [224, 224], precision: "int8" },
  { id: "convnext-t", input: [224, 224], precision: "f32" },
] as const;

/** @param measured the machine whose costs are carried over */
export function armTable(measured: Cpu): string {
  const rows = CPU_CORES.map((core) => {
    const { id } = core;
    const own = cpu(core, "webassembly", measured);
    const native = cpu(core, "native", measured);
    const ms = COLUMNS.map(({ id: model, ...options }) => {
      const { total } = simulate(buildModel(model), own, options);
      return `${total.ms.toFixed(total.ms < 100 ? 1 : 0)} ms`;
    });
    const { macsPerCycle, clockHz } = peakOf(own);
    return [`\`${id}\``, `${clockHz / 1e9} GHz`, `${macsPerCycle} / ${peakOf(native).macsPerCycle}`, ...ms];
  });
  const header = COLUMNS.map(({ id, precision }) => `\`${id}\` ${precision}`);
  return table(["core", "clock", "int8 MACs a cycle, WebAssembly / native", ...header], rows);
}
