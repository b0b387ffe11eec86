/** What a call of a kernel has to do, counted: the model prices it by what a device takes for each part. */

import { type Tail, tailsOfStrips } from "./tails.ts";

/** Bytes that are read or written, and how far they lie. */
export interface Stream {
  readonly bytes: number;
  /** Bytes that pass between two uses of the same byte: the smallest cache that holds as many serves the stream. */
  readonly distance: number;
  readonly write?: true;
}

export interface Work {
  /** Export of the binary. */
  readonly kernel: string;
  /** Products as the kernel's tiles have them, surplus ones included. */
  readonly macs: number;
  /** Products that the layer has. */
  readonly usefulMacs: number;
  /** What else the kernel does, by the name of its cost. */
  readonly parts: Readonly<Record<string, number>>;
  readonly streams: readonly Stream[];
  /** Calls from JavaScript. */
  readonly calls: number;
  /** Rows of the output. */
  readonly rows: number;
  /** What makes the tiles larger than the layer. */
  readonly tails: readonly Tail[];
}

/** Works of one kernel one after the other, such as strips of a layer. */
export function sumOfWorks(works: readonly Work[]): Work {
  const [first] = works as [Work];
  const parts: Record<string, number> = {};
  for (const work of works) {
    for (const [name, count] of Object.entries(work.parts)) parts[name] = (parts[name] ?? 0) + count;
  }
  const sum = (of: (work: Work) => number): number => works.reduce((total, work) => total + of(work), 0);
  return {
    kernel: first.kernel,
    macs: sum(({ macs }) => macs),
    usefulMacs: sum(({ usefulMacs }) => usefulMacs),
    parts,
    streams: works.flatMap(({ streams }) => streams),
    calls: sum(({ calls }) => calls),
    rows: sum(({ rows }) => rows),
    tails: tailsOfStrips(works),
  };
}
