/** Systolic arrays: one sentence on what an operation's time comes from. */
import type { Systolic } from "../devices/description.ts";
import type { WindowOperation } from "../operation.ts";
import { foldsOf, type Mapping } from "./mapping.ts";
import type { ConvolutionFolds } from "./transfers.ts";

const percent = (part: number): string => `${(100 * part).toFixed(part < 0.1 ? 1 : 0)} %`;
const kib = (bytes: number): string => `${Math.round(bytes / 1024)} KiB`;

/** Roles are plurals whose first s ends the noun. */
const counted = (count: number, role: string): string => `${count} ${count === 1 ? role.replace(/s\b/, "") : role}`;

/** What lies on rows, on columns, and passes through. */
const ROLES = {
  os: ["outputs of a channel", "filters", "products of a window"],
  ws: ["products of a window", "filters", "outputs of a channel"],
  is: ["products of a window", "outputs of a channel", "filters"],
} as const;

interface Busy {
  readonly busy: Readonly<Record<string, number>>;
  readonly cycles: number;
  /** Cells with work, of all. */
  readonly used: number;
}

/** The axis that leaves more of the array empty. */
function emptiest(
  { rows, columns }: Systolic,
  mapping: Mapping,
  [ofRows, ofColumns]: readonly [string, string, string],
) {
  const filled = (count: number, cells: number): number => count / (Math.ceil(count / cells) * cells);
  return filled(mapping.rows, rows) <= filled(mapping.columns, columns)
    ? `${counted(mapping.rows, ofRows)} on ${rows} rows`
    : `${counted(mapping.columns, ofColumns)} on ${columns} columns`;
}

export function explainConvolution(
  array: Systolic,
  { kind, filter }: WindowOperation,
  { mapping, foldCycles, bytes }: ConvolutionFolds,
  { busy, cycles, used }: Busy,
): string {
  const longest = Object.keys(busy).reduce((a, b) => (busy[b]! > busy[a]! ? b : a));
  if (longest === "vector") return "the vector unit's activation takes longer than the products";
  if (longest !== "array") {
    const moved = { input: bytes.input, filter: bytes.filter, output: bytes.written + bytes.readAgain };
    const which = longest as keyof typeof moved;
    const what = { input: "inputs", filter: "filters", output: "outputs" }[which];
    const again =
      which === "output"
        ? bytes.readAgain > 0
          ? ", among them sums that are not complete"
          : ""
        : which === "filter" && bytes.filter > 1.5 * filter!.values
          ? ", as half of their memory does not hold them and they come again"
          : "";
    return `${kib(moved[which])} of ${what} pass the DRAM's port more slowly than the array works${again}`;
  }
  const stalls = 1 - busy.array! / cycles;
  if (stalls > 0.1) return `${percent(stalls)} of the time the array waits for its memories, fold by fold`;
  const roles = ROLES[array.dataflow];
  const passes = mapping.steps / foldCycles;
  const channels = kind === "depthwise" ? ", each channel by itself" : "";
  if (passes < used) {
    return `a fold has ${counted(mapping.steps, roles[2])} and takes ${foldCycles} cycles to fill and drain with them${channels}`;
  }
  const { count } = foldsOf(array, mapping);
  const peak = percent(used * passes);
  return `the array works at ${peak} of its peak in ${count * mapping.groups} folds: ${emptiest(array, mapping, roles)}${channels}`;
}

export function explainVector(
  { vectorLanes }: Systolic,
  busy: Readonly<Record<string, number>>,
  cycles: number,
): string {
  return busy.vector === cycles
    ? `the vector unit takes ${vectorLanes} values a cycle`
    : "the map passes the DRAM's ports more slowly than the vector unit works";
}
