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
        # Holds the parameters. Its result would have to be cut to lie centred on the input (9 - scale pixels too many).
        self.deconv = nn.ConvTranspose2d(channels, 1, 9, stride=scale)
        nn.init.normal_(self.deconv.weight, 0, 0.001)
        nn.init.zeros_(self.deconv.bias)
        # Of each phase, the kernel's rows; row 9 is of zeros.
        rows = torch.arange(scale)[:, None] + (9 - scale) // 2 - scale * torch.arange(-(4 // scale), 4 // scale + 1)
        rows[(rows < 0) | (rows > 8)] = 9
        self.register_buffer("rows", rows, persistent=False)

    def phase_kernels(self):
        """The deconvolution as a convolution with scale^2 outputs, one a phase: OIHW.

        Input row i reaches output row s u + p (cut off: (9 - s) // 2) through kernel row p + cut + s (u - i).
        """
        s, rows = self.scale, self.rows
        w = F.pad(self.deconv.weight[:, 0], (0, 1, 0, 1))[:, rows[:, None, :, None], rows[None, :, None, :]]
        return w.permute(1, 2, 0, 3, 4).reshape(s * s, -1, rows.shape[1], rows.shape[1])

    def forward(self, x):
        t = x.contiguous(memory_format=torch.channels_last)
        for conv, slope in zip(self.convs, self.slopes):
            t = prelu(conv(t), slope)
        # PyTorch's own deconvolution takes four times as long on a CPU.
        t = F.conv2d(t, self.phase_kernels(), self.deconv.bias.expand(self.scale ** 2), padding=4 // self.scale)
        return F.pixel_shuffle(t, self.scale)

    def collapsed_tensors(self):
        """name -> tensor, as the library calls them."""
        out = {}
        for (name, _, _), conv, slope in zip(ROWS, self.convs, self.slopes):
            out.update({name + ".weight": conv.weight, name + ".bias": conv.bias, name + ".slope": slope})
        # [in, out, k, k] here; OIHW there.
        out.update({"deconv.weight": self.deconv.weight.transpose(0, 1), "deconv.bias": self.deconv.bias})
        return {k: v.detach() for k, v in out.items()}
