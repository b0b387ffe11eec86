"""CIFAR ResNet (He et al., 2016, section 4.2), shortcut option A; names of akamaster/pytorch_resnet_cifar10."""
from torch import nn
from torch.nn.functional import pad, relu


class Block(nn.Module):
    def __init__(self, c_in, c_out, stride):
        super().__init__()
        self.grow, self.stride = c_out - c_in, stride
        self.conv1, self.bn1 = nn.Conv2d(c_in, c_out, 3, stride, 1, bias=False), nn.BatchNorm2d(c_out)
        self.conv2, self.bn2 = nn.Conv2d(c_out, c_out, 3, 1, 1, bias=False), nn.BatchNorm2d(c_out)

    def forward(self, x):
        y = self.bn2(self.conv2(relu(self.bn1(self.conv1(x)))))
        if self.grow:  # option A: every other pixel, zero channels before and behind
            x = pad(x[:, :, ::2, ::2], (0, 0, 0, 0, self.grow // 2, self.grow - self.grow // 2))
        return relu(x + y)


class CifarResNet(nn.Module):
    """depth 6 n + 2: 20, 56, ... x [N, 3, 32, 32] -> [N, 10]."""

    def __init__(self, depth=20):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16)
        channels = 16
        for layer, c_out in enumerate((16, 32, 64), 1):
            blocks = nn.Sequential()
            for index in range((depth - 2) // 6):
                blocks.append(Block(channels, c_out, 2 if layer > 1 and index == 0 else 1))
                channels = c_out
            setattr(self, f"layer{layer}", blocks)
        self.linear = nn.Linear(64, 10)

    def forward(self, x):
        x = relu(self.bn1(self.conv1(x)))
        x = self.layer3(self.layer2(self.layer1(x)))
        return self.linear(x.mean((2, 3)))
