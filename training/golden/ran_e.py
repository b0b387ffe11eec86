"""RAN-e (Bhardwaj et al., arXiv 2208.08562) in PyTorch: a twin of the official TensorFlow networks, written anew.

Every convolution pads as TensorFlow's SAME and has no bias; batch-norm eps 1e-3; one activation, hard-swish.
Shapes: input [N, 3, H, W], already normalised; output [N, classes].
"""
from torch import nn
from torch.nn.functional import hardswish

from same_padding import SameConv2d, depthwise

EPS = 1e-3
COLLAPSED = "collapsed"

# Per row: outputs, stride of the first block, and one entry per block: COLLAPSED or (depthwise kernel, expansion).
GT_ROWS = (
    (32, 1, (COLLAPSED,)),
    (48, 2, (COLLAPSED,)),
    (64, 2, (COLLAPSED,)),
    (80, 1, (COLLAPSED,)),
    (80, 2, ((5, 6), (5, 6))),
    (96, 1, ((3, 4), (3, 4))),
    (128, 1, (COLLAPSED, COLLAPSED)),
    (160, 2, ((7, 6),)),
    (176, 1, ((3, 4), (3, 4), (3, 4))),
    (224, 1, ((5, 6), (5, 6))),
)
C_ROWS = (
    (32, 1, (COLLAPSED,)),
    (48, 2, (COLLAPSED,)),
    (64, 2, ((3, 6),)),
    (80, 1, (COLLAPSED,)),
    (80, 2, ((5, 6), COLLAPSED)),
    (96, 1, ((5, 4), COLLAPSED)),
    (128, 1, ((3, 6), (3, 6))),
    (160, 2, (COLLAPSED,)),
    (176, 1, ((7, 4), (3, 4), COLLAPSED)),
    (224, 1, ((5, 6), (5, 6))),
)


def batch_norm(channels):
    return nn.BatchNorm2d(channels, eps=EPS)


class CollapsedBlock(nn.Module):
    """Batch norm, hard-swish, 3x3 convolution, batch norm; plus x where the shapes allow it."""

    def __init__(self, c_in, c_out, stride):
        super().__init__()
        self.residual = stride == 1 and c_in == c_out
        self.pre_bn, self.conv, self.bn = batch_norm(c_in), SameConv2d(c_in, c_out, 3, stride), batch_norm(c_out)

    def forward(self, x):
        y = self.bn(self.conv(hardswish(self.pre_bn(x))))
        return x + y if self.residual else y


class DoubleCollapsedBlock(nn.Module):
    """128 -> 64 -> 128: the collapsed form of the only pair that passes through fewer channels."""

    def __init__(self, channels=128, middle=64):
        super().__init__()
        self.pre_bn = batch_norm(channels)
        self.conv1, self.bn1 = SameConv2d(channels, middle, 3), batch_norm(middle)
        self.conv2, self.bn2 = SameConv2d(middle, channels, 3), batch_norm(channels)

    def forward(self, x):
        y = self.bn1(self.conv1(hardswish(self.pre_bn(x))))
        return x + self.bn2(self.conv2(hardswish(y)))


class InvertedBottleneck(nn.Module):
    """1x1 expansion, depthwise k x k, linear 1x1 projection; plus x where the shapes allow it."""

    def __init__(self, c_in, c_out, stride, kernel, middle, residual=None):
        super().__init__()
        self.residual = stride == 1 and c_in == c_out if residual is None else residual
        self.expand, self.expand_bn = SameConv2d(c_in, middle, 1), batch_norm(middle)
        self.dw, self.dw_bn = depthwise(middle, kernel, stride), batch_norm(middle)
        self.project, self.project_bn = SameConv2d(middle, c_out, 1), batch_norm(c_out)

    def forward(self, x):
        y = hardswish(self.expand_bn(self.expand(x)))
        y = hardswish(self.dw_bn(self.dw(y)))
        y = self.project_bn(self.project(y))
        return x + y if self.residual else y


class DoubleInvertedBottleneck(nn.Module):
    """128 -> 64 -> 128, 768 channels in the middle of both halves, one residual around the two."""

    def __init__(self, kernel, channels=128, between=64, middle=768):
        super().__init__()
        self.a = InvertedBottleneck(channels, between, 1, kernel, middle, residual=False)
        self.b = InvertedBottleneck(between, channels, 1, kernel, middle, residual=False)

    def forward(self, x):
        return x + self.b(self.a(x))


def make_block(c_in, c_out, stride, kind):
    if kind == COLLAPSED:
        return DoubleCollapsedBlock() if c_in == c_out == 128 else CollapsedBlock(c_in, c_out, stride)
    kernel, expansion = kind
    if c_in == c_out == 128:
        return DoubleInvertedBottleneck(kernel)
    return InvertedBottleneck(c_in, c_out, stride, kernel, c_in * expansion)


class Top(nn.Module):
    """1x1 convolution and depthwise convolution, each with batch norm and hard-swish."""

    def __init__(self, c_in, width, kernel):
        super().__init__()
        self.conv, self.bn = SameConv2d(c_in, width, 1), batch_norm(width)
        self.dw, self.dw_bn = depthwise(width, kernel), batch_norm(width)

    def forward(self, x):
        x = hardswish(self.bn(self.conv(x)))
        return hardswish(self.dw_bn(self.dw(x)))


class RanE(nn.Module):
    """Names of the parameters: README.md of this folder.

    stem_bn: batch norm and hard-swish behind the stem. RAN-e has none, since its first block starts with them;
    the small networks of ../study that start with an inverted bottleneck do.
    """

    def __init__(self, rows, stem=16, stem_stride=2, top=1344, top_kernel=7, classes=1000, stem_bn=False):
        super().__init__()
        self.stem = SameConv2d(3, stem, 3, stem_stride)
        self.stem_bn = batch_norm(stem) if stem_bn else None
        self.blocks = nn.ModuleList()
        channels = stem
        for c_out, stride, kinds in rows:
            row = nn.ModuleList()
            for index, kind in enumerate(kinds):
                row.append(make_block(channels, c_out, 1 if index else stride, kind))
                channels = c_out
            self.blocks.append(row)
        self.top = Top(channels, top, top_kernel)
        self.head = nn.Linear(top, classes)

    def forward(self, x):
        x = self.stem(x)
        if self.stem_bn is not None:
            x = hardswish(self.stem_bn(x))
        for row in self.blocks:
            for block in row:
                x = block(x)
        return self.head(self.top(x).mean((2, 3)))


def ran_e_gt():
    return RanE(GT_ROWS)


def ran_e_c():
    return RanE(C_ROWS)
