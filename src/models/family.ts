/** What every family of networks says about itself: the registry and the command line read it. */
import type { AttentionOption } from "../attention/family.ts";
import type { Network } from "../network/description.ts";
import type { ResidualBlock } from "./residual-blocks.ts";

/** Of `buildModel`; an option that a model does not have is refused. */
export interface ModelOptions {
  /** Upscaling factor of super-resolution models; 2 unless given. */
  readonly scale?: 2 | 3 | 4;
  /**
   * SESR: "collapsed" (default) or "expanded", in linear blocks. RepVGG: "deployed" (default) or "train", with three branches a block.
   * The second of each is what trains.
   */
  readonly form?: "collapsed" | "expanded" | "deployed" | "train";
  /** Vision transformers: a member of the compact attention family, by name or by its fields; "standard" unless given. */
  readonly attention?: AttentionOption;
}

/** What a network is for. */
export type Task = "classification" | "super-resolution";
/** [height, width] in pixels. */
export type InputSize = readonly [height: number, width: number];

export interface ModelFamily {
  /** As people call it. */
  readonly name: string;
  readonly task: Task;
  /** Smallest first. */
  readonly ids: readonly string[];
  /** Values of the options that the family has, its default first. */
  readonly scales?: readonly NonNullable<ModelOptions["scale"]>[];
  readonly forms?: readonly NonNullable<ModelOptions["form"]>[];
  /** Whether the networks have attention, which the option of that name makes compact. */
  readonly hasAttention?: true;
  /** The input for which its authors count; of super resolution one that comes out at 1280x720. */
  readonly input: (options: ModelOptions) => InputSize;
  /** Of one of `ids`, options within `scales` and `forms`. */
  readonly build: (id: string, options: ModelOptions) => Network;
  /** What NN-Mass is summed over; absent where it is not defined. */
  readonly residualBlocks?: (id: string) => readonly ResidualBlock[];
}
