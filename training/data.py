"""Training pairs: luma tiles, their LR versions, and random augmented crops.

The tiles come as PNG strips (8-bit studio-range luma, square tiles stacked vertically).
LR tiles are made once with the MATLAB-like bicubic and cached.
"""
import hashlib
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from matlab_resize import imresize

# LR pictures met in practice are 8-bit RGB turned into floating-point luma. Rounding three
# channels (and once more between the two resize passes) leaves noise of about 0.2 gray levels
# on Y, not the 0.29 of luma rounded to 8 bits. So the LR tiles are kept unrounded, and noise of
# that size is added anew to each crop.
LR_NOISE = 0.2


def load_pairs(folder, scale, cache):
    """-> HR uint8 [T, S, S] and LR float32 [T, S/s, S/s], both in gray levels (16..235)."""
    paths = sorted(Path(folder).glob("*.png"))
    if not paths:
        raise FileNotFoundError(f"no PNG strips in {folder}")
    strips = []
    for path in paths:
        strip = np.asarray(Image.open(path).convert("L"))
        size = strip.shape[1]
        strips.append(strip.reshape(-1, size, size))
    hr = np.concatenate(strips)
    digest = hashlib.sha256(hr.tobytes()).hexdigest()[:16]
    cached = Path(cache) / f"lr-x{scale}-{digest}.npy"
    if not cached.exists():
        small = hr.shape[1] // scale
        lr = np.concatenate([imresize(part, small, small, rows_axis=1).astype(np.float32)
                             for part in np.array_split(hr, 16)])
        cached.parent.mkdir(parents=True, exist_ok=True)
        temporary = cached.with_suffix(".tmp.npy")
        np.save(temporary, lr)
        temporary.replace(cached)
    return hr, np.load(cached)


class Crops:
    """Random crops, flips and rotations; the generator's state is part of a checkpoint."""

    def __init__(self, hr, lr, scale, seed):
        self.hr, self.lr, self.scale = hr, lr, scale
        self.rng = np.random.default_rng(seed)

    def batch(self, count, patch):
        """-> LR [count, 1, patch, patch] and HR [count, 1, s*patch, s*patch], float32 in 0..1."""
        s, rng = self.scale, self.rng
        low = np.empty((count, 1, patch, patch), np.float32)
        high = np.empty((count, 1, patch * s, patch * s), np.float32)
        tiles = rng.integers(0, len(self.lr), count)
        corners = rng.integers(0, self.lr.shape[1] - patch + 1, (count, 2))
        turns = rng.integers(0, 8, count)
        for i, (tile, (y, x), turn) in enumerate(zip(tiles, corners, turns)):
            a = self.lr[tile, y:y + patch, x:x + patch]
            b = self.hr[tile, y * s:(y + patch) * s, x * s:(x + patch) * s]
            if turn & 4:
                a, b = a.T, b.T
            if turn & 2:
                a, b = a[::-1], b[::-1]
            if turn & 1:
                a, b = a[:, ::-1], b[:, ::-1]
            low[i, 0], high[i, 0] = a, b
        low += LR_NOISE * rng.standard_normal(low.shape, dtype=np.float32)
        low *= 1 / 255
        high *= 1 / 255
        return torch.from_numpy(low), torch.from_numpy(high)
