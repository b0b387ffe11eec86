/** Residual blocks as data, and NN-Mass, the sum over them. */

export type ResidualBlock =
  /** ConvNeXt's, of `width` channels. */
  | { readonly kind: "convnext"; readonly width: number }
  /** Two convolutions, ResNet-18's; `input` and `output` channels. */
  | { readonly kind: "basic"; readonly input: number; readonly output: number }
  /** 1x1 to `bottleneck` channels, 3x3, 1x1 back. */
  | { readonly kind: "bottleneck"; readonly input: number; readonly bottleneck: number }
  /** 1x1 to `expanded` channels, depthwise, 1x1; counts only with its residual, so at stride 1 and with as many channels out as in. */
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
export function residualMass(block: ResidualBlock): number {
  const harmonic = (c: number, inner: number): number => ((c + 2 * inner) * c) / (2 * c + inner);
  switch (block.kind) {
    case "convnext":
      return 2 * block.width;
    case "basic":
      return block.input + block.output;
    case "bottleneck":
      return harmonic(block.input, block.bottleneck);
    case "inverted":
      return block.stride === 1 && block.input === block.output ? harmonic(block.input, block.expanded) : 0;
  }
}

/** NN-Mass of a network: the sum over its blocks. */
export function massOf(blocks: readonly ResidualBlock[]): number {
  return blocks.reduce((sum, block) => sum + residualMass(block), 0);
}
