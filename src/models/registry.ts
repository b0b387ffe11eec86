import { WasmogradError } from "../errors.ts";
import type { Network } from "../network/description.ts";
import { SESR_VARIANTS, type SesrVariant, sesr } from "./sesr.ts";

export interface ModelOptions {
  /** Upscaling factor of super-resolution models; 2 unless given. */
  readonly scale?: 2 | 4;
  readonly form?: "collapsed" | "expanded";
}

type Builder = (options: ModelOptions) => Network;

const BUILDERS: ReadonlyMap<string, Builder> = new Map(
  (Object.keys(SESR_VARIANTS) as SesrVariant[]).map((variant): [string, Builder] => [
    `sesr-${variant}`,
    ({ scale = 2, form = "collapsed" }) => sesr({ variant, scale, form }),
  ]),
);

/** The ids that `buildModel` knows, smallest model of each family first. */
export function modelIds(): string[] {
  return [...BUILDERS.keys()];
}

/** The description of a model by its id. @throws WasmogradError ERR_ARGUMENT when the id is unknown (lists the known ones) */
export function buildModel(id: string, options: ModelOptions = {}): Network {
  const builder = BUILDERS.get(id);
  if (builder) return builder(options);
  throw new WasmogradError("ERR_ARGUMENT", `model: expected one of ${modelIds().join(", ")}, got ${String(id)}`);
}
