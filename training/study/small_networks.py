"""The two networks of the study: RAN-e's blocks at CIFAR's size, the same rows once with and once without collapsing.

Kept apart from RAN-e: stem of stride 1, narrower rows, a 3x3 instead of a 7x7 kernel in the top.
"""
import sys
from pathlib import Path

from torch import nn

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "golden"))
from ran_e import COLLAPSED, CollapsedBlock, RanE  # noqa: E402
from same_padding import SameConv2d, conv2d_same  # noqa: E402

IBN = (3, 4)  # depthwise kernel, expansion
MACRO = ((16, 2, 1), (24, 1, 1), (40, 2, 1), (40, 1, 1), (64, 2, 1), (64, 1, 1))  # outputs, stride, repeats
EARLY = 3  # rows with maps of 32x32 and 16x16 at their input: the inefficient ones
SHAPE = {"stem": 8, "stem_stride": 1, "top": 192, "top_kernel": 3, "classes": 10}


def rows(collapsed_rows):
    return tuple((c, stride, (COLLAPSED if i < collapsed_rows else IBN,) * repeats)
                 for i, (c, stride, repeats) in enumerate(MACRO))


# name -> (rows, batch norm and hard-swish behind the stem). A collapsed first block starts with both itself,
# so each network has exactly one activation between the stem and the first block's convolution.
NETWORKS = {"ibn": (rows(0), True), "ran": (rows(EARLY), False)}


class ExpandedConv2d(nn.Module):
    """Training form of a collapsed 3x3 convolution: 3x3 (in -> p), then 1x1 (p -> out), nothing in between.

    The two linear kernels are multiplied out at every step and the product is convolved with once.
    """

    def __init__(self, conv, expansion=4):
        super().__init__()
        self.stride = conv.stride[0]
        middle = expansion * conv.in_channels
        self.expand = nn.Conv2d(conv.in_channels, middle, 3, bias=False)
        self.project = nn.Conv2d(middle, conv.out_channels, 1, bias=False)

    def collapse(self):
        """-> weight [out, in, 3, 3]."""
        kernel = self.expand.weight
        return (self.project.weight.flatten(1) @ kernel.flatten(1)).view(-1, *kernel.shape[1:])

    def forward(self, x):
        return conv2d_same(x, self.collapse(), self.stride)


def build(name):
    """-> the inference form."""
    network_rows, stem_bn = NETWORKS[name]
    return RanE(network_rows, stem_bn=stem_bn, **SHAPE)


def expand(model):
    """Turns the collapsed blocks' convolutions into their training form, in place."""
    for module in model.modules():
        if isinstance(module, CollapsedBlock):
            module.conv = ExpandedConv2d(module.conv)
    return model


def collapse(model):
    """The way back, in place: afterwards the parameters have the names and shapes of `build`."""
    for module in model.modules():
        if isinstance(module, CollapsedBlock) and isinstance(module.conv, ExpandedConv2d):
            weight = module.conv.collapse().detach()
            plain = SameConv2d(weight.shape[1], weight.shape[0], 3, module.conv.stride)
            plain.weight.data.copy_(weight)
            module.conv = plain
    return model
