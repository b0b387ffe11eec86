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

from export import read_safetensors  # noqa: E402
from int8_model import IntegerSesr, inner_tensors  # noqa: E402

HEIGHT, WIDTH = 37, 53


def picture():
    """Luma [37, 53], 16..235, with every fraction of a hundredth."""
    y, x = np.mgrid[:HEIGHT, :WIDTH].astype(np.int64)
    return (16 + (7 * y * y + 13 * x * y + 5 * x * x) % 21900 / 100).astype(np.float32)


def equalised(tensors, scales):
    """As the library's `equalise`, products in float64 and rounded once."""
    m = sum(name.endswith(".slope") for name in tensors)
    tensors = {name: tensor.numpy() for name, tensor in tensors.items()}
    names = inner_tensors(m)
    shared = next((scales[name] for name in ("first", "features") if name in scales), None)
    of = {name: scales.get(name) for name in names}
    of["first"] = of["features"] = shared
    layers = [("first", None, "first"), *((f"blocks.{i}", names[i], names[i + 1]) for i in range(m)), ("last", "features", None)]
    for layer, source, target in layers:
        weight, bias = tensors[layer + ".weight"], tensors[layer + ".bias"]
        inputs = np.ones(weight.shape[1]) if of.get(source) is None else np.array(of[source])
        outputs = np.ones(weight.shape[0]) if of.get(target) is None else np.array(of[target])
        factor = inputs[None, :] / outputs[:, None]
        tensors[layer + ".weight"] = (weight.astype(np.float64) * factor[:, :, None, None]).astype(np.float32)
        tensors[layer + ".bias"] = (bias.astype(np.float64) * (1 / outputs)).astype(np.float32)
    return {name: torch.from_numpy(tensor) for name, tensor in tensors.items()}


def main():
    digests = {}
    for path in sorted((ROOT / "weights").glob("sesr-*.calibration.json")):
        stem = path.name.replace(".calibration.json", "")
        calibration = json.loads(path.read_text())
        trained = ROOT / f"weights/{stem}.int8.safetensors"
        tensors, _ = read_safetensors(trained if trained.exists() else ROOT / f"weights/{stem}.safetensors")
        tensors = equalised(tensors, calibration.get("equalisation", {}))
        ranges = {name: (r["min"], r["max"]) for name, r in calibration["ranges"].items()}
        result = IntegerSesr(tensors, ranges).run(picture())
        digests[stem] = hashlib.sha256(result.tobytes()).hexdigest()
    target = ROOT / "test/golden/sesr-int8.json"
    target.write_text(json.dumps(digests, indent=2) + "\n")
    print(target)


if __name__ == "__main__":
    main()
