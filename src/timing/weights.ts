/** How much memory an operation's weights take: the one figure that depends on their values. */
import type { FilterSize } from "./operation.ts";

/** Bytes of an operation's weights as they lie in memory, without biases. */
export type EncodedSize = (operation: { readonly name: string; readonly filter: FilterSize }) => number;
