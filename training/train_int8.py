"""Fine-tunes a trained SESR network in int8, rounding as the library does.

    python3 train_int8.py .runs/m5-x2/sesr-m5-x2.safetensors --iterations 8000 --export ../weights

Starts from the collapsed weights: equalises their channels, sets each tensor's range to what occurs on tiles, and then trains
weights, slopes and ranges together, at a rate that falls to zero. What it aims at is the f32 network's output, not the original: that keeps
int8 from becoming another network, and the differences are small, so that there is little noise in their gradients.
Writes NAME.int8.safetensors and NAME.calibration.json (the ranges). The same call again goes on where the last one stopped, one with more
iterations where that ended, at the rate that the longer run has there.
"""
import argparse
import math
import os
import time
from pathlib import Path

import numpy as np
import torch

import evaluate
from data import load_pool
from export import described, read_safetensors, write_safetensors
from int8_model import Int8Sesr, read_int8, write_calibration
from sesr_model import CollapsedSesr
from gpu import Replayed, crops_for
from soap import Soap
from train import HERE, STABLE_CROPS, add_run_options, learning_rate

# Peak rates: of weights and slopes, of the logarithms of steps, and of zero points, which are whole levels.
WEIGHT_RATE, STEP_RATE, ZERO_RATE = 2e-4, 3e-4, 1e-2
RANGE_BETAS = (0.9, 0.99)
WARM_UP = 100
CALIBRATION_TILES = 96


def calibration_inputs(pool):
    """Some tiles of every photograph, [1, 1, H, W] in 0..1."""
    _, lr = pool["native"]
    chosen = np.linspace(0, len(lr) - 1, CALIBRATION_TILES).astype(int)
    return [torch.from_numpy(lr[i] / 255)[None, None] for i in chosen]


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("weights", help="collapsed weights in f32")
    parser.add_argument("--iterations", type=int, default=8000)
    parser.add_argument("--rate", type=float, default=1, help="factor of the peak rates")
    parser.add_argument("--fine", nargs="*", default=[], metavar="TENSOR", help="inner tensors to be read in two parts, levels and eighths")
    parser.add_argument("--from", dest="begin", help="int8 weights of an earlier training to begin with, their ranges beside them")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", help="folder for checkpoints, by default that of the weights")
    add_run_options(parser)
    parser.add_argument("--export", help="folder for weights and ranges when finished")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--log-every", type=int, default=200)
    return parser.parse_args()


def lost_psnr(out, wanted, high):
    """Mean over the crops of what rounding costs, as the logarithm of the error's growth: [N, 1, H, W] each -> scalar.

    The same deviation costs more decibels where the f32 network errs little. Deviation and f32 error count as independent, so that the
    crops' noise in their product is left out of the gradients.
    """
    floor = (1 / 255) ** 2  # crops are not whole pictures: flat ones are not all that counts
    own = (wanted - high).square().mean((1, 2, 3)) + floor
    return ((out - wanted).square().mean((1, 2, 3)) / own).log1p().mean()


