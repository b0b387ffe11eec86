"""EfficientNet-Lite0 (Google, tensorflow/tpu, 2020) in PyTorch: no squeeze-and-excitation, SAME padding, eps 1e-3."""
from torch import nn

from ran_e import batch_norm
from same_padding import SameConv2d, depthwise

# Per stage: depthwise kernel, stride of the first block, expansion, outputs, repeats.
STAGES = ((3, 1, 1, 16, 1), (3, 2, 6, 24, 2), (5, 2, 6, 40, 2), (3, 2, 6, 80, 3), (5, 1, 6, 112, 3),
          (5, 2, 6, 192, 4), (3, 1, 6, 320, 1))


class Block(nn.Module):
    """As RAN-e's inverted bottleneck, but with a choice of activation, and without the 1x1 where expansion is 1."""

    def __init__(self, c_in, c_out, stride, kernel, expansion, activation):
        super().__init__()
        self.residual = stride == 1 and c_in == c_out
        middle = c_in * expansion
        if expansion != 1:
            self.expand, self.expand_bn = SameConv2d(c_in, middle, 1), batch_norm(middle)
        self.dw, self.dw_bn = depthwise(middle, kernel, stride), batch_norm(middle)
        self.project, self.project_bn = SameConv2d(middle, c_out, 1), batch_norm(c_out)
        self.activation = activation

    def forward(self, x):
        y = x
        if hasattr(self, "expand"):
            y = self.activation(self.expand_bn(self.expand(y)))
        y = self.activation(self.dw_bn(self.dw(y)))
        y = self.project_bn(self.project(y))
        return x + y if self.residual else y


class EfficientNetLite0(nn.Module):
    """activation: nn.ReLU6() as published, or nn.Hardswish() as the RAN-e authors' second baseline."""

    def __init__(self, activation, classes=1000):
        super().__init__()
        self.activation = activation
        self.stem, self.stem_bn = SameConv2d(3, 32, 3, 2), batch_norm(32)
        self.blocks = nn.ModuleList()
        channels = 32
        for kernel, stride, expansion, c_out, repeats in STAGES:
            stage = nn.ModuleList()
            for repeat in range(repeats):
                stage.append(Block(channels, c_out, 1 if repeat else stride, kernel, expansion, activation))
                channels = c_out
            self.blocks.append(stage)
        self.head_conv, self.head_bn = SameConv2d(channels, 1280, 1), batch_norm(1280)
        self.head = nn.Linear(1280, classes)

    def forward(self, x):
        x = self.activation(self.stem_bn(self.stem(x)))
        for stage in self.blocks:
            for block in stage:
                x = block(x)
        x = self.activation(self.head_bn(self.head_conv(x)))
        return self.head(x.mean((2, 3)))
