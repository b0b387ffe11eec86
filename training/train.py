"""Trains one network on luma tiles, in pieces that may be as short as you like.

    python3 train.py m7 --scale 2 --from checkpoints/sesr-m7-x2-expanded.safetensors --optimiser soap --stable 40000 --decay 12000

Warm-up, a constant rate ("stable"), then a rate that falls to zero ("decay"). The decay starts from the last state
of the stable part, which is kept: a later call with more stable iterations goes on there and decays anew, so no
schedule has to be known in advance. The same call again goes on where the last one stopped.

Rate, crop size and loss depend on the iteration only, never on the clock, so a run that was stopped and resumed
ends where an undisturbed one does.
"""
import argparse
import copy
import json
import math
import os
import platform
import signal
import time
from pathlib import Path

import torch

import evaluate
import fast
from data import Crops, load_pool
from export import export, write_expanded
from fsrcnn_model import Fsrcnn
from grow import factorise, grow, load_expanded
from sesr_model import BLOCKS, VARIANTS, Sesr
from soap import Soap
from teach import describe, load_lessons

HERE = Path(__file__).resolve().parent
NETWORKS = (*VARIANTS, "fsrcnn")

# optimiser -> its rate from scratch, and from a trained network, which is disturbed less
RATES = {"adam": (1e-3, 6e-4), "soap": (3e-3, 1e-3)}
WARM_UP = 1000
EMA_DECAY = 0.999

# scale -> (crops, LR pixels of their edge). The decay uses larger ones: fewer pixels see the crop's zero padding, which hardly
# occurs in whole pictures.
STABLE_CROPS = {2: (8, 48), 4: (16, 32)}
DECAY_CROPS = {2: (8, 64), 4: (12, 48)}


def learning_rate(iteration, stable, decay, peak):
    """Linear warm-up, constant, and then down by 1 - sqrt, which leaves the high rates quickly."""
    if iteration < stable:
        return peak * min(1, (iteration + 1) / WARM_UP)
    return peak * (1 - math.sqrt((iteration - stable + 0.5) / decay))


def main_loss(out, target):
    """Mean absolute error: robust, trains fast."""
    return (out - target).abs().mean()


def decay_loss(out, target):
    """Mean over the crops of their RMS error, [N, 1, H, W] -> scalar.

    PSNR is a mean over pictures of the log of each one's squared error. This follows it more
    closely than L1 does, and unlike plain MSE does not let the few hardest crops dominate.
    """
    floor = (0.25 / 255) ** 2  # bounds the gradient on flat crops
    return ((out - target).square().mean((1, 2, 3)) + floor).sqrt().mean()


def build(name, scale, block="sesr"):
    return Fsrcnn(scale) if name == "fsrcnn" else Sesr.variant(name, scale, block)


def history(metadata):
    """Metadata of weights -> in a line, what they were trained on the way here: "m5-x2 from scratch, adam, ...; m7-x2 from m5-x2, ..."."""
    runs = [metadata["earlier"]] if metadata.get("earlier") else []
    name, start = f"{metadata['variant']}-x{metadata['scale']}", metadata.get("started_from") or "scratch"
    length = f"{metadata['stable']} + {metadata['decay']}" if "stable" in metadata else metadata.get("iterations", "unknown")
    optimiser, minutes = metadata.get("optimiser", "adam"), metadata.get("minutes", "unknown")
    teacher = f", taught by {metadata['teacher']}" if metadata.get("teacher") else ""
    return "; ".join([*runs, f"{name} from {start}, {optimiser}{teacher}, {length} iterations, {minutes} minutes"])


