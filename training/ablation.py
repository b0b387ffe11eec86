"""The paper's ablation at equal budget: M5 x2 with four parametrisations of its layers, which all collapse to the same network.

    python3 ablation.py --eval ../../shared/data [--seeds 1 2 3] [--minutes N] [--bf16]

SESR's block, the same without the short residual, RepVGG-like branches, and plain kernels; same data, schedule, rate and seeds. Ours
beside them: plain kernels with SOAP instead of Adam, which start as SESR's block does.
Resumable; writes .runs/ablation.json with the PSNR of every run, and prints a table of means and, with several seeds, their spread.
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
from train import HERE, add_run_options

STABLE, DECAY = 6000, 2000
RUNS = {
    "SESR's block": ("--block", "sesr"),
    "without the short residual": ("--block", "no-residual"),
    "RepVGG-like branches": ("--block", "repvgg"),
    "plain kernels": ("--block", "plain"),
    "plain kernels, SOAP": ("--block", "sesr", "--optimiser", "soap"),
}


def training_psnr(model, pool):
    """On crops that every run meets alike: of the pool, so it tells how well a block trains and not how well it generalises."""
    crops = Crops(pool, 2, seed=12345)
    with torch.no_grad():
        errors = [(model(low).clamp(0, 1) - high).square().mean((1, 2, 3)) for low, high, _ in (crops.batch(8, 64) for _ in range(64))]
    return float((-10 * torch.cat(errors).clamp(min=1e-6).log10()).mean())


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    parser.add_argument("--bf16", action="store_true", help="see train.py")
    add_run_options(parser)
    args = parser.parse_args()
    end = time.monotonic() + 60 * args.minutes
    pool = load_pool(args.tiles, 2, HERE / ".cache")
    results = []
    for seed in args.seeds:
        for name, options in RUNS.items():
            out = HERE / ".runs" / "-".join(("ablation", *options[1::2], str(seed)))
            left = (end - time.monotonic()) / 60
            command = [sys.executable, str(HERE / "train.py"), "m5", *options, "--seed", str(seed), "--stable", str(STABLE),
                       "--decay", str(DECAY), "--out", str(out), "--tiles", args.tiles]
            if args.bf16:
                command.append("--bf16")
            if left != float("inf"):
                command += ["--minutes", f"{max(left, 0.01):.2f}"]
            code = subprocess.run(command).returncode
            if code:
                return code
            model = load_collapsed(out / "sesr-m5-x2.safetensors")
            scores = {"training": training_psnr(model, pool)}
            if args.eval:
                scores.update(evaluate.mean_scores(args.eval, evaluate.network(model), 2))
            results.append({"run": name, "seed": seed, **scores})
            (HERE / ".runs/ablation.json").write_text(json.dumps(results, indent=1) + "\n")
    sets = [key for key in results[0] if key not in ("run", "seed")]
    print("| | " + " | ".join(sets) + " |\n|---|" + "---|" * len(sets))
    for name in RUNS:
        print(f"| {name} | " + " | ".join(cell([r[key] for r in results if r["run"] == name]) for key in sets) + " |")
    return 0


def cell(values):
    """Mean, and how far the values lie apart."""
    mean = f"{sum(values) / len(values):.2f}"
    return mean if len(values) == 1 else f"{mean} ({max(values) - min(values):.2f})"


if __name__ == "__main__":
    raise SystemExit(main())
