"""Vision transformers with compact attention, written anew: DeiT, XCiT and every member of the family.

Names of parameters are timm's, but for q, k and v of compact members, which are apart. Tokens are [N, tokens, channels].
A member is a dict: k in own, =q, input; v in own, =q, =k, input; o in own, none; merged; grouping (heads of the queries to
one of K and V).
"""
import math

import torch
from torch import nn
from torch.nn.functional import gelu, normalize

STANDARD = {"k": "own", "v": "own", "o": "own", "merged": False, "grouping": 1}
MEMBERS = {
    "standard": {}, "shared-qk": {"k": "=q"}, "shared-kv": {"v": "=k"}, "single": {"k": "=q", "v": "=q"},
    "keyless": {"k": "input"}, "valueless": {"v": "input"}, "lean": {"k": "=q", "v": "input"},
    "merged": {"merged": True}, "bare": {"v": "=k", "o": "none"}, "grouped": {"grouping": 2},
}


def heads_of(x, heads):
    """[N, T, heads * c] -> [N, heads, T, c]"""
    n, tokens, channels = x.shape
    return x.view(n, tokens, heads, channels // heads).transpose(1, 2)


def joined(x):
    """[N, heads, T, c] -> [N, T, heads * c]"""
    n, heads, tokens, channels = x.shape
    return x.transpose(1, 2).reshape(n, tokens, heads * channels)


class Attention(nn.Module):
    """xca: cross-covariance attention. joint: q, k and v in one matrix, the standard member alone."""

    def __init__(self, dim, heads, member, xca=False, joint=True, class_only=False):
        super().__init__()
        self.spec = {**STANDARD, **MEMBERS[member]}
        self.heads, self.xca, self.class_only = heads, xca, class_only
        self.joint = joint and member == "standard"
        shared = dim // self.spec["grouping"]
        if self.joint:
            self.qkv = nn.Linear(dim, 3 * dim)
        elif self.spec["merged"]:
            self.q = nn.Linear(dim, heads * dim)
        else:
            self.q = nn.Linear(dim, dim)
            if self.spec["k"] == "own":
                self.k = nn.Linear(dim, shared)
            if self.spec["v"] == "own":
                self.v = nn.Linear(dim, shared)
        if self.spec["o"] == "own":
            self.proj = nn.Linear(heads * dim if self.spec["merged"] else dim, dim)
        if xca:
            self.temperature = nn.Parameter(torch.ones(heads, 1, 1))

    def roles(self, x):
        """-> q, k, v [N, heads, T, c]; fewer heads of k and v are repeated."""
        if self.joint:
            return [heads_of(part, self.heads) for part in self.qkv(x).chunk(3, -1)]
        q = heads_of(self.q(x), self.heads)
        if self.spec["merged"]:
            every = x.unsqueeze(1).expand(-1, self.heads, -1, -1)
            return q, every, every
        few = self.heads // self.spec["grouping"]

        def own(layer):
            return heads_of(layer(x), few).repeat_interleave(self.spec["grouping"], 1)

        k = {"own": lambda: own(self.k), "=q": lambda: q, "input": lambda: heads_of(x, self.heads)}[self.spec["k"]]()
        v = {"own": lambda: own(self.v), "=q": lambda: q, "=k": lambda: k,
             "input": lambda: heads_of(x, self.heads)}[self.spec["v"]]()
        return q, k, v

    def forward(self, x):
        q, k, v = self.roles(x)
        if self.xca:
            q, k, v = (t.transpose(-2, -1) for t in (q, k, v))  # [N, heads, c, T]
            weights = (normalize(q, dim=-1) @ normalize(k, dim=-1).transpose(-2, -1) * self.temperature).softmax(-1)
            y = joined((weights @ v).transpose(-2, -1))
        else:
            if self.class_only:
                q = q[:, :, :1]
            weights = (q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])).softmax(-1)
            y = joined(weights @ v)
        return self.proj(y) if self.spec["o"] == "own" else y


