"""FSRCNN (Dong et al., ECCV 2016, arXiv 1608.00367) with d = 56, s = 12, m = 4: the baseline."""
import torch
from torch import nn
from torch.nn import functional as F

from sesr_model import prelu

# name, kernel, channels; each followed by a PReLU
ROWS = (("feature", 5, 56), ("shrink", 1, 12), ("map.0", 3, 12), ("map.1", 3, 12), ("map.2", 3, 12),
        ("map.3", 3, 12), ("expand", 1, 56))


class Fsrcnn(nn.Module):
    """x [N, 1, H, W] = Y / 255 -> [N, 1, sH, sW], not clipped."""

    def __init__(self, scale, slope_init=0.25):
        super().__init__()
        self.scale = scale
        self.convs, self.slopes = nn.ModuleList(), nn.ParameterList()
        channels = 1
        for _, kernel, outputs in ROWS:
            conv = nn.Conv2d(channels, outputs, kernel, padding=kernel // 2)
            nn.init.kaiming_normal_(conv.weight, a=slope_init)
            nn.init.zeros_(conv.bias)
            self.convs.append(conv)
            self.slopes.append(nn.Parameter(torch.full((outputs,), slope_init)))
            channels = outputs
        # Its result is cut so that it lies centred on the input (9 - scale more pixels than scale per pixel).
        self.deconv = nn.ConvTranspose2d(channels, 1, 9, stride=scale)
        nn.init.normal_(self.deconv.weight, 0, 0.001)
        nn.init.zeros_(self.deconv.bias)

    def forward(self, x):
        n, _, h, w = x.shape
        t = x.contiguous(memory_format=torch.channels_last)
        for conv, slope in zip(self.convs, self.slopes):
            t = prelu(conv(t), slope)
        top = (9 - self.scale) // 2
        t = self.deconv(t)
        return t[:, :, top:top + h * self.scale, top:top + w * self.scale]

    def collapsed_tensors(self):
        """name -> tensor, as the library calls them."""
        out = {}
        for (name, _, _), conv, slope in zip(ROWS, self.convs, self.slopes):
            out.update({name + ".weight": conv.weight, name + ".bias": conv.bias, name + ".slope": slope})
        # [in, out, k, k] here; OIHW there.
        out.update({"deconv.weight": self.deconv.weight.transpose(0, 1), "deconv.bias": self.deconv.bias})
        return {k: v.detach() for k, v in out.items()}
