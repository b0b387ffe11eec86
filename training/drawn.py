"""Masks drawn at random, [S, S] in 0..1 and antialiased: shapes, curves, letters, stripes.

Letters are made up of strokes, so that no font has to be there.
"""
import numpy as np
from PIL import Image, ImageDraw

FINE = 4  # pixels that one of the mask's is the mean of, each way


def shapes(draw, rng, size):
    """Lines, outlines and filled shapes. `size` of this and what follows: the mask's edge, in its own pixels."""
    def point(spread=1.0):
        return tuple((rng.uniform(0.5 - spread / 2, 0.5 + spread / 2, 2) * size * FINE).tolist())

    for _ in range(int(rng.integers(6, 24))):
        kind, ink = rng.integers(0, 4), int(rng.integers(0, 2)) * 255
        width = int(rng.integers(1, 6) * FINE)
        if kind == 0:
            draw.line([point(), point()], fill=ink, width=width)
        elif kind == 1:
            draw.polygon([point() for _ in range(int(rng.integers(3, 6)))], fill=ink)
        else:
            (x0, y0), (dx, dy) = point(1.2), rng.uniform(4, size / 2, 2) * FINE
            box = [x0, y0, x0 + dx, y0 + dy]
            if kind == 2:
                draw.ellipse(box, outline=ink, width=width)
            else:
                draw.rectangle(box, outline=ink, width=width)


def curves(draw, rng, size):
    """Cubic Bezier curves, some of them erasing."""
    t = np.linspace(0, 1, 40)[:, None]
    for _ in range(int(rng.integers(4, 30))):
        a, b, c, d = rng.uniform(-0.2, 1.2, (4, 2)) * size * FINE
        path = a * (1 - t) ** 3 + 3 * b * t * (1 - t) ** 2 + 3 * c * t * t * (1 - t) + d * t ** 3
        ink = int(rng.random() < 0.7) * 255
        draw.line([tuple(p) for p in path.tolist()], fill=ink, width=int(rng.uniform(0.7, 4) * FINE), joint="curve")


def make_letter(rng):
    """-> strokes: whether an ellipse, and two corners in a grid of 3 x 3."""
    return [(rng.integers(0, 3) == 2, rng.integers(0, 3, (2, 2))) for _ in range(int(rng.integers(2, 5)))]


def script(draw, rng, size):
    """Lines of text; each line has eight letters of its own, a height, a lean and a pen."""
    y = rng.uniform(-10, 10)
    while y < size:
        height = rng.uniform(6, 28)
        width, pen = height * rng.uniform(0.4, 0.8), max(1, int(height * rng.uniform(0.06, 0.2) * FINE))
        letters = [make_letter(rng) for _ in range(8)]
        x, lean = rng.uniform(-width, width), rng.uniform(-0.2, 0.3) * height
        while x < size:
            for ellipse, corners in letters[int(rng.integers(0, 8))]:
                ends = [((x + column * width * 0.375 + lean * (1 - row / 2)) * FINE, (y + row * height * 0.4) * FINE) for column, row in corners]
                (left, right), (top, bottom) = (sorted(pair) for pair in zip(*ends))
                if not ellipse:
                    draw.line(ends, fill=255, width=pen)
                elif right > left + 2 * pen and bottom > top + 2 * pen:
                    draw.ellipse([left, top, right, bottom], outline=255, width=pen)
            x += width * (1 if rng.random() < 0.85 else 1.8)
        y += height * rng.uniform(1, 1.5)


def stripes(rng, size):
    """Bent stripes or a lattice of them, hard or soft edged -> [size, size]."""
    y, x = (np.mgrid[:size * FINE, :size * FINE] + 0.5) / FINE
    angle, period = rng.uniform(0, np.pi), np.exp(rng.uniform(np.log(2.5), np.log(24)))
    phase = (x * np.cos(angle) + y * np.sin(angle)) / period
    for _ in range(int(rng.integers(0, 4))):
        direction, start = rng.uniform(0, 2 * np.pi, 2)
        length = rng.uniform(20, 200)
        along = (x * np.cos(direction) + y * np.sin(direction)) / length
        phase = phase + rng.uniform(0, 0.12) * length / period * np.sin(2 * np.pi * along + start)
    wave = np.sin(2 * np.pi * phase) + rng.uniform(-0.6, 0.6)
    if rng.random() < 0.3:
        across = (y * np.cos(angle) - x * np.sin(angle)) / (period * rng.uniform(0.5, 2))
        wave = np.maximum(wave, np.sin(2 * np.pi * across))
    hardness = np.exp(rng.uniform(0, 4))
    return coarse(np.clip(wave * hardness / 2 + 0.5, 0, 1))


def coarse(fine):
    """[S FINE, S FINE] -> [S, S], means."""
    size = len(fine) // FINE
    return fine.reshape(size, FINE, size, FINE).mean((1, 3))


def draw_mask(rng, size):
    """-> [size, size] in 0..1."""
    kind = rng.integers(0, 5)
    if kind == 0:
        return stripes(rng, size)
    image = Image.new("L", (size * FINE, size * FINE))
    (shapes, shapes, curves, script)[kind - 1](ImageDraw.Draw(image), rng, size)
    return coarse(np.asarray(image, np.float64)) / 255
