/** One network in several arithmetics over the same pictures: how often each is right, and how often it agrees with the first. */
import { type CompileOptions, compile } from "../engine/compile.ts";
import type { CompiledNetwork } from "../engine/compiled-network.ts";
import type { FeatureMap, Model } from "../network/description.ts";
import type { QuantisedModel } from "../quantization/quantise.ts";

export interface Variant {
  readonly id: string;
  readonly precision: "f32" | "int8";
  readonly options: Pick<CompileOptions, "algorithm" | "filterScaling">;
}

const scaled = (bits: number): Variant => ({
  id: `int8 winograd ${bits} bits`,
  precision: "int8",
  options: { algorithm: "winograd", filterScaling: { bits, granularity: "tap" } },
});

/** The first is what the others are compared with. */
export const VARIANTS: readonly Variant[] = [
  { id: "f32 direct", precision: "f32", options: { algorithm: "direct" } },
  { id: "f32 winograd", precision: "f32", options: { algorithm: "winograd" } },
  { id: "int8 direct", precision: "int8", options: { algorithm: "direct" } },
  { id: "int8 winograd", precision: "int8", options: { algorithm: "winograd" } },
  scaled(10),
  scaled(9),
  scaled(8),
];

export interface VariantResult {
  readonly variant: string;
  /** Of all pictures, 0..1. */
  readonly accuracy: number;
  /** Same answer as the first variant's. */
  readonly agreement: number;
  /** Whether every result is that of "int8 direct", bit for bit: what exact Winograd promises. */
  readonly sameBitsAsInt8Direct?: boolean;
  /** Mean time of a picture, computing alone. */
  readonly msPerPicture: number;
}

/** Number of the largest value, of equal ones the first. */
export function argmax(values: Float32Array): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i]! > values[best]!) best = i;
  return best;
}

interface Tally {
  readonly variant: Variant;
  readonly network: CompiledNetwork;
  right: number;
  agreeing: number;
  same: boolean;
  ms: number;
}

/**
 * Runs every variant on each picture in turn.
 * @param next pictures with labels; decoding them is not timed
 * @throws WasmogradError as `compile`; the signal's reason by way of `next`
 */
export async function compareVariants(
  models: { readonly f32: Model; readonly int8: QuantisedModel },
  variants: readonly Variant[],
  next: AsyncIterable<{ readonly input: FeatureMap<Float32Array>; readonly label: number }>,
): Promise<readonly VariantResult[]> {
  const tallies: Tally[] = [];
  let pictures = 0;
  try {
    for (const variant of variants) {
      const network = await compile(models[variant.precision], variant.options);
      tallies.push({ variant, network, right: 0, agreeing: 0, same: true, ms: 0 });
    }
    for await (const { input, label } of next) {
      pictures++;
      score(tallies, input, label);
    }
  } finally {
    for (const { network } of tallies) network.dispose();
  }
  const hasDirect = variants.some(isInt8Direct);
  return tallies.map(({ variant, right, agreeing, same, ms }) => ({
    variant: variant.id,
    accuracy: right / pictures,
    agreement: agreeing / pictures,
    ...(hasDirect && variant.precision === "int8" && !isInt8Direct(variant) ? { sameBitsAsInt8Direct: same } : {}),
    msPerPicture: ms / pictures,
  }));
}

const isInt8Direct = ({ precision, options }: Variant): boolean =>
  precision === "int8" && options.algorithm === "direct";

function score(tallies: readonly Tally[], input: FeatureMap<Float32Array>, label: number): void {
  let first: number | undefined;
  let direct: Float32Array | undefined;
  for (const tally of tallies) {
    const start = performance.now();
    const { data } = tally.network.run(input);
    tally.ms += performance.now() - start;
    const answer = argmax(data);
    first ??= answer;
    if (answer === label) tally.right++;
    if (answer === first) tally.agreeing++;
    if (isInt8Direct(tally.variant)) direct = data;
    else if (direct && tally.variant.precision === "int8") {
      tally.same &&= data.every((value, i) => value === direct![i]);
    }
  }
}
