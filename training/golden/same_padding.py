"""Convolution with TensorFlow's SAME padding, which PyTorch lacks for strides above one.

ceil(size / stride) outputs; where the padding is odd the extra row or column goes behind (below, to the right).
"""
from torch import nn
from torch.nn import functional as F


def same_padding(size, kernel, stride):
    """-> (before, after) along one axis."""
    total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


def conv2d_same(x, weight, stride=1, groups=1):
    """x [N, C, H, W], weight [O, C / groups, k, k] -> [N, O, ceil(H / stride), ceil(W / stride)]."""
    top, bottom = same_padding(x.shape[2], weight.shape[2], stride)
    left, right = same_padding(x.shape[3], weight.shape[3], stride)
    if top == bottom and left == right:
        return F.conv2d(x, weight, None, stride, (top, left), 1, groups)
    return F.conv2d(F.pad(x, (left, right, top, bottom)), weight, None, stride, 0, 1, groups)


class SameConv2d(nn.Conv2d):
    """Without a bias, as in all networks here that pad this way."""

    def __init__(self, c_in, c_out, kernel, stride=1, groups=1):
        super().__init__(c_in, c_out, kernel, stride, groups=groups, bias=False)

    def forward(self, x):
        return conv2d_same(x, self.weight, self.stride[0], self.groups)


def depthwise(channels, kernel, stride=1):
    return SameConv2d(channels, channels, kernel, stride, groups=channels)
