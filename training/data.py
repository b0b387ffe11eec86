"""Training pairs: luma tiles, their LR versions, and random augmented crops.

The tiles come as PNG strips (8-bit studio-range luma, square tiles stacked vertically). The pool
holds them as they are and four things made of them, because photographs halved once are soft
and have few hard edges, while what people enlarge often has both more detail to the pixel and
drawn lines, and because they are few: the tiles at 2/3, the tiles at 1/2, the tiles turned by any
angle and made smaller, and tiles laid over one another through drawn masks. LR tiles are made
once with the MATLAB-like bicubic and cached.
"""
import hashlib
import json
import os
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from drawn import draw_mask
from matlab_resize import imresize, to_uint8

HERE = Path(__file__).resolve().parent

# LR pictures met in practice are 8-bit RGB turned into floating-point luma. Rounding three
# channels (and once more between the two resize passes) leaves noise of about 0.2 gray levels
# on Y, not the 0.29 of luma rounded to 8 bits. So the LR tiles are kept unrounded, and noise of
# that size is added anew to each crop.
LR_NOISE = 0.2

# part of the pool -> how often a crop comes from it
SHARES = {"native": 0.35, "two thirds": 0.15, "half": 0.05, "overlaid": 0.2, "turned": 0.25}
OVERLAID = 2906  # tiles
TURNS = 4  # of each tile
TURNED_EDGE = 128
LEAST_SHRINK, MOST_SHRINK = 0.5, 0.9  # of each axis of a turned tile

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
    return to_uint8(imresize(tiles, size, size, rows_axis=1)).astype(np.uint8)


def turned(tiles, indices, edge):
    """Tile i % T by any angle, then smaller, each axis by a factor of its own, for each i of `indices` -> uint8 [len(indices), edge, edge].

    i is the seed. Beyond its edge a tile goes on as its mirror image.
    """
    size = tiles.shape[1]
    out = np.empty((len(indices), edge, edge), np.uint8)
    for k, i in enumerate(indices):
        rng = np.random.default_rng((1, i))
        wide = Image.fromarray(np.pad(tiles[i % len(tiles)], size, mode="symmetric"))
        angle, (fy, fx) = rng.uniform(0, 360), rng.uniform(LEAST_SHRINK, MOST_SHRINK, 2)
        h, w = edge / fy, edge / fx
        centre = rng.uniform(size * 1.2, size * 1.8, 2)
        upright = wide.rotate(angle, Image.BICUBIC, center=tuple(centre))
        box = (centre[0] - w / 2, centre[1] - h / 2, centre[0] + w / 2, centre[1] + h / 2)
        out[k] = np.asarray(upright.resize((edge, edge), Image.BICUBIC, box=box))
    return out.clip(DARKEST, BRIGHTEST)


def overlay(tiles, seeds):
    """Two tiles, or a tile and one gray level, through a drawn mask, for each seed -> uint8 [len(seeds), S, S]."""
    size = tiles.shape[1]
    out = np.empty((len(seeds), size, size), np.uint8)
    for k, seed in enumerate(seeds):
        rng = np.random.default_rng((0, seed))
        a, b = tiles[rng.integers(0, len(tiles), 2)].astype(np.float64)
        if rng.random() < 0.5:
            b = np.full_like(a, rng.uniform(DARKEST, BRIGHTEST))
        mask = draw_mask(rng, size)
        out[k] = to_uint8(a + (b - a) * mask)
    return out


def cached_arrays(path, make):
    """-> {name: array} of the file at `path`, written first, whole or not at all, from what `make()` returns if it is not there."""
    path = Path(path)
    if not path.exists():
        arrays = make()
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(".tmp.npz")
        np.savez(temporary, **arrays)
        temporary.replace(path)
    with np.load(path) as arrays:
        return {name: arrays[name] for name in arrays.files}


def make_piece(native, scale, name, size, numbers):
    """-> HR and LR tiles of these numbers of a part of the pool, HR with edges of `size`."""
    if name == "native":
        hr = native[numbers]
    elif name == "overlaid":
        hr = overlay(native, numbers)
    elif name == "turned":
        hr = turned(native, numbers, size)
    else:
        hr = smaller(native[numbers], size)
    small = size // scale
    return hr, imresize(hr, small, small, rows_axis=1).astype(np.float32)


