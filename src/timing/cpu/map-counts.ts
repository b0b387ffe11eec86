/** What the counting of layers that are no convolutions takes and gives. */
import type { Shape } from "../../network/description.ts";
import type { Work } from "./work.ts";

/** What a layer asks of its kernel. Without `usefulMacs` all products are useful. */
export type MapCounts = Pick<Work, "kernel" | "parts" | "tails"> & Partial<Pick<Work, "macs" | "usefulMacs" | "calls">>;

export interface MapContext {
  readonly precision: "f32" | "int8";
  readonly shapes: ReadonlyMap<string, Shape>;
}
