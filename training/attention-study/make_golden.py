"""Writes test/golden/attention-study.json: the logits of the networks of one seed in results/ for pictures of the hash.

    python3 make_golden.py [--seed 1]

Weights are float32, the arithmetic is float64. The pictures are [-1, 1) from ../golden/hash_weights.py.
"""
import argparse
import json
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1] / folder) for folder in ("golden", ".")]

import torch  # noqa: E402

from cifar_data import write_whole  # noqa: E402
from export import read_safetensors  # noqa: E402
from hash_weights import hash_tensor  # noqa: E402
from small_transformers import KINDS, MEMBERS, Transformer, load  # noqa: E402

HERE = Path(__file__).resolve().parent
TARGET = HERE.parents[1] / "test" / "golden" / "attention-study.json"
NAME, SHAPE = "input", (3, 3, 32, 32)


@torch.no_grad()
def logits(kind, member, seed, pictures):
    model = Transformer(kind, member)
    load(model, read_safetensors(HERE / "results" / f"{kind}-{member}-seed{seed}.safetensors")[0])
    values = model.double().eval()(pictures)
    return [[float(f"{v:.8g}") for v in row] for row in values.tolist()]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    pictures = torch.from_numpy(hash_tensor(NAME, SHAPE)).double()
    there = [(kind, member) for kind in KINDS for member in MEMBERS
             if (HERE / "results" / f"{kind}-{member}-seed{args.seed}.json").exists()]
    content = {"input": {"name": NAME, "shape": SHAPE},
               "networks": [{"kind": kind, "member": member, "seed": args.seed,
                             "logits": logits(kind, member, args.seed, pictures)} for kind, member in there]}
    write_whole(TARGET, (json.dumps(content) + "\n").encode())
    print(f"{len(there)} networks")


if __name__ == "__main__":
    main()
