"""PSNR on Y, for a network or the bicubic baseline.

Protocol: Y is BT.601 studio range in floating point, from the stored 8-bit RGB pictures (a gray
picture counts as R = G = B). The network's output is clipped and rounded to 8 bits; HR luma is
not rounded. A border of `scale` pixels is left out. Peak 255.

    python3 evaluate.py --data ../../shared/data [--weights ../weights/sesr-m5-x2.safetensors]
"""
import argparse
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from matlab_resize import imresize, to_uint8

SETS = ("Set5", "Set14")


def read_rgb(path):
    """-> uint8 [H, W, 3]."""
    return np.asarray(Image.open(path).convert("RGB"))


def luma(rgb):
    """[H, W, 3] in 0..255 -> Y [H, W], 16..235, floating point."""
    return 16 + np.asarray(rgb, np.float64) @ np.array([65.481, 128.553, 24.966]) / 255


def psnr(a, b, shave):
    """a, b [H, W] in 0..255 -> dB."""
    d = (a - b)[shave:-shave, shave:-shave]
    return 10 * np.log10(255 ** 2 / np.mean(d * d))


def load_set(folder, scale):
    """-> list of (name, LR uint8 RGB, HR uint8 RGB), HR cropped to a multiple of LR."""
    out = []
    for low_path in sorted((Path(folder) / f"LRx{scale}").glob("*.png")):
        low = read_rgb(low_path)
        high = read_rgb(Path(folder) / "HR" / low_path.name)
        out.append((low_path.stem, low, high[:low.shape[0] * scale, :low.shape[1] * scale]))
    if not out:
        raise FileNotFoundError(f"no LRx{scale} pictures in {folder}")
    return out


def bicubic(low, scale):
    """8-bit RGB upscaled as MATLAB does it on uint8, then turned into Y."""
    h, w, _ = low.shape
    return luma(imresize(low, h * scale, w * scale, as_uint8=True))


def network(model):
    """-> function (LR RGB, scale) -> Y [H, W] rounded to 8 bits."""
    def run(low, scale):
        device = next(model.parameters()).device
        x = torch.from_numpy(luma(low) / 255).float()[None, None].to(device)
        with torch.no_grad():
            y = model(x).clamp(0, 1)[0, 0]
        return to_uint8(y.cpu().double().numpy() * 255)
    return run


def score(pictures, upscale, scale):
    """-> {name: PSNR}."""
    return {name: psnr(upscale(low, scale), luma(high), scale) for name, low, high in pictures}


def mean_scores(data, upscale, scale):
    """-> {set: mean PSNR} over the sets present in `data`."""
    return {s: float(np.mean(list(score(load_set(Path(data) / s, scale), upscale, scale).values())))
            for s in SETS if (Path(data) / s).is_dir()}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default="../../shared/data",
                        help="folder that holds Set5 and Set14")
    parser.add_argument("--scale", type=int, default=2, choices=(2, 4))
    parser.add_argument("--weights", help="safetensors; without it the bicubic baseline is scored")
    args = parser.parse_args()
    upscale = bicubic
    if args.weights:
        from export import load_collapsed
        model = load_collapsed(args.weights)
        upscale, args.scale = network(model), model.scale
    for name in SETS:
        scores = score(load_set(Path(args.data) / name, args.scale), upscale, args.scale)
        for picture, value in scores.items():
            print(f"{name:6} {picture:12} {value:6.2f}")
        print(f"{name:6} {'mean':12} {np.mean(list(scores.values())):6.2f}")


if __name__ == "__main__":
    main()
