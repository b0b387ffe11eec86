"""RepVGG-A0 (Ding et al., CVPR 2021) in PyTorch, in training and in deployed form, under the official code's names."""
from collections import OrderedDict

import torch
from torch import nn
from torch.nn.functional import pad, relu

# Per stage: outputs, blocks; each stage begins with stride 2. Stage 0 is a single block.
STAGES = ((48, 1), (48, 2), (96, 4), (192, 14), (1280, 1))


def conv_bn(c_in, c_out, kernel, stride):
    return nn.Sequential(OrderedDict(
        conv=nn.Conv2d(c_in, c_out, kernel, stride, kernel // 2, bias=False), bn=nn.BatchNorm2d(c_out)))


def folded(weight, bn):
    """A bias-free convolution with the batch norm behind it -> weight, bias."""
    scale = bn.weight / (bn.running_var + bn.eps).sqrt()
    return weight * scale.view(-1, 1, 1, 1), bn.bias - bn.running_mean * scale


class Block(nn.Module):
    def __init__(self, c_in, c_out, stride, deployed):
        super().__init__()
        self.deployed = deployed
        if deployed:
            self.rbr_reparam = nn.Conv2d(c_in, c_out, 3, stride, 1)
            return
        self.rbr_dense, self.rbr_1x1 = conv_bn(c_in, c_out, 3, stride), conv_bn(c_in, c_out, 1, stride)
        self.rbr_identity = nn.BatchNorm2d(c_in) if stride == 1 and c_in == c_out else None

    def forward(self, x):
        if self.deployed:
            return relu(self.rbr_reparam(x))
        y = self.rbr_dense(x) + self.rbr_1x1(x)
        return relu(y if self.rbr_identity is None else y + self.rbr_identity(x))

    def fused(self):
        """-> weight and bias of the one 3x3 convolution that equals the three branches."""
        weight, bias = folded(self.rbr_dense.conv.weight, self.rbr_dense.bn)
        weight_1x1, bias_1x1 = folded(self.rbr_1x1.conv.weight, self.rbr_1x1.bn)
        weight, bias = weight + pad(weight_1x1, (1, 1, 1, 1)), bias + bias_1x1
        if self.rbr_identity is not None:
            identity = torch.eye(weight.shape[0], dtype=weight.dtype)[:, :, None, None]
            weight_id, bias_id = folded(identity, self.rbr_identity)
            weight, bias = weight + pad(weight_id, (1, 1, 1, 1)), bias + bias_id
        return weight, bias


class RepVgg(nn.Module):
    def __init__(self, deployed=False, classes=1000):
        super().__init__()
        channels = 3
        for stage, (c_out, blocks) in enumerate(STAGES):
            made = nn.Sequential()
            for index in range(blocks):
                made.append(Block(channels, c_out, 1 if index else 2, deployed))
                channels = c_out
            setattr(self, f"stage{stage}", made if stage else made[0])
        self.linear = nn.Linear(channels, classes)

    def blocks(self):
        return [(name, m) for name, m in self.named_modules() if isinstance(m, Block)]

    def forward(self, x):
        for stage in range(len(STAGES)):
            x = getattr(self, f"stage{stage}")(x)
        return self.linear(x.mean((2, 3)))


def stages(model):
    return dict(model.blocks())


@torch.no_grad()
def check_fusing(model):
    """The training form equals its fused form, borders included, in float64."""
    train = RepVgg().double().eval()
    train.load_state_dict(model.state_dict())
    deployed = RepVgg(deployed=True).double().eval()
    for (_, block), (_, target) in zip(train.blocks(), deployed.blocks()):
        weight, bias = block.fused()
        target.rbr_reparam.weight.copy_(weight)
        target.rbr_reparam.bias.copy_(bias)
    deployed.linear.load_state_dict(train.linear.state_dict())
    x = torch.rand(1, 3, 65, 49, dtype=torch.float64) * 2 - 1
    want, got = train(x), deployed(x)
    error = ((got - want).norm() / want.norm()).item()
    assert error < 1e-12, error
    print(f"repvgg-a0: fused against training form, relative error {error:.1e} in float64")