def main():
    args = parse_arguments()
    torch.set_num_threads(args.threads)
    torch.set_flush_denormal(True)
    torch.manual_seed(args.seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    tensors, metadata = read_safetensors(args.weights)
    start = "".join(f"{metadata.get(key, '')} " for key in ("variant", "scale", "iterations", "minutes")) + " ".join([*args.fine, args.begin or ""])
    unrounded = CollapsedSesr(tensors).to(device)
    earlier = {"int8_iterations": 0, "int8_minutes": 0}
    pool = load_pool(args.tiles, unrounded.scale, HERE / ".cache")
    if args.begin:
        begin = Path(args.begin)
        model = Int8Sesr.stored(*read_int8(begin.parent, begin.name.split(".")[0])[:3], args.fine)
        earlier = {key: int(value) for key, value in read_safetensors(begin)[1].items() if key.startswith("int8_")}
    else:
        model = Int8Sesr(tensors, args.fine)
        model.calibrate(calibration_inputs(pool))
    model.to(device)
    cuda = device.type == "cuda"
    crops = crops_for(device, pool, model.scale, args.seed)
    torch.backends.cudnn.allow_tf32 = False  # 8 bits of a weight times 8 of an activation are more than it keeps
    ranges = ("log_steps", "zeros")
    weights = {"params": [p for name, p in model.named_parameters() if name not in ranges], "peak": WEIGHT_RATE}
    # Vectors are Adam's.
    steps = {"params": [model.log_steps], "peak": STEP_RATE, "betas": RANGE_BETAS}
    zeros = {"params": [model.zeros], "peak": ZERO_RATE, "betas": RANGE_BETAS}
    optimiser = Soap([weights, steps, zeros], WEIGHT_RATE)
    folder = Path(args.out or Path(args.weights).parent)
    folder.mkdir(parents=True, exist_ok=True)
    stem = Path(args.weights).name.replace(".safetensors", ".int8")
    checkpoint = folder / "int8.pt"
    iteration, seconds = 0, 0.0
    if checkpoint.exists():
        state = torch.load(checkpoint, map_location=device)
        if state["start"] == start and state["iteration"] <= args.iterations:  # perhaps of a shorter run: goes on at this one's rate
            iteration, seconds = state["iteration"], state["seconds"]
            model.load_state_dict(state["model"])
            optimiser.load_state_dict(state["optimiser"])
            crops.set_state(state["crops"])
    count, patch = STABLE_CROPS[model.scale]
    total = torch.zeros((), device=device)

    def compute():
        low, high = crops.batch(count * args.batch, patch)[:2]
        with torch.no_grad():
            wanted = unrounded(low)
        optimiser.zero_grad(set_to_none=True)
        loss = lost_psnr(model(low), wanted, high)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(weights["params"], 1.0)
        optimiser.move()
        total.add_(loss.detach())

    iterate = Replayed(compute) if cuda else compute

    def report():
        means = evaluate.mean_scores(args.eval, evaluate.network(model), model.scale) if args.eval else {}
        print(f"{iteration:7d}  {stem}  " + "  ".join(f"{k} {v:.3f}" for k, v in means.items()), flush=True)

    if iteration == args.iterations:
        return 0
    if iteration == 0:
        report()
    # Computing time, without that of other programs; of a GPU only the wall clock is known.
    used = time.perf_counter if cuda else time.process_time
    begin, before = time.monotonic(), used() - seconds
    while iteration < args.iterations:
        rate = args.rate * learning_rate(iteration, 0, args.iterations, 1) * min(1, (iteration + 1) / WARM_UP)
        for group in optimiser.param_groups:
            group["lr"] = rate * group["peak"]
        optimiser.prepare()
        iterate()
        optimiser.finish()
        iteration += 1
        if iteration % args.log_every == 0:
            print(f"{iteration:7d}  {stem}  loss {10 / math.log(10) * float(total) / args.log_every:.4f} dB", flush=True)
            total.zero_()
        out_of_time = time.monotonic() - begin > 60 * args.minutes
        if iteration % 1000 == 0 or iteration == args.iterations or out_of_time:
            seconds = used() - before
            temporary = checkpoint.with_suffix(".tmp")
            torch.save({"start": start, "iterations": args.iterations, "iteration": iteration, "seconds": seconds,
                        "model": model.state_dict(), "optimiser": optimiser.state_dict(),
                        "crops": crops.state()}, temporary)
            os.replace(temporary, checkpoint)
            report()
        if out_of_time and iteration < args.iterations:
            return 3
    facts = {key: value for key, value in metadata.items() if key not in ("format", "variant", "scale", "form", "layout")}
    facts.update(int8_iterations=str(earlier["int8_iterations"] + args.iterations),
                 int8_minutes=str(earlier["int8_minutes"] + round(seconds / 60)))
    for target in filter(None, (str(folder), args.export)):
        target = Path(target)
        write_safetensors(target / f"{stem}.safetensors", model.natural_tensors(model.rounded_tensors()),
                          described(model, metadata["variant"], "collapsed", facts))
        write_calibration(target / f"{stem.replace('.int8', '.calibration')}.json", model, {
            "model": f"sesr-{metadata['variant']}", "scale": model.scale, "method": "trained"})
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
