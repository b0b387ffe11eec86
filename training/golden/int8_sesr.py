"""What the networks of weights/ compute in int8, by PyTorch: digests for test/golden/sesr-int8.test.ts.

    python3 int8_sesr.py        # after weights changed

The picture is a formula, whose values are the same in both languages.
"""
import hashlib
import json
import sys
from pathlib import Path

import numpy as np
import torch

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "training"))

from int8_model import IntegerSesr, read_int8  # noqa: E402

HEIGHT, WIDTH = 37, 53


def picture():
    """Luma [37, 53], 16..235, with every fraction of a hundredth."""
    y, x = np.mgrid[:HEIGHT, :WIDTH].astype(np.int64)
    return (16 + (7 * y * y + 13 * x * y + 5 * x * x) % 21900 / 100).astype(np.float32)


def main():
    digests = {}
    for path in sorted((ROOT / "weights").glob("sesr-*.calibration.json")):
        stem = path.name.replace(".calibration.json", "")
        result = IntegerSesr(*read_int8(ROOT / "weights", stem)).run(picture())
        digests[stem] = hashlib.sha256(result.tobytes()).hexdigest()
    target = ROOT / "test/golden/sesr-int8.json"
    target.write_text(json.dumps(digests, indent=2) + "\n")
    print(target)


if __name__ == "__main__":
    main()