class Trainer:
    """Model, its moving average, optimiser, crops and the iteration counter."""

    def __init__(self, args):
        self.args = args
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        torch.manual_seed(args.seed)
        self.model = build(args.network, args.scale, args.block)
        self.before = {}
        if args.start:
            old, metadata = load_expanded(args.start)
            self.before = {"started_from": f"{metadata['variant']}-x{metadata['scale']}", "earlier": history(metadata)}
            if args.network != "fsrcnn" and (old.m, old.f, old.scale) == (self.model.m, self.model.f, args.scale):
                self.model.load_state_dict(old.state_dict())
            else:
                grow(self.model, old)
        soap = args.optimiser == "soap"
        if soap and args.network != "fsrcnn":
            self.model = self.model.collapsed()
        self.peak = args.rate or RATES[args.optimiser][bool(args.start)]
        self.model.to(self.device)
        self.ema = copy.deepcopy(self.model)
        self.weights = list(self.model.parameters())
        self.averages = [p.detach() for p in self.ema.parameters()]
        self.optimiser = (Soap(self.weights, self.peak) if soap else
                          torch.optim.Adam(self.weights, self.peak, betas=(0.9, 0.99), foreach=True))
        pool = load_pool(args.tiles, args.scale, HERE / ".cache")
        lessons = load_lessons(pool, args.teacher, HERE / ".cache") if args.teacher else None
        # Described now, as a teacher that is itself in training may have changed by the time of a report.
        self.taught = {"teacher": describe(args.teacher)} if args.teacher else {}
        self.crops = Crops(pool, args.scale, args.seed, lessons)
        self.iteration, self.seconds = 0, 0.0
        self.bf16 = args.bf16 and args.network != "fsrcnn" and self.device.type == "cpu" and fast.has_bf16()
        self.bf16_iterations = 0
        if args.bf16 and not self.bf16:
            print("--bf16 is ignored: it is for SESR on a CPU with AVX-512 BF16 and g++", flush=True)

    @property
    def expands(self):
        """Whether there is an expanded form that others can be grown from."""
        return self.args.network != "fsrcnn" and self.args.block == "sesr"

    @property
    def decaying(self):
        return self.iteration >= self.args.stable

    @property
    def done(self):
        return self.iteration >= self.args.stable + self.args.decay

    def rate(self):
        return learning_rate(self.iteration, self.args.stable, self.args.decay, self.peak)

    def step(self):
        """One iteration -> the loss, a 0-dimensional tensor."""
        # f32 at last, when the steps are small.
        bf16 = self.bf16 and self.iteration < self.args.stable + self.args.decay // 2
        self.model.precision = "bf16" if bf16 else "f32"
        low, high, lesson = self.crops.batch(*(DECAY_CROPS if self.decaying else STABLE_CROPS)[self.args.scale])
        low, high = low.to(self.device), high.to(self.device)
        distance, out = decay_loss if self.decaying else main_loss, self.model(low)
        loss = distance(out, high)
        if lesson is not None:
            loss = (loss + distance(out, lesson.to(self.device))) / 2
        for group in self.optimiser.param_groups:
            group["lr"] = self.rate()
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.weights, 1.0)
        self.optimiser.step()
        with torch.no_grad():
            torch._foreach_mul_(self.averages, EMA_DECAY)
            torch._foreach_add_(self.averages, self.weights, alpha=1 - EMA_DECAY)
        self.iteration += 1
        self.bf16_iterations += bf16
        return loss.detach()

    def save(self, path):
        """The file appears whole or not at all."""
        temporary = path.with_suffix(".tmp")
        torch.save({
            "network": self.args.network, "scale": self.args.scale, "seed": self.args.seed,
            "method": self.args.optimiser, "stable": self.args.stable, "decay": self.args.decay,
            "iteration": self.iteration, "bf16_iterations": self.bf16_iterations, "seconds": self.seconds,
            "model": self.model.state_dict(), "ema": self.ema.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "before": self.before, "crops": json.dumps(self.crops.rng.bit_generator.state)}, temporary)
        os.replace(temporary, path)

    def load(self, state):
        for key, own in (("network", "network"), ("scale", "scale"), ("seed", "seed"), ("method", "optimiser")):
            if state.get(key, "adam") != getattr(self.args, own):
                raise SystemExit(f"the checkpoint has {own} = {state.get(key)}")
        self.iteration, self.seconds = state["iteration"], state["seconds"]
        self.bf16_iterations = state.get("bf16_iterations", 0)
        self.before = state.get("before", self.before)
        self.model.load_state_dict(state["model"])
        self.ema.load_state_dict(state["ema"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.crops.rng.bit_generator.state = json.loads(state["crops"])

    def resume(self, folder):
        """Goes on in the decay, if it is the one asked for, or else in the stable part."""
        states = {name: torch.load(folder / name, map_location=self.device)
                  for name in ("decay.pt", "stable.pt") if (folder / name).exists()}
        decay, stable = states.get("decay.pt"), states.get("stable.pt")
        if decay and (decay["stable"], decay["decay"]) == (self.args.stable, self.args.decay):
            self.load(decay)
        elif stable:
            if stable["iteration"] > self.args.stable:
                raise SystemExit(f"{folder} has {stable['iteration']} stable iterations already")
            self.load(stable)

    def facts(self):
        """What a model card says of a training, as strings."""
        a = self.args
        hardware = torch.cuda.get_device_name() if self.device.type == "cuda" else f"CPU, {a.threads} thread"
        more = dict(self.taught)
        if self.bf16_iterations:
            more["bf16_iterations"] = str(self.bf16_iterations)
        return {"optimiser": a.optimiser, "iterations": str(self.iteration), "stable": str(min(a.stable, self.iteration)),
                "decay": str(max(0, self.iteration - a.stable)), "seed": str(a.seed),
                "minutes": str(round(self.seconds / 60)), **self.before,
                "hardware": hardware, "torch": torch.__version__, "python": platform.python_version(), **more}

    def report(self, folder):
        """Exports the moving average and scores it. The scores are shown, never acted on."""
        a = self.args
        export(self.ema, folder, a.network, self.facts())
        if self.expands:
            expanded = factorise(self.ema.collapsed_tensors(), a.network, a.scale) if a.optimiser == "soap" else self.ema
            write_expanded(expanded, folder / "expanded.safetensors", a.network, self.facts())
        if a.export and self.done:
            path = export(self.ema, a.export, a.network, self.facts())
            if self.expands:
                write_expanded(expanded, HERE / f"checkpoints/{path.stem}-expanded.safetensors", a.network, self.facts())
        scores = ""
        if a.eval:
            means = evaluate.mean_scores(a.eval, evaluate.network(self.ema), a.scale)
            scores = "  ".join(f"{k} {v:.3f}" for k, v in means.items())
        print(f"{self.iteration:7d}  {a.network}{'' if a.block == 'sesr' else ' ' + a.block} x{a.scale}  {self.seconds / 60:.1f} min  {scores}", flush=True)


def add_run_options(parser):
    """What all training programs ask for."""
    parser.add_argument("--minutes", type=float, default=math.inf, help="stop after these; the same call goes on")
    parser.add_argument("--tiles", default=str(HERE.parents[1] / "shared/data/train-cc0-luma"))
    parser.add_argument("--eval", help="folder that holds Set5 and Set14, to watch the progress")


def parse_arguments(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("network", choices=NETWORKS)
    parser.add_argument("--scale", type=int, choices=(2, 4), default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--block", choices=BLOCKS, default="sesr", help="how layers are parametrised, for comparison")
    parser.add_argument("--stable", type=int, required=True, help="iterations at the constant rate, warm-up included")
    parser.add_argument("--decay", type=int, required=True, help="iterations of the falling rate")
    parser.add_argument("--optimiser", choices=RATES, default="adam", help="Adam on the factors of SESR's blocks, or SOAP on their products")
    parser.add_argument("--rate", type=float, help="instead of the optimiser's own")
    parser.add_argument("--teacher", help="collapsed weights of a larger network, whose output counts as much as the original")
    parser.add_argument("--from", dest="start", help="expanded weights of a network to start from")
    parser.add_argument("--out", help="folder for checkpoints, by default .runs/NETWORK-xSCALE")
    add_run_options(parser)
    parser.add_argument("--export", help="folder for the weights of a finished run; expanded: checkpoints/")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--bf16", action="store_true", help="activations in bf16, where the processor has it, but for the second half of the decay")
    parser.add_argument("--log-every", type=int, default=1000)
    parser.add_argument("--save-every", type=int, default=4000, help="checkpoint, eval")
    return parser.parse_args(arguments)


def is_finished(folder, args):
    path = folder / "decay.pt"
    if not path.exists():
        return False
    state = torch.load(path, map_location="cpu")
    return (state["stable"], state["decay"], state["iteration"]) == (args.stable, args.decay, args.stable + args.decay)


def train(args):
    """-> whether the run is finished; False when time was up or a signal stopped it."""
    torch.set_num_threads(args.threads)
    torch.set_flush_denormal(True)
    folder = Path(args.out or HERE / f".runs/{args.network}-x{args.scale}")
    folder.mkdir(parents=True, exist_ok=True)
    if is_finished(folder, args):
        return True
    trainer = Trainer(args)
    trainer.resume(folder)
    stopped = []
    signal.signal(signal.SIGTERM, lambda *_: stopped.append(True))
    begin = since = time.perf_counter()
    # Computing time, without that of other programs; of a GPU only the wall clock is known.
    used = time.process_time if trainer.device.type == "cpu" else time.perf_counter
    total, steps, before = 0.0, 0, trainer.seconds - used()
    while not trainer.done:
        decaying = trainer.decaying
        total, steps = total + trainer.step(), steps + 1
        now = time.perf_counter()
        trainer.seconds = before + used()
        i = trainer.iteration
        if i % args.log_every == 0:
            print(f"{i:7d}  loss {255 * float(total) / steps:.4f}  rate {trainer.rate() if not trainer.done else 0:.2e}  "
                  f"{steps / (now - since):.1f} it/s", flush=True)
            total, steps, since = 0.0, 0, now
        out_of_time = bool(stopped) or now - begin > 60 * args.minutes
        if i % args.save_every == 0 or i == args.stable or trainer.done or out_of_time:
            trainer.save(folder / ("decay.pt" if decaying else "stable.pt"))
            trainer.report(folder)
        if out_of_time and not trainer.done:
            return False
    return True


if __name__ == "__main__":
    raise SystemExit(0 if train(parse_arguments()) else 3)
