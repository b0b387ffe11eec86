/** Names of weights in PyTorch checkpoints, as torchvision and timm write them -> the names of our descriptions (src/models/). */

/** Our name of a tensor, or undefined where the rules do not know it. */
type Rule = (name: string) => string | undefined;

/** A rule from a pattern of the whole name and what it becomes. */
function rule(pattern: RegExp, to: (...groups: string[]) => string): Rule {
  return (name) => {
    const match = pattern.exec(name);
    return match ? to(...match.slice(1).map((group) => group ?? "")) : undefined;
  };
}

/** ConvNeXt and RAN-i in timm. */
const convnextTimm = (): readonly Rule[] => [
  rule(/^stem\.([01])\.(\w+)$/, (part, leaf) => `downsample_layers.0.${part}.${leaf}`),
  rule(
    /^stages\.(\d)\.downsample\.([01])\.(\w+)$/,
    (stage, part, leaf) => `downsample_layers.${stage}.${part}.${leaf}`,
  ),
  rule(/^stages\.(\d)\.blocks\.(\d+)\.(.+)$/, (stage, block, rest) => {
    const own = rest.replace("conv_dw", "dwconv").replace("mlp.fc1", "pwconv1").replace("mlp.fc2", "pwconv2");
    return `stages.${stage}.${block}.${own}`;
  }),
  rule(/^head\.norm\.(\w+)$/, (leaf) => `norm.${leaf}`),
  rule(/^head\.fc\.(\w+)$/, (leaf) => `head.${leaf}`),
];

/** ConvNeXt in torchvision: features 0, 2, 4, 6 are the stem and the downsamplings, the others the stages. */
const convnextTorchvision = (): readonly Rule[] => [
  rule(/^features\.([0246])\.([01])\.(\w+)$/, (at, part, leaf) => `downsample_layers.${+at / 2}.${part}.${leaf}`),
  rule(/^features\.([1357])\.(\d+)\.layer_scale$/, (at, block) => `stages.${(+at - 1) / 2}.${block}.gamma`),
  rule(/^features\.([1357])\.(\d+)\.block\.([0235])\.(\w+)$/, (at, block, part, leaf) => {
    const own = { 0: "dwconv", 2: "norm", 3: "pwconv1", 5: "pwconv2" }[part];
    return `stages.${(+at - 1) / 2}.${block}.${own}.${leaf}`;
  }),
  rule(/^classifier\.0\.(\w+)$/, (leaf) => `norm.${leaf}`),
  rule(/^classifier\.2\.(\w+)$/, (leaf) => `head.${leaf}`),
];

/** Blocks before each stage of MobileNetV2, the first block being number 1. */
const MOBILENET_STAGES = [1, 2, 4, 7, 11, 14, 17];

/** MobileNetV2 in timm; ours are torchvision's names. */
const mobilenetV2Timm = (): readonly Rule[] => [
  rule(/^conv_stem\.weight$/, () => "features.0.0.weight"),
  rule(/^bn1\.(\w+)$/, (leaf) => `features.0.1.${leaf}`),
  rule(/^blocks\.(\d)\.(\d)\.(conv_pwl?|conv_dw|bn[123])\.(\w+)$/, (stage, block, part, leaf) => {
    const first = stage === "0";
    const places = first
      ? { conv_dw: "0.0", bn1: "0.1", conv_pw: "1", bn2: "2" }
      : { conv_pw: "0.0", bn1: "0.1", conv_dw: "1.0", bn2: "1.1", conv_pwl: "2", bn3: "3" };
    const place = (places as Readonly<Record<string, string>>)[part];
    return `features.${MOBILENET_STAGES[+stage]! + +block}.conv.${place}.${leaf}`;
  }),
  rule(/^conv_head\.weight$/, () => "features.18.0.weight"),
  rule(/^bn2\.(\w+)$/, (leaf) => `features.18.1.${leaf}`),
  rule(/^classifier\.(weight|bias)$/, (leaf) => `classifier.1.${leaf}`),
];

/** Vision transformers in torchvision; ours are timm's names. */
const vitTorchvision = (): readonly Rule[] => [
  rule(/^class_token$/, () => "cls_token"),
  rule(/^encoder\.pos_embedding$/, () => "pos_embed"),
  rule(/^conv_proj\.(\w+)$/, (leaf) => `patch_embed.proj.${leaf}`),
  rule(/^encoder\.layers\.encoder_layer_(\d+)\.ln_([12])\.(\w+)$/, (at, n, leaf) => `blocks.${at}.norm${n}.${leaf}`),
  rule(
    /^encoder\.layers\.encoder_layer_(\d+)\.self_attention\.in_proj_(\w+)$/,
    (at, leaf) => `blocks.${at}.attn.qkv.${leaf}`,
  ),
  rule(
    /^encoder\.layers\.encoder_layer_(\d+)\.self_attention\.out_proj\.(\w+)$/,
    (at, leaf) => `blocks.${at}.attn.proj.${leaf}`,
  ),
  rule(
    /^encoder\.layers\.encoder_layer_(\d+)\.mlp\.(?:linear_1|0)\.(\w+)$/,
    (at, leaf) => `blocks.${at}.mlp.fc1.${leaf}`,
  ),
  rule(
    /^encoder\.layers\.encoder_layer_(\d+)\.mlp\.(?:linear_2|3)\.(\w+)$/,
    (at, leaf) => `blocks.${at}.mlp.fc2.${leaf}`,
  ),
  rule(/^encoder\.ln\.(\w+)$/, (leaf) => `norm.${leaf}`),
  rule(/^heads\.head\.(\w+)$/, (leaf) => `head.${leaf}`),
];

/** XCiT in the official code; ours are timm's names. */
const xcitOfficial = (): readonly Rule[] => [rule(/^pos_embeder\.(.+)$/, (rest) => `pos_embed.${rest}`)];

/** Functions, so that a bundler can leave them out of a page that loads no checkpoints. */
const STYLES = [convnextTimm, convnextTorchvision, mobilenetV2Timm, vitTorchvision, xcitOfficial] as const;

/** What training leaves in a checkpoint and inference does not read. */
const IGNORED = /(^|\.)num_batches_tracked$/;

/** Without the prefixes that wrappers of a module add. */
const bare = (name: string): string => name.replace(/^(?:module|model|_orig_mod)\./, "");

/**
 * Our name of each tensor of a checkpoint, in the style of names that fits the network best; a name that no rule knows stays as it is, so
 * that it is reported under the name that the user sees. Tensors that inference does not read are left out.
 * @param expected the names that the network has
 */
export function checkpointNames(names: Iterable<string>, expected: ReadonlySet<string>): Map<string, string> {
  const read = [...names].filter((name) => !IGNORED.test(name));
  const styles = [[] as readonly Rule[], ...STYLES.map((style) => style())].map((rules) => {
    const renamed = (name: string): string => {
      const own = expected.has(name) ? name : bare(name);
      for (const apply of rules) {
        const to = apply(own);
        if (to !== undefined) return to;
      }
      return expected.has(own) ? own : name;
    };
    const map = new Map(read.map((name) => [name, renamed(name)]));
    return { map, hits: [...map.values()].filter((name) => expected.has(name)).length };
  });
  return styles.reduce((best, style) => (style.hits > best.hits ? style : best)).map;
}
