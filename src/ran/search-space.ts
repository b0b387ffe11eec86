/**
 * RAN-e's search space as far as the official code shows it: channels, strides and repeats are fixed, and each block is collapsed or an
 * inverted bottleneck with a kernel of 3, 5 or 7 and an expansion of 4 or 6. That these are all choices is our reading: two searched
 * networks were released, and they differ in nothing else.
 */
import { check } from "../errors.ts";
import { RAN_E_IDS, type RanERow, ranERows, STEM_CHANNELS } from "../models/ran-e.ts";
import { blocksAt, isResidual, type RanEBlock } from "../models/ran-e-blocks.ts";
import type { BlockShape } from "./block-shape.ts";

/** Blocks of one width, before they are chosen. */
export interface SpaceRow {
  /** Output channels of each. */
  readonly channels: number;
  /** Of the first block; the others have 1. */
  readonly stride: number;
  /** How many. */
  readonly repeats: number;
}

/** Of the two released networks. */
export function ranESpace(): SpaceRow[] {
  return ranERows("ran-e-gt").map(({ channels, stride, blocks }) => ({ channels, stride, repeats: blocks.length }));
}

/** One block to choose. */
export interface Position {
  /** `<row>.<repeat>`, as in the names of the network's weights. */
  readonly name: string;
  /** Channels. */
  readonly input: number;
  /** Channels. */
  readonly output: number;
  /** Of both axes. */
  readonly stride: number;
  /** Whether the input is added to the output. */
  readonly residual: boolean;
  /** Of the input, in pixels. */
  readonly height: number;
  /** Of the input, in pixels. */
  readonly width: number;
  /** What it may be, at least one. */
  readonly choices: readonly RanEBlock[];
}

/** A search space for pictures of one size. */
export interface LaidOutSpace {
  /** From the stem on. */
  readonly rows: readonly SpaceRow[];
  /** What stands before all blocks. */
  readonly stem: BlockShape;
  /** The blocks to choose, in order. */
  readonly positions: readonly Position[];
  /** What stands behind all blocks. */
  readonly top: BlockShape;
}

/** Choices that a person makes. */
export interface Wishes {
  /** The block of a position, by the position's name. */
  readonly pins?: Readonly<Record<string, RanEBlock>>;
  /** Blocks that are not to be chosen: anywhere, or at one position. */
  readonly forbidden?: readonly {
    /** Its name; everywhere unless given. */
    readonly position?: string;
    /** What is not to be chosen. */
    readonly block: RanEBlock;
  }[];
}

/** @throws WasmogradError ERR_ARGUMENT on a position or block that is none, or a position that is left without a choice */
function allowed(position: Omit<Position, "choices">, { pins = {}, forbidden = [] }: Wishes): readonly RanEBlock[] {
  const { name } = position;
  const possible = blocksAt(position);
  const pin = Object.hasOwn(pins, name) ? pins[name]! : undefined;
  check(
    pin === undefined || possible.includes(pin),
    "ERR_ARGUMENT",
    () => `pin: expected one of ${possible.join(", ")} at ${name}, got ${pin}`,
  );
  const barred = (block: RanEBlock): boolean =>
    forbidden.some((f) => f.block === block && (f.position ?? name) === name);
  const choices = (pin === undefined ? possible : [pin]).filter((block) => !barred(block));
  check(choices.length > 0, "ERR_ARGUMENT", () => `forbid: expected a choice to be left at ${name}, got none`);
  return choices;
}

/**
 * The space for pictures of [height, width] pixels: RAN-e's blocks (RAN, official code), each position with those that fit it.
 * @param rows the released networks' unless given
 * @throws WasmogradError ERR_ARGUMENT on wishes for positions or blocks that do not exist or leave no choice, and on a size that is not
 *   positive
 */
export function layOutSpace(
  [height, width]: readonly [height: number, width: number],
  wishes: Wishes = {},
  rows: readonly SpaceRow[] = ranESpace(),
): LaidOutSpace {
  for (const side of [height, width]) {
    const sound = Number.isSafeInteger(side) && side > 0;
    check(sound, "ERR_ARGUMENT", () => `input: expected positive integers, got ${height}x${width}`);
  }
  const stem: BlockShape = {
    block: "stem",
    input: 3,
    output: STEM_CHANNELS,
    stride: 2,
    residual: false,
    height,
    width,
  };
  let at = { channels: stem.output, height: Math.ceil(height / 2), width: Math.ceil(width / 2) };
  const positions = rows.flatMap(({ channels, stride: first, repeats }, row) =>
    Array.from({ length: repeats }, (_, repeat): Position => {
      const stride = repeat === 0 ? first : 1;
      const ends = { input: at.channels, output: channels, stride };
      const { height, width } = at;
      const position = { name: `${row}.${repeat}`, ...ends, residual: isResidual(ends), height, width };
      at = { channels, height: Math.ceil(height / stride), width: Math.ceil(width / stride) };
      return { ...position, choices: allowed(position, wishes) };
    }),
  );
  const names = positions.map(({ name }) => name);
  const wished = [
    ...Object.keys(wishes.pins ?? {}).map((name) => ["pin", name] as const),
    ...(wishes.forbidden ?? []).flatMap((f) => (f.position === undefined ? [] : [["forbid", f.position] as const])),
  ];
  for (const [option, name] of wished) {
    const known = names.includes(name);
    check(known, "ERR_ARGUMENT", () => `${option}: expected a position of ${names.join(", ")}, got ${name}`);
  }
  const top: BlockShape = {
    block: "top",
    input: at.channels,
    output: 1000,
    stride: 1,
    residual: false,
    height: at.height,
    width: at.width,
  };
  return { rows, stem, positions, top };
}

/** A position with a block put there. */
export function shapeAt(position: Position, block: RanEBlock): BlockShape {
  const { input, output, stride, residual, height, width } = position;
  return { block, input, output, stride, residual, height, width };
}

/** All shapes that networks of the space have, each once in the order of the network. */
export function shapesOf({ stem, positions, top }: LaidOutSpace): BlockShape[] {
  return [stem, ...positions.flatMap((p) => p.choices.map((block) => shapeAt(p, block))), top];
}

/** Chosen blocks as `ranENetwork` takes them; one a position, in order. */
export function rowsFrom(rows: readonly SpaceRow[], blocks: readonly RanEBlock[]): RanERow[] {
  let next = 0;
  return rows.map(({ channels, stride, repeats }) => {
    next += repeats;
    return { channels, stride, blocks: blocks.slice(next - repeats, next) };
  });
}

export interface KnownNetwork {
  readonly id: string;
  /** One a position of `ranESpace`. */
  readonly blocks: readonly RanEBlock[];
}

/**
 * Networks that a search is compared with. "start" has inverted bottlenecks of kernel 3 and expansion 6 everywhere, in the spirit of
 * EfficientNet-Lite0 on RAN-e's rows; it is ours: what the authors started from is not known.
 */
export function ranENetworks(): KnownNetwork[] {
  const start = ranESpace().flatMap(({ repeats }) => new Array<RanEBlock>(repeats).fill("k3 t6"));
  const released = RAN_E_IDS.map((id) => ({ id, blocks: ranERows(id).flatMap(({ blocks }) => blocks) }));
  return [{ id: "start", blocks: start }, ...released];
}
