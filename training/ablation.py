"""The paper's ablation at equal budget: M5 x2 with four parametrisations of its layers, which all collapse to the same network.

    python3 ablation.py --eval ../../shared/data [--seeds 1 2 3] [--minutes N]

SESR's block, the same without the short residual, RepVGG-like branches, and plain kernels; same data, schedule and seeds.
Resumable; writes .runs/ablation.json with the PSNR of every run, and prints a table of the means.
"""
import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

import torch

import evaluate
from data import Crops, load_pool
from export import load_collapsed
from sesr_model import BLOCKS
from train import HERE, add_run_options

STABLE, DECAY = 15000, 5000


def training_psnr(model, pool):
    """On crops that every run meets alike: of the pool, so it tells how well a block trains and not how well it generalises."""
    crops = Crops(pool, 2, seed=12345)
    with torch.no_grad():
        errors = [(model(low).clamp(0, 1) - high).square().mean((1, 2, 3)) for low, high in (crops.batch(8, 64) for _ in range(64))]
    return float((-10 * torch.cat(errors).clamp(min=1e-6).log10()).mean())


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    add_run_options(parser)
    args = parser.parse_args()
    end = time.monotonic() + 60 * args.minutes
    pool = load_pool(args.tiles, 2, HERE / ".cache")
    results = []
    for seed in args.seeds:
        for block in BLOCKS:
            out = HERE / f".runs/ablation-{block}-{seed}"
            left = (end - time.monotonic()) / 60
            command = [sys.executable, str(HERE / "train.py"), "m5", "--block", block, "--seed", str(seed), "--stable", str(STABLE),
                       "--decay", str(DECAY), "--out", str(out), "--tiles", args.tiles]
            if left != float("inf"):
                command += ["--minutes", f"{max(left, 0.01):.2f}"]
            code = subprocess.run(command).returncode
            if code:
                return code
            model = load_collapsed(out / "sesr-m5-x2.safetensors")
            scores = {"training": training_psnr(model, pool)}
            if args.eval:
                scores.update(evaluate.mean_scores(args.eval, evaluate.network(model), 2))
            results.append({"block": block, "seed": seed, **scores})
            (HERE / ".runs/ablation.json").write_text(json.dumps(results, indent=1) + "\n")
    names = [name for name in results[0] if name not in ("block", "seed")]
    print("| block | " + " | ".join(names) + " |\n|---|" + "---|" * len(names))
    for block in BLOCKS:
        own = [r for r in results if r["block"] == block]
        cells = [f"{sum(r[name] for r in own) / len(own):.3f}" for name in names]
        print(f"| {block} | " + " | ".join(cells) + " |")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
