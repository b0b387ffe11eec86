"""ConvNeXt and RAN-i on torchvision's ConvNeXt, under the names of the original ConvNeXt code.

RAN-i is ConvNeXt-T with other depths and widths: round(depth * dm), round(width * wm), halves to even.
"""
from torchvision.models.convnext import CNBlockConfig, ConvNeXt

DEPTHS, DIMS = (3, 3, 9, 3), (96, 192, 384, 768)


def convnext(depths=DEPTHS, dims=DIMS):
    following = (*dims[1:], None)
    return ConvNeXt([CNBlockConfig(c, n, d) for c, n, d in zip(dims, following, depths)], stochastic_depth_prob=0.0)


def ran_i(width_multiplier, depth_multiplier):
    return convnext([round(d * depth_multiplier) for d in DEPTHS], [round(c * width_multiplier) for c in DIMS])


# Inside a block: torchvision's name -> the original one.
BLOCK = {"block.0": "dwconv", "block.2": "norm", "block.3": "pwconv1", "block.5": "pwconv2"}


def original_name(name):
    """torchvision's parameter name -> the original one: features.3.1.block.0.weight -> stages.1.1.dwconv.weight."""
    kind, *rest = name.split(".")
    if kind == "classifier":
        return {"0": "norm", "2": "head"}[rest[0]] + "." + rest[1]
    part = int(rest[0])
    if part % 2 == 0:  # the stem, then one downsampling before each later stage
        return ".".join(["downsample_layers", str(part // 2), *rest[1:]])
    block = f"stages.{part // 2}.{rest[1]}"
    if rest[2] == "layer_scale":  # [C, 1, 1] here, [C] there
        return block + ".gamma"
    return f"{block}.{BLOCK['.'.join(rest[2:4])]}.{rest[4]}"


def stages(model):
    """name -> module whose output is recorded: the downsampling layers, first blocks and whole stages."""
    found = {}
    for part, module in enumerate(model.features):
        if part % 2 == 0:
            found[f"downsample_layers.{part // 2}"] = module
        else:
            found[f"stages.{part // 2}.0"] = module[0]
            found[f"stages.{part // 2}"] = module
    return found
