"""Trains a SESR network on luma tiles.

    python3 train.py --variant m5 --scale 2 --seed 1 --iterations 120000 --out .runs/m5x2 \
        --eval ../../shared/data --export ../weights

Learning rate, patch size and loss depend on the iteration only, never on the clock, so a run that
was paused, or stopped and resumed, ends where an undisturbed one does.
"""
import argparse
import json
import math
import os
import time
from pathlib import Path

import torch

import evaluate
from data import Crops, load_pairs
from export import export
from sesr_model import VARIANTS, Sesr

HERE = Path(__file__).resolve().parent
BATCH = 16
PEAK_RATE, LAST_RATE, WARM_UP = 1e-3, 1e-6, 1000
EMA_DECAY = 0.999

# The last part of the schedule ("tail") uses larger crops and another loss. Larger: fewer pixels
# see the crop's zero padding, which hardly occurs in whole pictures. See `tail_loss` for why.
TAIL_FROM = 0.75
PATCH, TAIL_PATCH = 40, 64


def learning_rate(iteration, iterations):
    """Linear warm-up, then cosine decay to LAST_RATE at the end."""
    if iteration < WARM_UP:
        return PEAK_RATE * (iteration + 1) / WARM_UP
    progress = (iteration - WARM_UP) / max(1, iterations - WARM_UP)
    return LAST_RATE + (PEAK_RATE - LAST_RATE) * 0.5 * (1 + math.cos(math.pi * progress))


def main_loss(out, target):
    """Mean absolute error: robust, trains fast."""
    return (out - target).abs().mean()


def tail_loss(out, target):
    """Mean over the crops of their RMS error, [N, 1, H, W] -> scalar.

    PSNR is a mean over pictures of the log of each one's squared error. This follows it more
    closely than L1 does, and unlike plain MSE does not let the few hardest crops dominate.
    """
    floor = (0.25 / 255) ** 2  # bounds the gradient on flat crops
    return ((out - target).square().mean((1, 2, 3)) + floor).sqrt().mean()


class Trainer:
    """Model, its moving average, optimiser, crops and the iteration counter."""

    def __init__(self, args):
        self.args = args
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        torch.manual_seed(args.seed)
        self.model = Sesr.variant(args.variant, args.scale).to(self.device)
        self.ema = Sesr.variant(args.variant, args.scale).to(self.device)
        self.ema.load_state_dict(self.model.state_dict())
        self.weights = list(self.model.parameters())
        self.averages = [p.detach() for p in self.ema.parameters()]
        self.optimiser = torch.optim.Adam(self.weights, PEAK_RATE, betas=(0.9, 0.99), foreach=True)
        hr, lr = load_pairs(args.tiles, args.scale, HERE / ".cache")
        self.crops = Crops(hr, lr, args.scale, args.seed)
        self.iteration = 0

    def step(self):
        """One iteration -> the loss, a 0-dimensional tensor."""
        tail = self.iteration >= TAIL_FROM * self.args.iterations
        low, high = self.crops.batch(BATCH, TAIL_PATCH if tail else PATCH)
        low, high = low.to(self.device), high.to(self.device)
        loss = (tail_loss if tail else main_loss)(self.model(low), high)
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate(self.iteration, self.args.iterations)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.weights, 1.0)
        self.optimiser.step()
        with torch.no_grad():
            torch._foreach_mul_(self.averages, EMA_DECAY)
            torch._foreach_add_(self.averages, self.weights, alpha=1 - EMA_DECAY)
        self.iteration += 1
        return loss.detach()

    def save(self, path):
        temporary = path.with_suffix(".tmp")
        torch.save({
            "variant": self.args.variant, "scale": self.args.scale, "seed": self.args.seed,
            "iterations": self.args.iterations, "iteration": self.iteration,
            "model": self.model.state_dict(), "ema": self.ema.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "crops": json.dumps(self.crops.rng.bit_generator.state)}, temporary)
        os.replace(temporary, path)

    def load(self, path):
        state = torch.load(path, map_location=self.device)
        for key in ("variant", "scale", "seed", "iterations"):
            if state[key] != getattr(self.args, key):
                raise SystemExit(f"the checkpoint has {key} = {state[key]}")
        self.iteration = state["iteration"]
        self.model.load_state_dict(state["model"])
        self.ema.load_state_dict(state["ema"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.crops.rng.bit_generator.state = json.loads(state["crops"])

    def report(self):
        """Exports the moving average and scores it. The scores are shown, never acted on."""
        a = self.args
        if a.export:
            export(self.ema, a.export, "collapsed", a.variant, self.iteration, a.seed)
        if a.eval:
            scores = evaluate.mean_scores(a.eval, evaluate.network(self.ema), a.scale)
            print(f"{self.iteration:7d}  " + "  ".join(f"{k} {v:.3f}" for k, v in scores.items()),
                  flush=True)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--variant", choices=VARIANTS, default="m5")
    parser.add_argument("--scale", type=int, choices=(2, 4), default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--iterations", type=int, required=True)
    parser.add_argument("--out", required=True, help="folder for the checkpoint")
    parser.add_argument("--resume", action="store_true", help="go on from OUT/checkpoint.pt")
    parser.add_argument("--tiles", default=str(HERE.parents[1] / "shared/data/train-cc0-luma"))
    parser.add_argument("--eval", help="folder that holds Set5 and Set14, to watch the progress")
    parser.add_argument("--export", help="folder for the collapsed weights")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--log-every", type=int, default=500)
    parser.add_argument("--save-every", type=int, default=5000, help="checkpoint, export, eval")
    return parser.parse_args()


def main():
    args = parse_arguments()
    torch.set_num_threads(args.threads)
    torch.set_flush_denormal(True)
    checkpoint = Path(args.out) / "checkpoint.pt"
    checkpoint.parent.mkdir(parents=True, exist_ok=True)
    trainer = Trainer(args)
    if args.resume:
        trainer.load(checkpoint)
    total, steps, since = 0.0, 0, time.perf_counter()
    while trainer.iteration < args.iterations:
        total, steps = total + trainer.step(), steps + 1
        done = trainer.iteration
        if done % args.log_every == 0:
            now = time.perf_counter()
            print(f"{done:7d}  loss {255 * float(total) / steps:.4f}  "
                  f"rate {learning_rate(done, args.iterations):.2e}  "
                  f"{steps / (now - since):.1f} it/s", flush=True)
            total, steps, since = 0.0, 0, now
        if done % args.save_every == 0 or done == args.iterations:
            trainer.save(checkpoint)
            trainer.report()


if __name__ == "__main__":
    main()
