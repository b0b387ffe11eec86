import { check } from "../errors.ts";
import type { Layer, Network } from "../network/description.ts";
import { readers, tensorsRead } from "../network/graph.ts";
import { roundHalfEven } from "../rounding.ts";
import { type Calibration, checkRange, paramsFromRange, type Range, STEPS } from "./ranges.ts";
import { QMAX, QMIN, type QuantizationParams, quantizeValue } from "./requantize.ts";

/**
 * Layers whose output holds bytes of the input: only their meaning moves (offset), their place, or nothing. A class token is put in front of
 * such bytes.
 */
const TIED = ["offset", "depth-to-space", "clip", "max-pool", "subsample", "take-token", "class-token"] as const;
type TiedLayer = Extract<Layer, { op: (typeof TIED)[number] }>;

function isTied(layer: Layer): layer is TiedLayer {
  return (TIED as readonly string[]).includes(layer.op);
}

/** A tensor with all the tensors that are tied to it, directly or through one another. */
interface TiedGroup {
  /** The tensor that an operator computes, or the network's input. */
  readonly root: string;
  /** real value of a member = real value of the root + shift; the root is a member with shift 0. */
  readonly shifts: Map<string, number>;
  /** Members that hold values which the root has not. */
  readonly wider: string[];
}

function findGroups(network: Network): TiedGroup[] {
  const groupOf = new Map<string, TiedGroup>();
  for (const layer of network.layers) {
    if (isTied(layer)) {
      const group = groupOf.get(layer.input)!;
      const shift = group.shifts.get(layer.input)! + (layer.op === "offset" ? layer.value : 0);
      group.shifts.set(layer.name, shift);
      if (layer.op === "class-token") group.wider.push(layer.name);
      groupOf.set(layer.name, group);
    } else {
      groupOf.set(layer.name, { root: layer.name, shifts: new Map([[layer.name, 0]]), wider: [] });
    }
  }
  return [...new Set(groupOf.values())];
}

/** From `root` along tensors with one reader each: the tied layers that everything computed at the root passes through. */
function soleChain(network: Network, root: string): TiedLayer[] {
  const counts = readers(network);
  const chain: TiedLayer[] = [];
  for (let tensor = root; counts.get(tensor) === 1; tensor = chain.at(-1)!.name) {
    const reader = network.layers.find((layer) => tensorsRead(layer).includes(tensor));
    // Behind these not everything comes from the root: channels of zeros, which a clip may not let through, or a token.
    if (!reader || !isTied(reader) || reader.op === "subsample" || reader.op === "class-token") break;
    chain.push(reader);
  }
  return chain;
}

function calibrated(calibration: Calibration, tensor: string): Range {
  const range = Object.hasOwn(calibration, tensor) ? calibration[tensor] : undefined;
  check(range !== undefined, "ERR_QUANTIZATION", () => `calibration: expected a range of tensor ${tensor}, got none`);
  checkRange(range, `calibration of ${tensor}`);
  return range;
}

/**
 * The range that a group must cover, as values of its root. A clip that everything passes through limits it: saturation then does the
 * clipping. The clip of the network's output prescribes the range by itself, whatever was observed, so that int8 levels have a fixed
 * meaning there ([0, 1] gives scale 1/255 and zero point -128: q + 128 is the 8-bit value). Class tokens widen it.
 */
function rangeOf(network: Network, group: TiedGroup, calibration: Calibration): Range {
  return group.wider.reduce(
    ({ min, max }, name) => {
      const own = calibrated(calibration, name);
      const shift = group.shifts.get(name)!;
      return { min: Math.min(min, own.min - shift), max: Math.max(max, own.max - shift) };
    },
    rangeOfRoot(network, group, calibration),
  );
}

function rangeOfRoot(network: Network, { root, shifts }: TiedGroup, calibration: Calibration): Range {
  const chain = soleChain(network, root);
  const clips = chain.filter((layer) => layer.op === "clip");
  const clip = clips[0];
  const last = chain.at(-1);
  if (!clip) return calibrated(calibration, root);
  const { min, max } = last?.name === network.output ? clip : calibrated(calibration, clip.name);
  const shift = shifts.get(clip.name)!;
  return { min: min - shift, max: max - shift };
}

/** The step that divides every offset of a group exactly, at least as large as `widest`. */
function stepFor(group: TiedGroup, offsets: readonly number[], span: number): number {
  const smallest = Math.min(...offsets.map(Math.abs));
  const divisions = Math.floor((STEPS * smallest) / span + 1e-9);
  const message = () =>
    `tensor ${group.root}: expected a range of at most ${STEPS * smallest} for its offset to be a whole number of steps, got ${span}`;
  check(divisions >= 1, "ERR_QUANTIZATION", message);
  const step = smallest / divisions;
  for (const offset of offsets) {
    const multiple = offset / step;
    const whole = Math.abs(multiple - Math.round(multiple)) <= 1e-9 * Math.abs(multiple);
    check(
      whole,
      "ERR_QUANTIZATION",
      () => `tensor ${group.root}: expected offsets that are multiples of ${step}, got ${offset}`,
    );
  }
  return step;
}

