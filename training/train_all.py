"""Trains all networks, one after the other, in resumable pieces: a CPU core or a GPU, as long as you have it.

    python3 train_all.py --minutes 50                  # goes on where the last call stopped
    python3 train_all.py --lengthen 8                  # the same plan, eight times as long
    python3 train_all.py --only m5-x2 m7-x2

Every network is trained briefly first, so that all of them exist early, and longer in the rounds after that: a run
with a constant rate can be taken up again where its decay began. Deeper, wider and x4 networks start from smaller
ones of the round, and each is then fine-tuned in int8. Weights of a finished round go to --export.
"""
import argparse
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
M5 = "checkpoints/sesr-m5-x2-expanded.safetensors"

# network, scale, where from, and thousands of (stable, decay, int8) iterations of each round, the stable ones counted from the start of the run
PLAN = (
    ("m3", 2, None, ((60, 15, 6), (150, 40, 10), (360, 90, 12))),
    ("m7", 2, M5, ((28, 10, 6), (80, 24, 10), (240, 60, 12))),
    ("m5", 2, M5, ((36, 12, 6), (100, 30, 10), (240, 60, 12))),
    ("m5", 4, "m5-x2", ((16, 6, 2), (80, 24, 6), (240, 60, 8))),
    ("m11", 2, "m7-x2", ((18, 7, 6), (80, 24, 10), (240, 60, 12))),
    ("xl", 2, "m11-x2", ((10, 4, 2), (60, 20, 6), (200, 60, 8))),
    ("m3", 4, "m3-x2", ((12, 5, 2), (80, 24, 6), (240, 60, 8))),
    ("m7", 4, "m7-x2", ((12, 5, 2), (70, 20, 6), (200, 50, 8))),
    ("m11", 4, "m11-x2", ((10, 4, 2), (70, 20, 6), (200, 50, 8))),
    ("xl", 4, "xl-x2", ((8, 3, 1), (50, 16, 4), (160, 50, 6))),
    ("fsrcnn", 2, None, ((20, 6, 0), (150, 40, 0), (360, 90, 0))),
    ("fsrcnn", 4, None, ((12, 4, 0), (100, 30, 0), (240, 60, 0))),
)


def steps(only, lengthen):
    """-> (what, program with its arguments) in order."""
    for turn in range(3):
        for network, scale, start, rounds in PLAN:
            run = f"{network}-x{scale}"
            if only and run not in only:
                continue
            stable, decay, int8 = (str(round(1000 * count * lengthen)) for count in rounds[turn])
            command = ["train.py", network, "--scale", str(scale), "--stable", stable, "--decay", decay]
            if start:
                path = HERE / (start if "/" in start else f".runs/{start}/expanded.safetensors")
                command += ["--from", str(path)]
            yield f"{run}: {stable} stable, {decay} decay", command
            if network != "fsrcnn":
                yield f"{run}: {int8} int8", ["train_int8.py", str(HERE / f".runs/{run}/sesr-{run}.safetensors"), "--iterations", int8]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=float("inf"), help="stop after these")
    parser.add_argument("--lengthen", type=float, default=1, help="factor for all iterations")
    parser.add_argument("--only", nargs="+", metavar="NETWORK-xSCALE")
    parser.add_argument("--bf16", action="store_true", help="see train.py; int8 is not concerned")
    parser.add_argument("--dry-run", action="store_true", help="print the plan")
    options, rest = parser.parse_known_args()  # the rest is for both programs: --eval, --export, --tiles, --threads
    end = time.monotonic() + 60 * options.minutes
    for what, (program, *arguments) in steps(options.only, options.lengthen):
        print(what, flush=True)
        if options.dry_run:
            continue
        left = (end - time.monotonic()) / 60
        if left <= 0:
            return 3
        command = [sys.executable, str(HERE / program), *arguments, *rest]
        if options.bf16 and program == "train.py":
            command.append("--bf16")
        if left != float("inf"):
            command += ["--minutes", f"{left:.2f}"]
        code = subprocess.run(command).returncode
        if code:
            return code
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
