"""How far fake quantisation, which trains the int8 networks, is from the library's integers, on whole pictures.

    python3 agreement.py --data ../../shared/data [sesr-m5-x2 ...]

Prints the share of pixels that differ by more than a gray level, in the worst picture of each set, with fake quantisation in float64 and
in float32. Ten networks take some minutes.
"""
import argparse
from pathlib import Path

import numpy as np
import torch

from evaluate import SETS, load_set, luma
from int8_model import Int8Sesr, IntegerSesr, read_int8

WEIGHTS = Path(__file__).resolve().parents[1] / "weights"


def share_apart(model, integers, y, dtype):
    """Of the pixels of luma y [H, W] in 0..255, by more than a level."""
    with torch.no_grad():
        rounded = model(torch.from_numpy(y).to(dtype)[None, None] / 255, compiled=False).clamp(0, 1)[0, 0].double().numpy() * 255
    return float((np.abs(rounded - integers) > 1).mean())


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("networks", nargs="*", help="by default all of ../weights")
    parser.add_argument("--data", required=True, help="folder that holds Set5 and Set14")
    args = parser.parse_args()
    torch.set_num_threads(1)
    stems = args.networks or sorted(path.name.split(".")[0] for path in WEIGHTS.glob("*.calibration.json"))
    for stem in stems:
        stored = read_int8(WEIGHTS, stem)
        integer = IntegerSesr(*stored)
        models = {dtype: Int8Sesr.stored(*stored).to(dtype) for dtype in (torch.float64, torch.float32)}
        for name in SETS:
            worst = dict.fromkeys(models, 0.0)
            for _, low, _ in load_set(Path(args.data) / name, integer.scale):
                y = luma(low).astype(np.float32)
                exact = integer.run(y)
                for dtype, model in models.items():
                    worst[dtype] = max(worst[dtype], share_apart(model, exact, y, dtype))
            print(f"{stem}  {name}  " + "  ".join(f"{str(dtype)[6:]} {100 * share:.4f} %" for dtype, share in worst.items()), flush=True)


if __name__ == "__main__":
    main()
