import type { Model } from "../description.ts";
import { collapse } from "./collapse.ts";
import { fuse } from "./fuse.ts";

/** The form of a model that runs, that calibration observes and that quantisation starts from: collapsed and fused. */
export function prepare(model: Model): Model {
  return fuse(collapse(model));
}
