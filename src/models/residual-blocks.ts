/** Residual blocks as data, and NN-Mass, the sum over them. */

export type ResidualBlock =
  /** ConvNeXt's, of `width` channels. */
  | { readonly kind: "convnext"; readonly width: number }
  /** Two convolutions, ResNet-18's; `input` and `output` channels. */
  | { readonly kind: "basic"; readonly input: number; readonly output: number }
  /** 1x1 to `expanded` channels, depthwise, 1x1. */
  | {
      readonly kind: "inverted";
      readonly input: number;
      readonly expanded: number;
      readonly output: number;
      readonly stride: number;
    };

/**
 * NN-Mass of one block. ConvNeXt's counts its width twice (RAN, arXiv 2208.08562, official code of RAN-i); the others as in the public code
 * of the parent metric (arXiv 1910.00780), where an inverted bottleneck without a residual counts nothing.
 */
function blockMass(block: ResidualBlock): number {
  if (block.kind === "convnext") return 2 * block.width;
  if (block.kind === "basic") return block.input + block.output;
  const { input, expanded, output, stride } = block;
  return stride === 1 && input === output ? ((input + 2 * expanded) * input) / (2 * input + expanded) : 0;
}

/** NN-Mass of a network: the sum over its blocks. */
export function massOf(blocks: readonly ResidualBlock[]): number {
  return blocks.reduce((sum, block) => sum + blockMass(block), 0);
}
