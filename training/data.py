"""Training pairs: luma tiles, their LR versions, and random augmented crops.

The tiles come as PNG strips (8-bit studio-range luma, square tiles stacked vertically). The pool
holds them as they are and three things made of them, because photographs halved once are soft
and have few hard edges, while what people enlarge often has both more detail to the pixel and
drawn lines: the tiles at 2/3, the tiles at 1/2, and tiles laid over one another through drawn
masks. LR tiles are made once with the MATLAB-like bicubic and cached.
"""
import hashlib
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw

from matlab_resize import imresize, to_uint8

# LR pictures met in practice are 8-bit RGB turned into floating-point luma. Rounding three
# channels (and once more between the two resize passes) leaves noise of about 0.2 gray levels
# on Y, not the 0.29 of luma rounded to 8 bits. So the LR tiles are kept unrounded, and noise of
# that size is added anew to each crop.
LR_NOISE = 0.2

# part of the pool -> how often a crop comes from it
SHARES = {"native": 0.5, "two thirds": 0.25, "half": 0.1, "overlaid": 0.15}
OVERLAID = 384  # tiles

DARKEST, BRIGHTEST = 16, 235  # studio range
CONTRAST_SHARE = 0.25  # of the crops get another contrast
LEAST_CONTRAST, MOST_CONTRAST = 0.7, 1.6


def load_tiles(folder):
    """-> uint8 [T, S, S] in gray levels (16..235)."""
    paths = sorted(Path(folder).glob("*.png"))
    if not paths:
        raise FileNotFoundError(f"no PNG strips in {folder}")
    strips = []
    for path in paths:
        strip = np.asarray(Image.open(path).convert("L"))
        size = strip.shape[1]
        strips.append(strip.reshape(-1, size, size))
    return np.concatenate(strips)


def smaller(tiles, size):
    """uint8 [T, S, S] -> uint8 [T, size, size]."""
    return np.concatenate([to_uint8(imresize(part, size, size, rows_axis=1)).astype(np.uint8)
                           for part in np.array_split(tiles, 16)])


def draw_mask(rng, size):
    """Random lines, outlines and filled shapes -> [size, size] in 0..1, antialiased."""
    fine = 4
    image = Image.new("L", (size * fine, size * fine))
    draw = ImageDraw.Draw(image)

    def point(spread=1.0):
        return tuple((rng.uniform(0.5 - spread / 2, 0.5 + spread / 2, 2) * size * fine).tolist())

    for _ in range(int(rng.integers(6, 24))):
        kind, ink = rng.integers(0, 4), int(rng.integers(0, 2)) * 255
        width = int(rng.integers(1, 6) * fine)
        if kind == 0:
            draw.line([point(), point()], fill=ink, width=width)
        elif kind == 1:
            draw.polygon([point() for _ in range(int(rng.integers(3, 6)))], fill=ink)
        else:
            (x0, y0), (dx, dy) = point(1.2), rng.uniform(4, size / 2, 2) * fine
            box = [x0, y0, x0 + dx, y0 + dy]
            if kind == 2:
                draw.ellipse(box, outline=ink, width=width)
            else:
                draw.rectangle(box, outline=ink, width=width)
    return np.asarray(image, np.float64).reshape(size, fine, size, fine).mean((1, 3)) / 255


def overlay(tiles, count, rng):
    """Two tiles, or a tile and one gray level, through a drawn mask -> uint8 [count, S, S]."""
    size = tiles.shape[1]
    out = np.empty((count, size, size), np.uint8)
    for i in range(count):
        a, b = tiles[rng.integers(0, len(tiles), 2)].astype(np.float64)
        if rng.random() < 0.5:
            b = np.full_like(a, rng.uniform(DARKEST, BRIGHTEST))
        mask = draw_mask(rng, size)
        out[i] = to_uint8(a + (b - a) * mask)
    return out


