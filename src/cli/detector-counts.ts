/** What `inspect` says of a detector: counts by part. */
import { ANCHORS_PER_CELL } from "../detection/anchors.ts";
import { countDetector, detectorNetworks } from "../detector/networks.ts";
import { backboneIds } from "../models/convnext.ts";
import type { InputSize } from "../models/family.ts";
import { grouped, table } from "./terminal.ts";

export const DETECTOR_IDS: readonly string[] = backboneIds().map((id) => `${id}-detector`);

/** What a picture of 640x480 pixels becomes. */
const INPUT: InputSize = [800, 1088];
/** At most, and nearly always; see `ProposalOptions`. */
const PROPOSALS = 1000;

/**
 * The text for a terminal, or one JSON document.
 * @throws WasmogradError ERR_ARGUMENT on an unknown backbone, ERR_SHAPE unless the input's sides are multiples of 32
 */
export function detectorCounts(id: string, backbone: string, input: InputSize = INPUT, json = false): string {
  const networks = detectorNetworks(backbone);
  const parts = countDetector(networks, input);
  const params = parts.reduce((sum, part) => sum + part.params, 0);
  const whole = parts.map(({ name, macs }) => (name === "head" ? PROPOSALS * macs : macs));
  const macs = whole.reduce((sum, own) => sum + own, 0);
  const { channels, classes } = networks;
  if (json) {
    const report = { model: id, input, channels, classes, proposals: PROPOSALS, params, macs, parts };
    return `${JSON.stringify(report)}\n`;
  }
  const rows = parts.map(({ name, params: own }, i) => [name, grouped(own), grouped(whole[i]!)]);
  return (
    `${id} on ${input.join("x")}, ${grouped(PROPOSALS)} proposals\n\n` +
    table(["part", "parameters", "MACs"], [...rows, ["all", grouped(params), grouped(macs)]]) +
    `\nmap of ${channels} channels and stride 32, ${ANCHORS_PER_CELL} anchors a cell, ${classes} classes with the background\n`
  );
}
