/** How much memory an operation's weights take: the one figure that depends on their values. */
import type { FilterSize } from "./operation.ts";

/** An operation with weights: its name, the description's layers that it stands for, its filters. */
export interface Weighted {
  /** The operation's. */
  readonly name: string;
  /** By name. */
  readonly layers: readonly string[];
  /** Their size. */
  readonly filter: FilterSize;
}

/** Bytes of an operation's weights as they lie in memory, without biases. */
export type EncodedSize = (operation: Weighted) => number;
