/** Ethos-U: which feature maps exist at which time, and how much of the SRAM they take. */

import { type Tensor, tensorsOf } from "../operation.ts";
import { roundUp } from "./block.ts";
import type { EthosUOperation, EthosUProgram } from "./prepare.ts";

export interface LiveRange {
  readonly tensor: Tensor;
  readonly bytes: number;
  /** Indices of the operation that makes it, -1 of the input, and of the last that reads it. */
  readonly from: number;
  readonly to: number;
  readonly readers: readonly number[];
}

/** Bytes of a feature map as it lies in memory. */
export function storedBytes({ shape: [h, w, c], layout }: Tensor, bits: number): number {
  return (h * w * (layout === "bricks" ? roundUp(c, 16) : c) * bits) / 8;
}

export function liveRanges({ input, output, operations }: EthosUProgram): Map<string, LiveRange> {
  const bits = operations[0]?.bits ?? 8;
  const readers = new Map<string, number[]>();
  for (const [i, operation] of operations.entries()) {
    for (const { name } of tensorsOf(operation)) readers.set(name, [...(readers.get(name) ?? []), i]);
  }
  const range = (tensor: Tensor, from: number): [string, LiveRange] => {
    const read = readers.get(tensor.name) ?? [];
    const to = tensor.name === output.name ? operations.length - 1 : Math.max(from, ...read);
    return [tensor.name, { tensor, bytes: storedBytes(tensor, bits), from, to, readers: read }];
  };
  return new Map([range(input, -1), ...operations.map((operation, i) => range(operation.output, i))]);
}

/** An elementwise operation writes over an operand that nobody else needs. */
function writesInPlace(operation: EthosUOperation, i: number, ranges: ReadonlyMap<string, LiveRange>): number {
  if (operation.kind !== "elementwise") return 0;
  const bytes = ranges.get(operation.output.name)!.bytes;
  const free = tensorsOf(operation).some(({ name }) => {
    const range = ranges.get(name)!;
    return range.readers.length === 1 && range.to === i && range.bytes === bytes;
  });
  return free ? bytes : 0;
}

/** Operations that run interleaved: what one of them needs exists as long as all do. */
export interface Together {
  readonly start: number;
  readonly end: number;
  /** Of all that lies between them. */
  readonly bufferBytes: number;
}

/** Bytes of the chosen feature maps that exist at each operation. */
export function usage(
  { operations }: EthosUProgram,
  ranges: ReadonlyMap<string, LiveRange>,
  inSram: (name: string) => boolean,
  cascades: readonly Together[] = [],
): number[] {
  const at = (i: number): Together | undefined => cascades.find(({ start, end }) => start <= i && i <= end);
  const bytes = operations.map((operation, i) =>
    inSram(operation.output.name) ? -writesInPlace(operation, i, ranges) : 0,
  );
  for (const { start, end, bufferBytes } of cascades) for (let i = start; i <= end; i++) bytes[i]! += bufferBytes;
  for (const { tensor, bytes: size, from, to } of ranges.values()) {
    const [first, last] = [at(from), at(to)];
    // What lies between operations of one cascade is in its buffers.
    if (!inSram(tensor.name) || (first !== undefined && first === last && to < operations.length && from < to))
      continue;
    for (let i = Math.max(first?.start ?? from, 0); i <= (last?.end ?? to); i++) bytes[i]! += size;
  }
  return bytes;
}
