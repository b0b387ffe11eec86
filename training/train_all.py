"""Trains all networks in resumable pieces: a CPU core or a GPU, as long as you have it.

    python3 train_all.py --minutes 50                  # goes on where the last call stopped
    python3 train_all.py --together --bf16             # on a GPU: all networks of a scale at once
    python3 train_all.py --lengthen 8                  # the same plan, eight times as long
    python3 train_all.py --only m5-x2 m7-x2

Every network is trained briefly first, and longer in the rounds after that: a run with a constant rate can be taken up
again where its decay began. Training goes on from checkpoints/; --anew begins with nothing, and deeper, wider and x4
networks with the smaller ones of the round. XL is trained first, unless --anew, as the others learn from its output too (`teach.py`).
Each is then fine-tuned in int8. Weights of a finished round go to --export.

`--together` is for a GPU, which one such network leaves idle most of the time: of each scale XL alone, and then all, XL too, on the same
crops with that XL for a teacher; one round, with four times as many crops an iteration.
"""
import argparse
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent

# network, scale, where from, and thousands of (stable, decay, int8) iterations of each round, the stable ones counted from the start of the run
PLAN = (
    ("m3", 2, None, ((10, 6, 6), (100, 30, 10), (300, 90, 12))),
    ("m5", 2, "m3-x2", ((14, 6, 6), (100, 30, 10), (300, 90, 12))),
    ("m7", 2, "m5-x2", ((14, 6, 12), (80, 24, 12), (240, 60, 16))),
    ("m11", 2, "m7-x2", ((14, 6, 12), (80, 24, 12), (240, 60, 16))),
    ("xl", 2, "m11-x2", ((16, 6, 10), (60, 20, 10), (200, 60, 12))),
    ("m3", 4, "m3-x2", ((6, 4, 2), (80, 24, 6), (240, 60, 8))),
    ("m5", 4, "m5-x2", ((6, 4, 2), (80, 24, 6), (240, 60, 8))),
    ("m7", 4, "m7-x2", ((6, 4, 2), (70, 20, 6), (200, 50, 8))),
    ("m11", 4, "m11-x2", ((6, 4, 2), (70, 20, 6), (200, 50, 8))),
    ("xl", 4, "xl-x2", ((5, 3, 1), (50, 16, 4), (160, 50, 6))),
    ("fsrcnn", 2, None, ((6, 3, 0), (100, 30, 0), (300, 90, 0))),
    ("fsrcnn", 4, None, ((6, 3, 0), (100, 30, 0), (240, 60, 0))),
)
TEACHER = "xl"

# --together: scale -> thousands of (stable, decay) iterations of the teacher alone, and of all, and of int8
TOGETHER = {2: ((50, 40), (20, 20), 12), 4: ((30, 25), (15, 16), 4)}
TOGETHER_BATCH, TOGETHER_RATE = "4", "2e-3"
# run -> inner tensors that int8 reads in two parts, as it would lose 0.05 dB otherwise
FINE = {"xl-x2": ("blocks.9.prelu", "features")}


def int8_command(run, iterations):
    weights = str(HERE / f".runs/{run}/sesr-{run}.safetensors")
    return ["train_int8.py", weights, "--iterations", iterations, *(["--fine", *FINE[run]] if run in FINE else [])]


def order(anew):
    """The plan as it is run: the teacher first where it is there to go on from, else after those that it grows from."""
    return PLAN if anew else sorted(PLAN, key=lambda entry: entry[0] != TEACHER)


def teacher_of(network, scale, anew):
    """Collapsed weights of the teacher: its run's, or those that ship; itself is taught by those that ship.

    None for the baseline, and `anew` for the teacher and for others before its first run.
    """
    if network == "fsrcnn":
        return None
    name = f"sesr-{TEACHER}-x{scale}.safetensors"
    own, shipped = HERE / f".runs/{TEACHER}-x{scale}" / name, HERE.parent / "weights" / name
    if network != TEACHER and own.exists():
        return own
    return None if anew else shipped


def start_of(run, grown_from, anew):
    """The expanded weights that a run begins with, or None: its own of checkpoints/, or `anew` those of a smaller network."""
    if grown_from and anew:
        return HERE / f".runs/{grown_from}/expanded.safetensors"
    own = HERE / f"checkpoints/sesr-{run}-expanded.safetensors"
    return own if own.exists() and not anew else None


def steps(only, lengthen, anew):
    """-> (what, program with its arguments) in order."""
    for turn in range(3):
        for network, scale, grown_from, rounds in order(anew):
            run = f"{network}-x{scale}"
            if only and run not in only:
                continue
            stable, decay, int8 = (str(round(1000 * count * lengthen)) for count in rounds[turn])
            command = ["train.py", network, "--scale", str(scale), "--optimiser", "soap", "--stable", stable, "--decay", decay]
            start = start_of(run, grown_from, anew)
            if start:
                command += ["--from", str(start)]
            teacher = teacher_of(network, scale, anew)
            if teacher:
                command += ["--teacher", str(teacher)]
            yield f"{run}: {stable} stable, {decay} decay", command
            if network != "fsrcnn":
                yield f"{run}: {int8} int8", int8_command(run, int8)


def steps_together(only, lengthen, anew):
    """As `steps`, for --together. Where `anew`, networks begin with nothing and not with those of checkpoints/."""
    for scale, (alone, all_of_them, int8) in TOGETHER.items():
        runs = [(network, f"{network}-x{scale}") for network, s, *_ in order(False) if s == scale]
        names = [network for network, run in runs if not only or run in only]
        if not names:
            continue

        def command(networks, lengths, out):
            stable, decay = (str(round(1000 * count * lengthen)) for count in lengths)
            found = ["train.py", *networks, "--scale", str(scale), "--optimiser", "soap", "--batch", TOGETHER_BATCH, "--rate", TOGETHER_RATE,
                     "--stable", stable, "--decay", decay, "--out", str(HERE / out)]
            return found if anew else [*found, "--from", str(HERE / f"checkpoints/sesr-{{}}-x{scale}-expanded.safetensors")]

        teacher = HERE / f".runs/alone-x{scale}/sesr-{TEACHER}-x{scale}.safetensors"
        yield f"{TEACHER}-x{scale} alone", command([TEACHER], alone, teacher.parent)
        yield f"{' '.join(names)} of x{scale}", [*command(names, all_of_them, f".runs/{{}}-x{scale}"), "--teacher", str(teacher)]
        for network in names:
            if network != "fsrcnn":
                run, count = f"{network}-x{scale}", str(round(1000 * int8 * lengthen))
                yield f"{run}: {count} int8", int8_command(run, count)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=float("inf"), help="stop after these")
    parser.add_argument("--lengthen", type=float, default=1, help="factor for all iterations")
    parser.add_argument("--only", nargs="+", metavar="NETWORK-xSCALE")
    parser.add_argument("--anew", action="store_true", help="not from checkpoints/ but from nothing")
    parser.add_argument("--together", action="store_true", help="all networks of a scale at once, for a GPU")
    parser.add_argument("--bf16", action="store_true", help="see train.py; int8 is not concerned")
    parser.add_argument("--dry-run", action="store_true", help="print the plan")
    options, rest = parser.parse_known_args()  # the rest is for both programs: --eval, --export, --tiles, --threads
    end = time.monotonic() + 60 * options.minutes
    plan = steps_together if options.together else steps
    for what, (program, *arguments) in plan(options.only, options.lengthen, options.anew):
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
