import { describe, expect, it } from "vitest";
import { checkpointNames } from "../../src/formats/checkpoint-names.ts";

const mapped = (names: Record<string, string>, ...others: string[]) => {
  const expected = new Set([...Object.values(names), ...others]);
  return Object.fromEntries(checkpointNames(Object.keys(names), expected));
};

describe("checkpointNames", () => {
  it("knows ConvNeXt as timm writes it", () => {
    const names = {
      "stem.0.weight": "downsample_layers.0.0.weight",
      "stem.1.bias": "downsample_layers.0.1.bias",
      "stages.0.blocks.2.conv_dw.weight": "stages.0.2.dwconv.weight",
      "stages.1.downsample.0.weight": "downsample_layers.1.0.weight",
      "stages.1.downsample.1.bias": "downsample_layers.1.1.bias",
      "stages.2.blocks.8.norm.weight": "stages.2.8.norm.weight",
      "stages.2.blocks.8.mlp.fc1.bias": "stages.2.8.pwconv1.bias",
      "stages.3.blocks.0.mlp.fc2.weight": "stages.3.0.pwconv2.weight",
      "stages.3.blocks.0.gamma": "stages.3.0.gamma",
      "head.norm.weight": "norm.weight",
      "head.fc.bias": "head.bias",
    };
    expect(mapped(names)).toEqual(names);
  });

  it("knows ConvNeXt as torchvision writes it", () => {
    const names = {
      "features.0.0.weight": "downsample_layers.0.0.weight",
      "features.1.0.layer_scale": "stages.0.0.gamma",
      "features.1.0.block.0.bias": "stages.0.0.dwconv.bias",
      "features.1.0.block.2.weight": "stages.0.0.norm.weight",
      "features.2.1.weight": "downsample_layers.1.1.weight",
      "features.5.7.block.3.weight": "stages.2.7.pwconv1.weight",
      "features.7.2.block.5.bias": "stages.3.2.pwconv2.bias",
      "classifier.0.weight": "norm.weight",
      "classifier.2.bias": "head.bias",
    };
    expect(mapped(names)).toEqual(names);
  });

  it("knows MobileNetV2 as timm writes it", () => {
    const names = {
      "conv_stem.weight": "features.0.0.weight",
      "bn1.running_var": "features.0.1.running_var",
      "blocks.0.0.conv_dw.weight": "features.1.conv.0.0.weight",
      "blocks.0.0.bn2.bias": "features.1.conv.2.bias",
      "blocks.1.0.conv_pw.weight": "features.2.conv.0.0.weight",
      "blocks.1.1.conv_dw.weight": "features.3.conv.1.0.weight",
      "blocks.2.2.conv_pwl.weight": "features.6.conv.2.weight",
      "blocks.3.3.bn3.weight": "features.10.conv.3.weight",
      "blocks.6.0.bn1.weight": "features.17.conv.0.1.weight",
      "conv_head.weight": "features.18.0.weight",
      "bn2.weight": "features.18.1.weight",
      "classifier.weight": "classifier.1.weight",
    };
    expect(mapped(names)).toEqual(names);
  });

  it("knows vision transformers as torchvision writes them", () => {
    const layer = "encoder.layers.encoder_layer_11";
    const names = {
      class_token: "cls_token",
      "encoder.pos_embedding": "pos_embed",
      "conv_proj.weight": "patch_embed.proj.weight",
      [`${layer}.ln_1.weight`]: "blocks.11.norm1.weight",
      [`${layer}.self_attention.in_proj_weight`]: "blocks.11.attn.qkv.weight",
      [`${layer}.self_attention.in_proj_bias`]: "blocks.11.attn.qkv.bias",
      [`${layer}.self_attention.out_proj.bias`]: "blocks.11.attn.proj.bias",
      [`${layer}.ln_2.bias`]: "blocks.11.norm2.bias",
      [`${layer}.mlp.0.weight`]: "blocks.11.mlp.fc1.weight",
      [`${layer}.mlp.linear_2.bias`]: "blocks.11.mlp.fc2.bias",
      "encoder.ln.weight": "norm.weight",
      "heads.head.bias": "head.bias",
    };
    expect(mapped(names)).toEqual(names);
  });

  it("knows XCiT as the official code writes it", () => {
    const names = {
      "pos_embeder.token_projection.weight": "pos_embed.token_projection.weight",
      "blocks.0.attn.temperature": "blocks.0.attn.temperature",
    };
    expect(mapped(names)).toEqual(names);
  });

  it("keeps names that the network has, takes prefixes off, leaves counters out and unknown names as they are", () => {
    const own = ["conv1.weight", "module.bn1.weight", "bn1.num_batches_tracked", "what.is.this"];
    const names = checkpointNames(own, new Set(["conv1.weight", "bn1.weight"]));
    expect(Object.fromEntries(names)).toEqual({
      "conv1.weight": "conv1.weight",
      "module.bn1.weight": "bn1.weight",
      "what.is.this": "what.is.this",
    });
  });
});