def load_pool(folder, scale, cache):
    """-> {part: (HR uint8 [T, S, S], LR float32 [T, S/s, S/s])}, all in gray levels.

    Parts whose tiles a scale does not divide are left out. Does not depend on any seed.
    """
    native = load_tiles(folder)
    digest = hashlib.sha256(native.tobytes() + Path(__file__).read_bytes()).hexdigest()[:16]
    cached = Path(cache) / f"pool-x{scale}-{digest}.npz"
    if not cached.exists():
        edge = native.shape[1]
        parts = {"native": native, "two thirds": smaller(native, edge * 2 // 3),
                 "half": smaller(native, edge // 2),
                 "overlaid": overlay(native, OVERLAID, np.random.default_rng(0))}
        arrays = {}
        for name, hr in parts.items():
            if hr.shape[1] % scale:
                continue
            small = hr.shape[1] // scale
            arrays[name + " hr"] = hr
            arrays[name + " lr"] = np.concatenate(
                [imresize(part, small, small, rows_axis=1).astype(np.float32)
                 for part in np.array_split(hr, 16)])
        cached.parent.mkdir(parents=True, exist_ok=True)
        temporary = cached.with_suffix(".tmp.npz")
        np.savez(temporary, **arrays)
        temporary.replace(cached)
    with np.load(cached) as arrays:
        names = [key[:-3] for key in arrays.files if key.endswith(" hr")]
        return {name: (arrays[name + " hr"], arrays[name + " lr"]) for name in names}


def change_contrast(low, high, rng):
    """Another contrast, perhaps inverted, the same for both and within the studio range."""
    least, most = float(high.min()), float(high.max())
    room = (BRIGHTEST - DARKEST) / max(most - least, 1)
    factor = min(rng.uniform(LEAST_CONTRAST, MOST_CONTRAST), room)
    factor = factor if rng.random() < 0.5 else -factor
    ends = sorted((factor * least, factor * most))
    offset = rng.uniform(DARKEST - ends[0], max(BRIGHTEST - ends[1], DARKEST - ends[0] + 1e-6))
    return low * factor + offset, high * factor + offset


class Crops:
    """Random crops, flips, rotations and contrasts; the generator's state is part of a checkpoint."""

    def __init__(self, pool, scale, seed):
        self.pool, self.scale = pool, scale
        self.rng = np.random.default_rng(seed)

    def batch(self, count, patch):
        """-> LR [count, 1, patch, patch] and HR [count, 1, s*patch, s*patch], float32 in 0..1."""
        s, rng = self.scale, self.rng
        low = np.empty((count, 1, patch, patch), np.float32)
        high = np.empty((count, 1, patch * s, patch * s), np.float32)
        # Small tiles may be smaller than a crop.
        names = [name for name, (_, lr) in self.pool.items() if lr.shape[1] >= patch]
        shares = np.array([SHARES[name] for name in names])
        chosen = rng.choice(len(names), count, p=shares / shares.sum())
        for i, part in enumerate(chosen):
            hr, lr = self.pool[names[part]]
            tile = rng.integers(0, len(lr))
            y, x = rng.integers(0, lr.shape[1] - patch + 1, 2)
            turn = rng.integers(0, 8)
            a = lr[tile, y:y + patch, x:x + patch]
            b = hr[tile, y * s:(y + patch) * s, x * s:(x + patch) * s]
            if turn & 4:
                a, b = a.T, b.T
            if turn & 2:
                a, b = a[::-1], b[::-1]
            if turn & 1:
                a, b = a[:, ::-1], b[:, ::-1]
            if rng.random() < CONTRAST_SHARE:
                a, b = change_contrast(a, b.astype(np.float32), rng)
            low[i, 0], high[i, 0] = a, b
        low += LR_NOISE * rng.standard_normal(low.shape, dtype=np.float32)
        low *= 1 / 255
        high *= 1 / 255
        return torch.from_numpy(low), torch.from_numpy(high)