/** Parameters of every member: one scale, zero points apart by the offsets in steps. Real zero of each member is representable. */
function paramsOfGroup(group: TiedGroup, range: Range): Map<string, QuantizationParams> {
  const shifts = [...group.shifts];
  const offsets = shifts.map(([, shift]) => shift).filter((shift) => shift !== 0);
  if (offsets.length === 0) {
    const params = paramsFromRange(range, `tensor ${group.root}`);
    return new Map(shifts.map(([name]) => [name, params]));
  }
  const zeros = shifts.map(([, shift]) => -shift);
  const low = Math.min(range.min, ...zeros);
  const high = Math.max(range.max, ...zeros);
  const scale = stepFor(group, offsets, high - low);
  const zeroPoint = roundHalfEven(QMIN - low / scale);
  return new Map(shifts.map(([name, shift]) => [name, { scale, zeroPoint: zeroPoint - Math.round(shift / scale) }]));
}

/**
 * Scale and zero point of every tensor of a fused network. Tied layers, depth-to-space for one, compute no new values: their outputs share
 * the scale of their inputs, and the step of a tensor with an offset is chosen so that the offset is a whole number of steps.
 * @throws WasmogradError ERR_QUANTIZATION naming the tensor whose range is missing or cannot be met
 */
export function assignParams(network: Network, calibration: Calibration): Map<string, QuantizationParams> {
  const params = new Map<string, QuantizationParams>();
  for (const group of findGroups(network)) {
    for (const [name, p] of paramsOfGroup(group, rangeOf(network, group, calibration))) params.set(name, p);
  }
  return params;
}

/** Inclusive int8 limits of an operator's output. */
export interface Limits {
  /** -128 or more. */
  readonly qmin: number;
  /** 127 or less. */
  readonly qmax: number;
}

export const FULL: Limits = { qmin: QMIN, qmax: QMAX };

export function intersect(a: Limits, b: Limits): Limits {
  return { qmin: Math.max(a.qmin, b.qmin), qmax: Math.min(a.qmax, b.qmax) };
}

/** The int8 limits of real values in [min, max]. */
export function limitsOf(min: number, max: number, params: QuantizationParams): Limits {
  return { qmin: quantizeValue(min, params), qmax: quantizeValue(max, params) };
}

/** The same of an output that stays real. */
export interface Clamp {
  readonly minimum: number;
  readonly maximum: number;
}

export const UNLIMITED: Clamp = { minimum: Number.NEGATIVE_INFINITY, maximum: Number.POSITIVE_INFINITY };

/** A network without the clips that its operators apply themselves, and the limits by the (new) name of those operators. */
export interface AbsorbedClips {
  readonly layers: readonly Layer[];
  readonly limits: ReadonlyMap<string, Limits>;
  /** The same limits in binary32, as if no offset lay between operator and clip. */
  readonly clamps: ReadonlyMap<string, Clamp>;
}

/**
 * Takes every clip that all values of an operator pass through (directly, or behind depth-to-space or an offset) into the operator's
 * limits. The layer before a clip takes the clip's name, as it now produces that tensor. The network's input cannot absorb a clip,
 * nor can positions that are computed where the network runs.
 */
export function absorbClips(network: Network, params: ReadonlyMap<string, QuantizationParams>): AbsorbedClips {
  const limits = new Map<string, Limits>();
  const clamps = new Map<string, Clamp>();
  const renamed = new Map<string, string>();
  const gone = new Set<string>();
  const nameNow = (name: string): string => {
    const next = renamed.get(name);
    return next === undefined ? name : nameNow(next);
  };
  for (const { name: root, op } of network.layers.filter((layer) => !isTied(layer))) {
    if (op === "input" || op === "fourier-positions") continue;
    let own = FULL;
    let { minimum, maximum } = UNLIMITED;
    for (const layer of soleChain(network, root)) {
      if (layer.op !== "clip") continue;
      own = intersect(own, limitsOf(layer.min, layer.max, params.get(layer.input)!));
      [minimum, maximum] = [minimum, maximum].map((limit) =>
        Math.fround(Math.min(layer.max, Math.max(layer.min, limit))),
      ) as [number, number];
      renamed.set(layer.input, layer.name);
      gone.add(layer.name);
    }
    if (own === FULL) continue;
    limits.set(nameNow(root), own);
    clamps.set(nameNow(root), { minimum, maximum });
  }
  // A renamed tensor has one reader, the clip that goes: nobody else's inputs need the new name.
  const layers = network.layers.filter(({ name }) => !gone.has(name)).map((l) => ({ ...l, name: nameNow(l.name) }));
  return { layers, limits, clamps };
}
