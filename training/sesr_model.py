"""SESR network (Bhardwaj et al., MLSys 2022), trained in collapsed space.

Every convolution is parametrised as k x k (in -> p) followed by 1 x 1 (p -> out) with nothing
in between. The pair is linear, so each forward pass first multiplies the two kernels out into one
k x k kernel (weights only, cheap) and then convolves once. Gradients flow back through the
product into the two factors.

Shapes: N batch, f features, s scale, p expansion. Kernels are OIHW.
"""
import torch
from torch import nn
from torch.nn import functional as F

import fast

# name -> (m middle blocks, f features, p expansion)
VARIANTS = {
    "m3": (3, 16, 256),
    "m5": (5, 16, 256),
    "m7": (7, 16, 256),
    "m11": (11, 16, 64),
    "xl": (11, 32, 64),
}


class LinearBlock(nn.Module):
    """k x k conv (in -> p, bias) then 1 x 1 conv (p -> out, bias), optionally with "+ input"."""

    def __init__(self, c_in, c_out, k, p, residual=False):
        super().__init__()
        if k % 2 == 0:
            raise ValueError("an even kernel has no centre tap and no symmetric SAME padding")
        if residual and c_in != c_out:
            raise ValueError("a short residual needs as many outputs as inputs")
        self.k, self.residual = k, residual
        self.expand = nn.Conv2d(c_in, p, k, padding=k // 2)
        self.project = nn.Conv2d(p, c_out, 1)
        # PyTorch's default initialisation stays. The size of each factor scales the steps that the
        # other one makes in the collapsed kernel; with Xavier's larger `project` they are bigger at
        # the same learning rate, and the early training was clearly worse.

        # Identity kernel: adding it to the collapsed kernel is the same as adding the input.
        identity = torch.zeros(c_out, c_in, k, k)
        if residual:
            identity[range(c_out), range(c_in), k // 2, k // 2] = 1
        self.register_buffer("identity", identity, persistent=False)

    def collapse(self):
        """-> weight [out, in, k, k], bias [out]; exact everywhere, image borders included.

        The only spatial operation is the first convolution, which emits its bias at the border
        too, so that bias may simply be pushed through the 1 x 1.
        """
        project = self.project.weight.flatten(1)  # [out, p]
        weight = (project @ self.expand.weight.flatten(1)).view_as(self.identity)
        bias = project @ self.expand.bias + self.project.bias
        return (weight + self.identity if self.residual else weight), bias

    def forward_expanded(self, x):
        """The two convolutions one after the other: the definition, for checks only."""
        y = self.project(self.expand(x))
        return x + y if self.residual else y


class PlainBlock(nn.Module):
    """One k x k kernel: what the others collapse to."""

    def __init__(self, c_in, c_out, k):
        super().__init__()
        self.k = k
        self.conv = nn.Conv2d(c_in, c_out, k, padding=k // 2)

    def collapse(self):
        return self.conv.weight, self.conv.bias

    def forward_expanded(self, x):
        return self.conv(x)


class BranchedBlock(nn.Module):
    """k x k, 1 x 1 and, where channels allow, the identity side by side: RepVGG's block without batch normalisation."""

    def __init__(self, c_in, c_out, k):
        super().__init__()
        self.k = k
        self.conv, self.point = nn.Conv2d(c_in, c_out, k, padding=k // 2), nn.Conv2d(c_in, c_out, 1)
        identity = torch.zeros(c_out, c_in, k, k)
        if c_in == c_out:
            identity[range(c_out), range(c_in), k // 2, k // 2] = 1
        self.register_buffer("identity", identity, persistent=False)

    def collapse(self):
        around = self.k // 2
        weight = self.conv.weight + F.pad(self.point.weight, [around] * 4) + self.identity
        return weight, self.conv.bias + self.point.bias

    def forward_expanded(self, x):
        y = self.conv(x) + self.point(x)
        return x + y if y.shape[1] == x.shape[1] and self.identity.any() else y


# How a layer is parametrised, of the paper's ablation: c_in, c_out, k, p, whether SESR's has the short residual -> block
BLOCKS = {
    "sesr": LinearBlock,
    "no-residual": lambda c_in, c_out, k, p, residual=False: LinearBlock(c_in, c_out, k, p),
    "repvgg": lambda c_in, c_out, k, p, residual=False: BranchedBlock(c_in, c_out, k),
    "plain": lambda c_in, c_out, k, p, residual=False: PlainBlock(c_in, c_out, k),
}


class _RowPReLU(torch.autograd.Function):
    """Per-channel PReLU for channels_last CPU tensors, about four times as fast as F.prelu.

    F.prelu in PyTorch 1.13 walks a channels_last tensor channel by channel. Seen as a matrix
    [N*H, W*C] the slopes become one long row, and every step is a plain vectorised pass.
    """

    @staticmethod
    def forward(ctx, x, slope):
        n, c, h, w = x.shape
        rows = x.permute(0, 2, 3, 1).reshape(n * h, w * c)
        slope_row = slope.repeat(w)
        ctx.save_for_backward(rows, slope_row)
        y = torch.addcmul(rows, rows.clamp(max=0), slope_row - 1)
        return y.view(n, h, w, c).permute(0, 3, 1, 2)

    @staticmethod
    def backward(ctx, grad):
        rows, slope_row = ctx.saved_tensors
        n, c, h, w = grad.shape
        g = grad.permute(0, 2, 3, 1).reshape(n * h, w * c)
        g_negative = g - torch.ops.aten.threshold_backward(g, rows, 0)  # g where x <= 0
        grad_slope = (g_negative * rows).sum(0).view(w, c).sum(0)
        grad_x = torch.addcmul(g, g_negative, slope_row - 1)
        return grad_x.view(n, h, w, c).permute(0, 3, 1, 2), grad_slope


def prelu(x, slope):
    """x [N, c, H, W], slope [c] -> [N, c, H, W]."""
    if x.device.type == "cpu" and x.is_contiguous(memory_format=torch.channels_last):
        return _RowPReLU.apply(x, slope)
    return F.prelu(x, slope)


def upscale_cells(t, scale):
    """[N, scale^2, H, W] -> [N, 1, scale H, scale W]: depth-to-space 2, once or twice.

    Channels in TensorFlow's order, (dy, dx, c), as the library and the official code have it. PyTorch's pixel_shuffle
    has (c, dy, dx), which is the same for one channel left (x2) and another order for x4.
    """
    for _ in range(1 if scale == 2 else 2):
        n, c, h, w = t.shape
        t = t.view(n, 2, 2, c // 4, h, w).permute(0, 3, 4, 1, 5, 2).reshape(n, c // 4, 2 * h, 2 * w)
    return t


class Sesr(nn.Module):
    """x [N, 1, H, W] = Y / 255 -> [N, 1, sH, sW], not clipped.

    Clipping to [0, 1] is left to the caller: inside the loss it would only remove gradients, and
    studio-range luma (16..235) seldom comes near the limits anyway.
    """

    precision = "f32"  # of the compiled passes in training: see fast.trunk

    def __init__(self, m, f, p, scale, slope_init=0.25, block="sesr"):
        super().__init__()
        make = BLOCKS[block]
        if scale not in (2, 4):
            raise ValueError("scale must be 2 or 4")
        self.m, self.f, self.p, self.scale = m, f, p, scale
        self.first = make(1, f, 5, p)
        self.blocks = nn.ModuleList(make(f, f, 3, p, residual=True) for _ in range(m))
        self.slopes = nn.ParameterList(
            nn.Parameter(torch.full((f,), slope_init)) for _ in range(m))
        self.last = make(f, scale * scale, 5, p)

    @classmethod
    def variant(cls, name, scale, block="sesr"):
        m, f, p = VARIANTS[name]
        return cls(m, f, p, scale, block=block)

    def forward(self, x, expanded=False):
        def conv(block, t):
            if expanded:
                return block.forward_expanded(t)
            weight, bias = block.collapse()
            return F.conv2d(t, weight.contiguous(memory_format=torch.channels_last), bias,
                            padding=block.k // 2)

        # SAME padding puts zeros around x - 0.5, so the border looks mid-gray to the network.
        if torch.is_grad_enabled() and not expanded and fast.available(x, self.f):
            kernels = [block.collapse() for _, block in self.named_blocks()]
            y = fast.trunk(x - 0.5, [w for w, _ in kernels], [b for _, b in kernels], list(self.slopes), self.precision)
            return upscale_cells(y + x, self.scale)
        start = conv(self.first, x - 0.5)
        t = start
        for block, slope in zip(self.blocks, self.slopes):
            t = prelu(conv(block, t), slope)
        t = conv(self.last, t + start) + x
        return upscale_cells(t, self.scale)

    def collapsed_tensors(self):
        """name -> tensor of the inference network; short residuals are folded in."""
        out = {}
        for name, block in self.named_blocks():
            out[name + ".weight"], out[name + ".bias"] = block.collapse()
            if name.startswith("blocks."):
                out[name + ".slope"] = self.slopes[int(name.split(".")[1])]
        return {k: v.detach() for k, v in out.items()}

    def collapsed(self):
        """The same network with plain kernels, to be trained as such; short residuals are folded in."""
        plain = Sesr(self.m, self.f, self.p, self.scale, block="plain")
        with torch.no_grad():
            for (_, target), (_, block) in zip(plain.named_blocks(), self.named_blocks()):
                for own, wanted in zip(target.collapse(), block.collapse()):
                    own.copy_(wanted)
            for own, wanted in zip(plain.slopes, self.slopes):
                own.copy_(wanted)
        return plain

    def expanded_tensors(self):
        """name -> tensor of the training network; short residuals are NOT folded in."""
        out = {}
        for name, block in self.named_blocks():
            for part in ("expand", "project"):
                conv = getattr(block, part)
                out[f"{name}.{part}.weight"], out[f"{name}.{part}.bias"] = conv.weight, conv.bias
            if name.startswith("blocks."):
                out[name + ".slope"] = self.slopes[int(name.split(".")[1])]
        return {k: v.detach() for k, v in out.items()}

    def named_blocks(self):
        yield "first", self.first
        for i, block in enumerate(self.blocks):
            yield f"blocks.{i}", block
        yield "last", self.last


class CollapsedSesr(nn.Module):
    """The inference network, built from the tensors that `collapsed_tensors` returns."""

    def __init__(self, tensors):
        super().__init__()
        self.m = sum(name.endswith(".slope") for name in tensors)
        self.scale = int(tensors["last.bias"].numel() ** 0.5)
        self.names = list(tensors)
        for name, tensor in tensors.items():
            self.register_parameter(name.replace(".", "_"), nn.Parameter(tensor.clone()))

    def forward(self, x):
        """x [N, 1, H, W] = Y / 255 -> [N, 1, sH, sW], not clipped."""
        def conv(name, t):
            weight = getattr(self, name + "_weight")
            return F.conv2d(t, weight, getattr(self, name + "_bias"), padding=weight.shape[-1] // 2)

        start = t = conv("first", x - 0.5)
        for i in range(self.m):
            t = F.prelu(conv(f"blocks_{i}", t), getattr(self, f"blocks_{i}_slope"))
        t = conv("last", t + start) + x
        return upscale_cells(t, self.scale)
