"""What a large trained network makes of the pool's LR tiles: a second target for smaller ones.

Of each tile it is the mean over its eight flips and quarter turns, which is better than one pass and costs the student nothing.
"""
import hashlib
from pathlib import Path

import numpy as np
import torch

import fast
from data import cached_arrays
from export import load_collapsed, read_safetensors
from sesr_model import upscale_cells


def describe(path):
    """Which network, and how long it was trained, in a word or two."""
    metadata = read_safetensors(path)[1]
    return f"{metadata['variant']}-x{metadata['scale']} of {metadata['iterations']} iterations"


def network(path, device):
    """Collapsed weights -> function [N, 1, H, W] -> [N, 1, sH, sW], on a CPU in bf16 where the processor has it."""
    model = load_collapsed(path).to(device)
    if device.type != "cpu" or not fast.has_bf16():
        return model
    tensors = {name: getattr(model, name.replace(".", "_")).detach() for name in model.names}
    layers = ["first", *(f"blocks.{i}" for i in range(model.m)), "last"]
    parts = ([tensors[name + ".weight"] for name in layers], [tensors[name + ".bias"] for name in layers],
             [tensors[f"blocks.{i}.slope"] for i in range(model.m)])
    return lambda x: upscale_cells(fast.trunk(x - 0.5, *parts, "bf16") + x, model.scale)


def eightfold(run, low):
    """low [N, 1, S, S] -> the mean of `run` over the eight symmetries, each turned back."""
    total = 0
    for flip in (False, True):
        for turns in range(4):
            t = torch.rot90(low.flip(3) if flip else low, turns, (2, 3))
            out = torch.rot90(run(t.contiguous()), -turns, (2, 3))
            total = total + (out.flip(3) if flip else out)
    return total / 8


def load_lessons(pool, path, cache, device=torch.device("cpu")):
    """pool as of `load_pool` -> {part: float16 [T, S, S]} in gray levels; made once and cached."""
    digest = hashlib.sha256(Path(path).read_bytes() + Path(__file__).read_bytes())
    for hr, lr in pool.values():
        digest.update(hr[::50].tobytes() + np.array(hr.shape).tobytes())

    def make():
        run, arrays = network(path, device), {}
        for name, (hr, lr) in pool.items():
            arrays[name] = np.empty(hr.shape, np.float16)
            for i in range(0, len(lr), 16):
                low = torch.from_numpy(lr[i:i + 16])[:, None].to(device) / 255
                with torch.no_grad():
                    arrays[name][i:i + 16] = (eightfold(run, low)[:, 0] * 255).cpu().numpy()
        return arrays

    return cached_arrays(Path(cache) / f"lessons-{digest.hexdigest()[:16]}.npz", make)
