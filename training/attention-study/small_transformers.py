"""The two kinds of networks of the study, each with every member of the family of compact attentions.

`vit` has softmax attention, `xcit` cross-covariance attention, local patch interaction and learnt scales of the branches.
Patch embedding, positions, width, depth, heads, MLP and head are the same in both. Tokens are maps [N, 6, 6, channels];
dense layers are 1x1 convolutions, which PyTorch computes faster than matrix products where its BLAS is plain.
"""
import torch
from torch import nn
from torch.nn import functional as F

KINDS = ("vit", "xcit")
# member -> (what K is, what V is), "own" for a projection of its own
MEMBERS = {
    "standard": ("own", "own"), "shared-kv": ("own", "=k"), "shared-qk": ("=q", "own"), "single": ("=q", "=q"),
    "keyless": ("input", "own"), "valueless": ("own", "input"), "lean": ("=q", "input"),
}
SHAPE = {"channels": 32, "depth": 4, "heads": 2, "mlpRatio": 2, "strides": [2, 3], "grid": 6, "classes": 10}
EPSILON = 1e-6  # of layer normalisations


class Dense(nn.Conv2d):
    """[N, H, W, in] -> [N, H, W, out]"""

    def __init__(self, c_in, c_out):
        super().__init__(c_in, c_out, 1)
        nn.init.trunc_normal_(self.weight, std=c_in ** -0.5)
        nn.init.zeros_(self.bias)

    def forward(self, x):
        return super().forward(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)


class Attention(nn.Module):
    def __init__(self, channels, heads, member, xca):
        super().__init__()
        self.heads, self.xca = heads, xca
        self.sources = MEMBERS[member]
        self.q = Dense(channels, channels)
        for role, source in zip("kv", self.sources):
            if source == "own":
                setattr(self, role, Dense(channels, channels))
        self.proj = Dense(channels, channels)
        if xca:
            self.temperature = nn.Parameter(torch.ones(heads, 1, 1))

    def roles(self, x):
        """-> q, k, v, each [N, H, W, C]; what is shared is the same tensor."""
        found = {"=q": self.q(x), "input": x}
        k_source, v_source = self.sources
        found["=k"] = self.k(x) if k_source == "own" else found[k_source]
        return found["=q"], found["=k"], self.v(x) if v_source == "own" else found[v_source]

    def forward(self, x):
        n, h, w, c = x.shape
        tensors = self.roles(x)
        split, apart = [], {}
        for t in tensors:
            if id(t) not in apart:
                view = t.reshape(n, h * w, self.heads, c // self.heads)
                apart[id(t)] = view.permute(0, 2, 3, 1) if self.xca else view.transpose(1, 2)
            split.append(apart[id(t)])
        q, k, v = split
        if self.xca:  # [N, heads, c, tokens]
            kn = F.normalize(k, dim=-1)
            qn = kn if q is k else F.normalize(q, dim=-1)
            y = ((qn @ kn.transpose(-2, -1)) * self.temperature).softmax(-1) @ v
            y = y.permute(0, 3, 1, 2)
        else:  # [N, heads, tokens, c]
            scores = (q * (c // self.heads) ** -0.5) @ k.transpose(-2, -1)
            y = (scores.softmax(-1) @ v).transpose(1, 2)
        return self.proj(y.reshape(n, h, w, c))


class Mlp(nn.Module):
    def __init__(self, channels, wide):
        super().__init__()
        self.fc1, self.fc2 = Dense(channels, wide), Dense(wide, channels)

    def forward(self, x):
        return self.fc2(F.gelu(self.fc1(x)))


class LocalPatches(nn.Module):
    """Two depthwise 3x3 convolutions on the grid of tokens."""

    def __init__(self, channels):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1, groups=channels)
        self.bn = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, groups=channels)

    def forward(self, x):
        return self.conv2(self.bn(F.gelu(self.conv1(x.permute(0, 3, 1, 2))))).permute(0, 2, 3, 1)


class Block(nn.Module):
    def __init__(self, kind, member):
        super().__init__()
        channels, xca = SHAPE["channels"], kind == "xcit"
        self.xca = xca
        self.norm1 = nn.LayerNorm(channels, EPSILON)
        self.attn = Attention(channels, SHAPE["heads"], member, xca)
        if xca:
            self.norm3 = nn.LayerNorm(channels, EPSILON)
            self.local_mp = LocalPatches(channels)
        self.norm2 = nn.LayerNorm(channels, EPSILON)
        self.mlp = Mlp(channels, SHAPE["mlpRatio"] * channels)
        if xca:
            for name in ("gamma1", "gamma2", "gamma3"):
                setattr(self, name, nn.Parameter(torch.ones(channels)))

    def forward(self, x):
        if not self.xca:
            x = x + self.attn(self.norm1(x))
            return x + self.mlp(self.norm2(x))
        x = x + self.gamma1 * self.attn(self.norm1(x))
        x = x + self.gamma3 * self.local_mp(self.norm3(x))
        return x + self.gamma2 * self.mlp(self.norm2(x))


class PatchEmbed(nn.Module):
    """Two convolutions, of strides 2 and 3: a token stands for 6x6 pixels and sees 7x7."""

    def __init__(self, channels):
        super().__init__()

        def step(c_in, c_out, stride):
            return nn.Sequential(nn.Conv2d(c_in, c_out, 3, stride, 1, bias=False), nn.BatchNorm2d(c_out))

        first, second = SHAPE["strides"]
        self.proj = nn.Sequential(step(3, channels // 2, first), nn.GELU(), step(channels // 2, channels, second))

    def forward(self, x):
        return self.proj(x).permute(0, 2, 3, 1)


class Transformer(nn.Module):
    """Pictures [N, 3, 32, 32], normalised by the caller -> logits [N, classes]: the mean over tokens, no class token."""

    def __init__(self, kind, member):
        super().__init__()
        channels, grid = SHAPE["channels"], SHAPE["grid"]
        self.patch_embed = PatchEmbed(channels)
        self.pos_embed = nn.Parameter(torch.empty(1, grid * grid, channels))
        nn.init.trunc_normal_(self.pos_embed, std=0.02)
        self.blocks = nn.Sequential(*(Block(kind, member) for _ in range(SHAPE["depth"])))
        self.norm = nn.LayerNorm(channels, EPSILON)
        self.head = nn.Linear(channels, SHAPE["classes"])
        self.to(memory_format=torch.channels_last)

    def forward(self, x):
        x = self.patch_embed(x)
        x = x + self.pos_embed.view(1, *x.shape[1:])
        return self.head(self.norm(self.blocks(x)).mean((1, 2)))


def tensors(model):
    """name -> tensor as timm has them: dense layers [out, in]; without counters."""
    dense = {f"{name}.weight" for name, module in model.named_modules() if isinstance(module, Dense)}
    return {name: value[:, :, 0, 0] if name in dense else value for name, value in model.state_dict().items()
            if not name.endswith("num_batches_tracked")}


def load(model, stored):
    """The way back, in place."""
    own = model.state_dict()
    model.load_state_dict({name: stored[name].reshape(value.shape) if name in stored else value
                           for name, value in own.items()})
    return model