class Mlp(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(dim, 4 * dim), nn.Linear(4 * dim, dim)

    def forward(self, x):
        return self.fc2(gelu(self.fc1(x)))


def layer_norm(dim):
    return nn.LayerNorm(dim, eps=1e-6)


class Patches(nn.Module):
    def __init__(self, dim, patch):
        super().__init__()
        self.proj = nn.Conv2d(3, dim, patch, patch)

    def forward(self, x):
        return self.proj(x).flatten(2).transpose(1, 2)


class DeitBlock(nn.Module):
    def __init__(self, dim, heads, member, joint):
        super().__init__()
        self.norm1, self.attn = layer_norm(dim), Attention(dim, heads, member, joint=joint)
        self.norm2, self.mlp = layer_norm(dim), Mlp(dim)

    def forward(self, x):
        x = x + self.attn(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class Deit(nn.Module):
    def __init__(self, dim=192, depth=12, heads=3, patch=16, size=(224, 224), classes=1000, member="standard", joint=True):
        super().__init__()
        self.patch_embed = Patches(dim, patch)
        self.cls_token = nn.Parameter(torch.zeros(1, 1, dim))
        tokens = (size[0] // patch) * (size[1] // patch) + 1
        self.pos_embed = nn.Parameter(torch.zeros(1, tokens, dim))
        self.blocks = nn.ModuleList(DeitBlock(dim, heads, member, joint) for _ in range(depth))
        self.norm, self.head = layer_norm(dim), nn.Linear(dim, classes)

    def forward(self, x):
        x = self.patch_embed(x)
        x = torch.cat([self.cls_token.expand(len(x), -1, -1), x], 1) + self.pos_embed
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x)[:, 0])


def conv_norm(c_in, c_out):
    return nn.Sequential(nn.Conv2d(c_in, c_out, 3, 2, 1, bias=False), nn.BatchNorm2d(c_out))


class ConvPatches(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.proj = nn.Sequential(conv_norm(3, dim // 8), nn.GELU(), conv_norm(dim // 8, dim // 4), nn.GELU(),
                                  conv_norm(dim // 4, dim // 2), nn.GELU(), conv_norm(dim // 2, dim))

    def forward(self, x):
        return self.proj(x)


class FourierPositions(nn.Module):
    def __init__(self, dim, hidden=32):
        super().__init__()
        self.hidden = hidden
        self.token_projection = nn.Conv2d(2 * hidden, dim, 1)

    def waves(self, length, dtype):
        """-> [length, hidden]"""
        steps = torch.arange(1, length + 1, dtype=dtype) / (length + 1e-6) * 2 * math.pi
        order = torch.div(torch.arange(self.hidden), 2, rounding_mode="floor").to(dtype)
        angles = steps[:, None] / 10000 ** (2 * order / self.hidden)
        return torch.stack([angles[:, 0::2].sin(), angles[:, 1::2].cos()], 2).flatten(1)

    def forward(self, height, width):
        dtype = self.token_projection.weight.dtype
        y, x = self.waves(height, dtype), self.waves(width, dtype)
        grid = torch.cat([y[:, None].expand(-1, width, -1), x[None].expand(height, -1, -1)], 2)
        return self.token_projection(grid.permute(2, 0, 1)[None])


class LocalPatches(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.conv1 = nn.Conv2d(dim, dim, 3, 1, 1, groups=dim)
        self.bn = nn.BatchNorm2d(dim)
        self.conv2 = nn.Conv2d(dim, dim, 3, 1, 1, groups=dim)

    def forward(self, x, height, width):
        n, _, dim = x.shape
        x = x.transpose(1, 2).view(n, dim, height, width)
        return self.conv2(self.bn(gelu(self.conv1(x)))).flatten(2).transpose(1, 2)


class XcitBlock(nn.Module):
    def __init__(self, dim, heads, member, joint):
        super().__init__()
        self.norm1, self.attn = layer_norm(dim), Attention(dim, heads, member, xca=True, joint=joint)
        self.norm3, self.local_mp = layer_norm(dim), LocalPatches(dim)
        self.norm2, self.mlp = layer_norm(dim), Mlp(dim)
        self.gamma1, self.gamma2, self.gamma3 = (nn.Parameter(torch.ones(dim)) for _ in range(3))

    def forward(self, x, height, width):
        x = x + self.gamma1 * self.attn(self.norm1(x))
        x = x + self.gamma3 * self.local_mp(self.norm3(x), height, width)
        return x + self.gamma2 * self.mlp(self.norm2(x))


class ClassBlock(nn.Module):
    """Official code, tokens_norm False or True: only the class token is normalised a second time, or all are."""

    def __init__(self, dim, heads, norms_tokens):
        super().__init__()
        self.norm1, self.attn = layer_norm(dim), Attention(dim, heads, "standard", class_only=True)
        self.norm2, self.mlp = layer_norm(dim), Mlp(dim)
        self.gamma1, self.gamma2 = (nn.Parameter(torch.ones(dim)) for _ in range(2))
        self.norms_tokens = norms_tokens

    def forward(self, x):
        normed = self.norm1(x)
        x = x + self.gamma1 * torch.cat([self.attn(normed), normed[:, 1:]], 1)
        x = self.norm2(x) if self.norms_tokens else torch.cat([self.norm2(x[:, :1]), x[:, 1:]], 1)
        return x + torch.cat([self.gamma2 * self.mlp(x[:, :1]), x[:, 1:]], 1)


class Xcit(nn.Module):
    def __init__(self, dim=128, depth=12, heads=4, norms_tokens=False, classes=1000, member="standard", joint=True):
        super().__init__()
        self.patch_embed, self.pos_embed = ConvPatches(dim), FourierPositions(dim)
        self.cls_token = nn.Parameter(torch.zeros(1, 1, dim))
        self.blocks = nn.ModuleList(XcitBlock(dim, heads, member, joint) for _ in range(depth))
        self.cls_attn_blocks = nn.ModuleList(ClassBlock(dim, heads, norms_tokens) for _ in range(2))
        self.norm, self.head = layer_norm(dim), nn.Linear(dim, classes)

    def forward(self, x):
        x = self.patch_embed(x)
        height, width = x.shape[2:]
        x = (x + self.pos_embed(height, width)).flatten(2).transpose(1, 2)
        for block in self.blocks:
            x = block(x, height, width)
        x = torch.cat([self.cls_token.expand(len(x), -1, -1), x], 1)
        for block in self.cls_attn_blocks:
            x = block(x)
        return self.head(self.norm(x)[:, 0])