def load_pool(folder, scale, cache):
    """-> {part: (HR uint8 [T, S, S], LR float32 [T, S/s, S/s])}, all in gray levels.

    Parts whose tiles a scale does not divide are left out. Does not depend on any seed.
    """
    native = load_tiles(folder)
    digest = hashlib.sha256(native.tobytes() + b"".join((HERE / name).read_bytes() for name in ("data.py", "drawn.py", "matlab_resize.py"))).hexdigest()[:16]

    def make():
        edge, count = native.shape[1], len(native)
        parts = {"native": (count, edge), "two thirds": (count, edge * 2 // 3), "half": (count, edge // 2),
                 "overlaid": (OVERLAID, edge), "turned": (TURNS * count, TURNED_EDGE)}
        pieces = [(name, size, numbers) for name, (tiles, size) in parts.items() if size % scale == 0
                  for numbers in np.array_split(np.arange(tiles), 16)]
        with ProcessPoolExecutor(len(os.sched_getaffinity(0))) as processes:
            made = list(processes.map(partial(make_piece, native, scale), *zip(*pieces)))
        return {f"{part} {kind}": np.concatenate([pair[k] for (name, *_), pair in zip(pieces, made) if name == part])
                for part in dict.fromkeys(name for name, *_ in pieces) for k, kind in enumerate(("hr", "lr"))}

    arrays = cached_arrays(Path(cache) / f"pool-x{scale}-{digest}.npz", make)
    names = [key[:-3] for key in arrays if key.endswith(" hr")]
    return {name: (arrays[name + " hr"], arrays[name + " lr"]) for name in names}


def another_contrast(low, high, rng):
    """-> factor and offset that change the contrast, perhaps invert it, and keep both within the studio range."""
    least, most = float(min(low.min(), high.min())), float(max(low.max(), high.max()))
    room = (BRIGHTEST - DARKEST) / max(most - least, 1)
    factor = min(rng.uniform(LEAST_CONTRAST, MOST_CONTRAST), room)
    factor = factor if rng.random() < 0.5 else -factor
    ends = sorted((factor * least, factor * most))
    return factor, rng.uniform(DARKEST - ends[0], max(BRIGHTEST - ends[1], DARKEST - ends[0] + 1e-6))


class Crops:
    """Random crops, flips, rotations and contrasts; the generator's state is part of a checkpoint.

    lessons: {part: [T, S, S]} in gray levels, what a teacher makes of the LR tiles, or None.
    """

    def __init__(self, pool, scale, seed, lessons=None):
        self.pool, self.scale, self.lessons = pool, scale, lessons
        self.rng = np.random.default_rng(seed)

    def state(self):
        return json.dumps(self.rng.bit_generator.state)

    def set_state(self, state):
        self.rng.bit_generator.state = json.loads(state)

    def batch(self, count, patch):
        """-> LR [count, 1, patch, patch], HR [count, 1, s*patch, s*patch] and the teacher's, or None; float32 in 0..1."""
        s, rng = self.scale, self.rng
        low = np.empty((count, 1, patch, patch), np.float32)
        high = np.empty((2 if self.lessons else 1, count, 1, patch * s, patch * s), np.float32)
        # Small tiles may be smaller than a crop.
        names = [name for name, (_, lr) in self.pool.items() if lr.shape[1] >= patch]
        shares = np.array([SHARES[name] for name in names])
        chosen = rng.choice(len(names), count, p=shares / shares.sum())
        for i, part in enumerate(chosen):
            hr, lr = self.pool[names[part]]
            tile = rng.integers(0, len(lr))
            y, x = rng.integers(0, lr.shape[1] - patch + 1, 2)
            turn = rng.integers(0, 8)
            crops = [lr[tile, y:y + patch, x:x + patch]]
            for array in (hr, self.lessons[names[part]]) if self.lessons else (hr,):
                crops.append(array[tile, y * s:(y + patch) * s, x * s:(x + patch) * s])
            if turn & 4:
                crops = [crop.T for crop in crops]
            if turn & 2:
                crops = [crop[::-1] for crop in crops]
            if turn & 1:
                crops = [crop[:, ::-1] for crop in crops]
            if rng.random() < CONTRAST_SHARE:
                factor, offset = another_contrast(*crops[:2], rng)
                crops = [crop.astype(np.float32) * factor + offset for crop in crops]
            low[i, 0], high[:, i, 0] = crops[0], crops[1:]
        low += LR_NOISE * rng.standard_normal(low.shape, dtype=np.float32)
        low *= 1 / 255
        high *= 1 / 255
        return torch.from_numpy(low), torch.from_numpy(high[0]), torch.from_numpy(high[1]) if self.lessons else None
