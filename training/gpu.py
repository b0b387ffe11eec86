"""What keeps a GPU busy with networks as small as these: crops made where they are used, and iterations recorded once and replayed.

An iteration is some hundred kernels of a few microseconds, so that launching them one by one, or making crops on the CPU, would take
many times as long as computing.
"""
import numpy as np
import torch

from data import BRIGHTEST, CONTRAST_SHARE, DARKEST, LEAST_CONTRAST, LR_NOISE, MOST_CONTRAST, SHARES, Crops

WARM_UP = 3  # runs before one is recorded: they choose algorithms and make what stays


def another_contrast(low, high):
    """`data.another_contrast` of each crop: [N, h, w] and [N, H, W] in gray levels -> factors, offsets [N, 1, 1]."""
    least = torch.minimum(low.amin((1, 2)), high.amin((1, 2)))
    most = torch.maximum(low.amax((1, 2)), high.amax((1, 2)))
    room = (BRIGHTEST - DARKEST) / (most - least).clamp(min=1)
    drawn, sign, place = torch.rand(3, len(low), device=low.device)
    factor = torch.minimum(LEAST_CONTRAST + drawn * (MOST_CONTRAST - LEAST_CONTRAST), room)
    factor = torch.where(sign < 0.5, factor, -factor)
    darkest, brightest = torch.minimum(factor * least, factor * most), torch.maximum(factor * least, factor * most)
    first, last = DARKEST - darkest, BRIGHTEST - brightest
    offset = first + place * (torch.maximum(last, first) - first)
    return factor[:, None, None], offset[:, None, None]


class DeviceCrops:
    """`data.Crops` by operations on whole batches, with the pool on the device.

    Draws from the device's default generator, which a recorded graph carries on; numbers are others than those of `data.Crops`.
    """

    def __init__(self, pool, scale, seed, lessons, device):
        self.scale, self.device = scale, device
        self.names = list(pool)
        self.edges = [lr.shape[1] for _, lr in pool.values()]
        self.counts = [len(lr) for _, lr in pool.values()]

        def flat(arrays):
            return torch.cat([torch.from_numpy(np.ascontiguousarray(a)).flatten() for a in arrays]).to(device)

        self.low = flat(lr for _, lr in pool.values())
        self.high = [flat(hr for hr, _ in pool.values())]
        if lessons:
            self.high.append(flat(lessons[name] for name in pool))
        self.tables = {}
        torch.manual_seed(seed)

    def state(self):
        return torch.cuda.get_rng_state() if self.device.type == "cuda" else torch.get_rng_state()

    def set_state(self, state):
        (torch.cuda if self.device.type == "cuda" else torch).set_rng_state(state.cpu())

    def _table(self, patch):
        """-> of the parts whose tiles hold such a crop: cumulated shares but the last, counts of tiles, edges, starts in `low`."""
        if patch not in self.tables:
            starts = np.cumsum([0] + [n * e * e for n, e in zip(self.counts, self.edges)])
            fit = [i for i, edge in enumerate(self.edges) if edge >= patch]
            shares = np.cumsum([SHARES[self.names[i]] for i in fit])
            rows = ([self.counts[i] for i in fit], [self.edges[i] for i in fit], [starts[i] for i in fit])
            self.tables[patch] = (torch.tensor(shares[:-1] / shares[-1], dtype=torch.float32, device=self.device),
                                  *(torch.tensor(row, device=self.device) for row in rows))
        return self.tables[patch]

    @staticmethod
    def _cut(flat, start, stride, corner, turn, size):
        """Crops [N, size, size] of tiles that begin at `start`, each turned in one of eight ways."""
        row = torch.arange(size, device=flat.device)[None, :, None]
        column = row.transpose(1, 2)
        swap, up, left = ((turn & bit).bool()[:, None, None] for bit in (4, 2, 1))
        y, x = torch.where(swap, column, row), torch.where(swap, row, column)
        y, x = torch.where(up, size - 1 - y, y), torch.where(left, size - 1 - x, x)
        index = start[:, None, None] + (corner[0][:, None, None] + y) * stride[:, None, None] + corner[1][:, None, None] + x
        return flat[index].float()

    def batch(self, count, patch):
        """-> LR [count, 1, patch, patch], HR [count, 1, s*patch, s*patch] and the teacher's, or None; float32 in 0..1."""
        s = self.scale
        bounds, counts, edges, starts = self._table(patch)
        drawn = torch.rand(6, count, device=self.device)
        part = (drawn[0][:, None] >= bounds).sum(1)
        edge = edges[part]

        def below(u, limits):
            return torch.minimum((u.double() * limits).long(), limits - 1)

        start = starts[part] + below(drawn[1], counts[part]) * edge * edge
        y, x = below(drawn[2], edge - patch + 1), below(drawn[3], edge - patch + 1)
        turn = (drawn[4] * 8).long()
        low = self._cut(self.low, start, edge, (y, x), turn, patch)
        high = [self._cut(flat, start * s * s, edge * s, (y * s, x * s), turn, patch * s) for flat in self.high]
        factor, offset = another_contrast(low, high[0])
        changed = (drawn[5] < CONTRAST_SHARE)[:, None, None]
        factor, offset = torch.where(changed, factor, 1.0), torch.where(changed, offset, 0.0)
        low = low * factor + offset + LR_NOISE * torch.randn_like(low)
        high = [(h * factor + offset)[:, None] / 255 for h in high]
        return low[:, None] / 255, high[0], high[1] if len(high) > 1 else None


def crops_for(device, pool, scale, seed, lessons=None):
    """Crops of a pool, made where they are used."""
    if device.type == "cuda":
        return DeviceCrops(pool, scale, seed, lessons, device)
    return Crops(pool, scale, seed, lessons)


class Replayed:
    """A function without arguments that launches work on the current GPU alone, with tensors that stay: recorded and replayed."""

    def __init__(self, work):
        self.work, self.runs, self.graph = work, 0, None
        self.stream = torch.cuda.Stream()

    def __call__(self):
        if self.graph is None and self.runs < WARM_UP:
            self.stream.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(self.stream):
                self.work()
            torch.cuda.current_stream().wait_stream(self.stream)
            self.runs += 1
            return
        if self.graph is None:
            self.graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(self.graph):
                self.work()
        self.graph.replay()
