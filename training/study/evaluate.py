"""Scores the exported networks again from their files: python3 evaluate.py --data DIR (holds test.tar)."""
import argparse
import json
from pathlib import Path

import torch

from train import HERE, load  # first: it puts ../golden and .. on the path
from export import read_safetensors
from small_networks import build


@torch.no_grad()
def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, type=Path)
    x, y = load(parser.parse_args().data / "test.tar")
    right = {}
    for path in sorted((HERE / "results").glob("*.safetensors")):
        stated = json.loads(path.with_suffix(".json").read_text())
        model = build(stated["network"]).eval()
        missing, unexpected = model.load_state_dict(read_safetensors(path)[0], strict=False)
        assert not unexpected and all(m.endswith("num_batches_tracked") for m in missing), (missing, unexpected)
        predictions = torch.cat([model(batch).argmax(1) for batch in x.split(500)])
        right[stated["network"], stated["seed"]] = predictions == y
        print(f"{path.stem}: {100 * (predictions == y).float().mean():.2f} %, stated {stated['accuracyPercent']} %")
    for (name, seed), ibn in right.items():
        if name == "ibn" and ("ran", seed) in right:
            ran = right["ran", seed]
            print(f"seed {seed}: only ibn right {(ibn & ~ran).sum()}, only ran right {(ran & ~ibn).sum()}")


if __name__ == "__main__":
    main()
