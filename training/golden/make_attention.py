"""Writes test/golden/attention/*.json: python3 make_attention.py [NAME ...] (all by default; under a minute).

Attention by PyTorch and torchvision, and compact attention by compact_attention.py: weights from the hash by parameter
name, arithmetic in float64. Each file lists the names and shapes of the parameters, so that a reader can make them.
"""
import sys

import torch
import torchvision
from torch import nn

from compact_attention import MEMBERS, Deit, Xcit
from hash_weights import hash_tensor
from macs import count_params
from make import TARGET, dump, fill, rounded
from cifar_data import write_whole
from networks import OWN, TORCHVISION, same_name

GAIN = 0.75
FOLDER = TARGET / "attention"


class SelfAttention(nn.Module):
    """nn.MultiheadAttention on a feature map whose pixels are tokens."""

    def __init__(self, dim, heads):
        super().__init__()
        self.attn = nn.MultiheadAttention(dim, heads, batch_first=True)

    def forward(self, x):
        x = x.flatten(2).transpose(1, 2)
        return self.attn(x, x, x, need_weights=False)[0].flatten(1)


def small_vit():
    return torchvision.models.VisionTransformer(32, 8, 2, 3, 48, 192, num_classes=10)


def cases():
    """-> (name, source, how to describe it, model, input's shape)"""
    yield "multihead", f"torch {torch.__version__}", {"kind": "multihead", "channels": 24, "heads": 3}, \
        SelfAttention(24, 3), (1, 24, 3, 5)
    vit = {"channels": 48, "depth": 2, "patch": 8, "classes": 10}
    yield "torchvision-vit", TORCHVISION, {"kind": "vit", **vit, "heads": 3, "input": [32, 32]}, small_vit(), (1, 3, 32, 32)
    for member in MEMBERS:
        for heads in (4, 1) if member == "merged" else (4,):
            name = f"vit-{member}" + ("-one-head" if heads == 1 else "")
            model = Deit(48, 2, heads, 8, (24, 32), 10, member)
            yield name, OWN, {"kind": "vit", **vit, "heads": heads, "input": [24, 32], "member": member}, model, (1, 3, 24, 32)
    xcit = {"kind": "xcit", "channels": 48, "depth": 2, "heads": 4, "classes": 10}
    for index, member in enumerate(name for name in MEMBERS if name != "merged"):
        tokens = index % 2 == 1
        model = Xcit(48, 2, 4, tokens, 10, member)
        yield f"xcit-{member}", OWN, {**xcit, "normsTokens": tokens, "member": member}, model, (1, 3, 48, 64)
    for size in (64, 224):
        deit = Deit(size=(size, size))
        yield f"deit-ti-{size}x{size}", OWN, {"kind": "deit", "id": "deit-ti", "input": [size, size]}, deit, (1, 3, size, size)
        yield f"xcit-n12-{size}x{size}", OWN, {"kind": "model", "id": "xcit-n12"}, Xcit(), (1, 3, size, size)
    yield "xcit-t12-64x64", OWN, {"kind": "model", "id": "xcit-t12"}, Xcit(192, norms_tokens=True), (1, 3, 64, 64)


@torch.no_grad()
def golden(name, source, network, model, shape):
    model.eval()
    fill(model, same_name, GAIN)
    single = model(torch.from_numpy(hash_tensor("input", shape)))[0].double()
    model.double()
    values = model(torch.from_numpy(hash_tensor("input", shape)).double())[0]
    stride = 5 if len(values) > 400 else 1
    return {
        "network": network, "source": source, "filterGain": GAIN, "input": {"name": "input", "shape": list(shape)},
        "params": count_params(model),
        "output": {
            "count": len(values), "norm": rounded(values.norm()), "argmax": int(values.argmax()), "stride": stride,
            "values": [rounded(v) for v in values[::stride]],
            "torchFloat32RelativeError": float(f"{(single - values).norm() / values.norm():.2g}"),
        },
        "tensors": [[key, list(tensor.shape)] for key, tensor in model.state_dict().items()
                    if not key.endswith("num_batches_tracked")],
    }


def main():
    wanted = set(sys.argv[1:])
    FOLDER.mkdir(exist_ok=True)
    for name, *rest in cases():
        if wanted and name not in wanted:
            continue
        content = golden(name, *rest)
        write_whole(FOLDER / f"{name}.json", dump(content).encode())
        print(f"{name}: {content['params']} params, norm {content['output']['norm']:.4g}, "
              f"float32 error {content['output']['torchFloat32RelativeError']}", flush=True)


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
