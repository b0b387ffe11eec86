"""Trains a network on luma tiles, or several on the same crops, in pieces that may be as short as you like.

    python3 train.py m7 --scale 2 --from checkpoints/sesr-m7-x2-expanded.safetensors --optimiser soap --stable 40000 --decay 12000
    python3 train.py m3 m5 --scale 2 --from checkpoints/sesr-{}-x2-expanded.safetensors --optimiser soap --stable 40000 --decay 12000

Several keep a GPU busy that one leaves waiting most of the time; on a CPU they only take turns.

Warm-up, a constant rate ("stable"), then a rate that falls to zero ("decay"). The decay starts from the last state
of the stable part, which is kept: a later call with more stable iterations goes on there and decays anew, so no
schedule has to be known in advance. The same call again goes on where the last one stopped.

Rate, crop size and loss depend on the iteration only, never on the clock, so a run that was stopped and resumed
ends where an undisturbed one does.
"""
import argparse
import copy
import math
import os
import platform
import signal
import time
from pathlib import Path

import torch

import evaluate
import fast
from data import load_pool
from export import export, write_expanded
from fsrcnn_model import Fsrcnn
from gpu import Replayed, crops_for
from grow import factorise, grow, load_expanded
from sesr_model import BLOCKS, VARIANTS, Sesr
from soap import Soap
from teach import describe, load_lessons

HERE = Path(__file__).resolve().parent
NETWORKS = (*VARIANTS, "fsrcnn")

# optimiser -> its rate from scratch, and from a trained network, which is disturbed less
RATES = {"adam": (1e-3, 6e-4), "soap": (3e-3, 1e-3)}
WARM_UP = 1000
CPU_TURNS, GPU_TURNS = 20, 80  # iterations between two turns of SOAP's basis, which are slow on a GPU
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


def make_crops(args, device):
    pool = load_pool(args.tiles, args.scale, HERE / ".cache")
    lessons = load_lessons(pool, args.teacher, HERE / ".cache", device) if args.teacher else None
    return crops_for(device, pool, args.scale, args.seed, lessons)


class Trainer:
    """Model, its moving average, optimiser and the iteration counter."""

    def __init__(self, args, device):
        self.args, self.device = args, device
        torch.manual_seed(args.seed)
        self.model = build(args.network, args.scale, args.block)
        self.before = {}
        if args.start:
            old, metadata = load_expanded(args.start)
            self.before = {"started_from": f"{metadata['variant']}-x{metadata['scale']}", "earlier": history(metadata)}
            if (old.m, old.f, old.scale) == (self.model.m, self.model.f, args.scale):
                self.model.load_state_dict(old.state_dict())
            else:
                grow(self.model, old)
        soap = args.optimiser == "soap"
        if soap and args.network != "fsrcnn":
            self.model = self.model.collapsed()
        self.peak = args.rate or RATES[args.optimiser][bool(args.start)]
        self.model.to(device)
        self.ema = copy.deepcopy(self.model)
        self.weights = list(self.model.parameters())
        self.averages = [p.detach() for p in self.ema.parameters()]
        every = GPU_TURNS if device.type == "cuda" else CPU_TURNS
        self.optimiser = (Soap(self.weights, self.peak, every=every) if soap else
                          torch.optim.Adam(self.weights, self.peak, betas=(0.9, 0.99), foreach=True))
        # Described now, as a teacher that is itself in training may have changed by the time of a report. The baseline has none.
        self.taught = {"teacher": describe(args.teacher)} if args.teacher and args.network != "fsrcnn" else {}
        self.loss = torch.zeros((), device=device)
        self.iteration, self.seconds = 0, 0.0
        self.bf16 = args.bf16 and args.network != "fsrcnn" and (device.type == "cuda" or fast.has_bf16())
        self.bf16_iterations = 0
        if args.bf16 and not self.bf16:
            print(f"--bf16 is ignored for {args.network}: it is for SESR on a GPU, or a CPU with AVX-512 BF16 and g++", flush=True)

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

    def prepare(self):
        """The host's part of an iteration: what depends on its number."""
        for group in self.optimiser.param_groups:
            group["lr"] = self.rate()
        if self.args.optimiser == "soap":
            self.optimiser.prepare()

    def compute(self, low, high, lesson, decaying, bf16):
        """An iteration's work on tensors; `loss` is overwritten."""
        distance = decay_loss if decaying else main_loss
        on_cpu = self.device.type == "cpu"
        bf16 = bf16 and self.bf16
        self.model.precision = "bf16" if bf16 and on_cpu else "f32"
        with torch.autocast(self.device.type, torch.bfloat16, enabled=bf16 and not on_cpu):
            out = self.model(low)
        out = out.float()
        loss = distance(out, high)
        if self.taught:
            loss = (loss + distance(out, lesson)) / 2
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.weights, 1.0)
        self.optimiser.move() if self.args.optimiser == "soap" else self.optimiser.step()
        with torch.no_grad():
            torch._foreach_mul_(self.averages, EMA_DECAY)
            torch._foreach_add_(self.averages, self.weights, alpha=1 - EMA_DECAY)
            self.loss.copy_(loss)

    def finish(self, bf16):
        """What follows the work on tensors and is not part of a recorded graph."""
        if self.args.optimiser == "soap":
            self.optimiser.finish()
        self.iteration += 1
        self.bf16_iterations += bf16 and self.bf16

    def save(self, path, crops):
        """The file appears whole or not at all."""
        temporary = path.with_suffix(".tmp")
        torch.save({
            "network": self.args.network, "scale": self.args.scale, "seed": self.args.seed,
            "method": self.args.optimiser, "stable": self.args.stable, "decay": self.args.decay,
            "iteration": self.iteration, "bf16_iterations": self.bf16_iterations, "seconds": self.seconds,
            "model": self.model.state_dict(), "ema": self.ema.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "before": self.before, "crops": crops}, temporary)
        os.replace(temporary, path)

    def load(self, state):
        """-> the crops' state."""
        for key, own in (("network", "network"), ("scale", "scale"), ("seed", "seed"), ("method", "optimiser")):
            if state.get(key, "adam") != getattr(self.args, own):
                raise SystemExit(f"the checkpoint has {own} = {state.get(key)}")
        self.iteration, self.seconds = state["iteration"], state["seconds"]
        self.bf16_iterations = state.get("bf16_iterations", 0)
        self.before = state.get("before", self.before)
        self.model.load_state_dict(state["model"])
        self.ema.load_state_dict(state["ema"])
        self.optimiser.load_state_dict(state["optimiser"])
        return state["crops"]

    def resume(self, folder):
        """Goes on in the decay, if it is the one asked for, or else in the stable part -> the crops' state, or None at the start."""
        states = {name: torch.load(folder / name, map_location=self.device)
                  for name in ("decay.pt", "stable.pt") if (folder / name).exists()}
        decay, stable = states.get("decay.pt"), states.get("stable.pt")
        if decay and (decay["stable"], decay["decay"]) == (self.args.stable, self.args.decay):
            return self.load(decay)
        if stable:
            if stable["iteration"] > self.args.stable:
                raise SystemExit(f"{folder} has {stable['iteration']} stable iterations already")
            return self.load(stable)
        return None

    def facts(self):
        """What a model card says of a training, as strings."""
        a = self.args
        hardware = torch.cuda.get_device_name() if self.device.type == "cuda" else f"CPU, {a.threads} thread"
        more = dict(self.taught)
        if a.batch > 1:
            more["batch"] = str(a.batch)
        if len(a.networks) > 1:
            more["together"] = str(len(a.networks))
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


class Group:
    """Networks trained on the same crops. On a GPU an iteration of SOAP is one graph, in which each network has a stream of its own."""

    def __init__(self, trainers, crops):
        self.trainers, self.crops = trainers, crops
        cuda = trainers[0].device.type == "cuda"
        self.streams = [torch.cuda.Stream() for _ in trainers] if cuda else []
        self.recorded = {} if cuda and trainers[0].args.optimiser == "soap" else None  # by loss and precision

    def step(self):
        first = self.trainers[0]
        # f32 at last, when the steps are small.
        phase = (first.decaying, first.args.bf16 and first.iteration < first.args.stable + first.args.decay // 2)
        for trainer in self.trainers:
            trainer.prepare()
        if self.recorded is None:
            self.compute(*phase)
        else:
            if phase not in self.recorded:
                self.recorded[phase] = Replayed(lambda: self.compute(*phase))
            self.recorded[phase]()
        for trainer in self.trainers:
            trainer.finish(phase[1])

    def compute(self, decaying, bf16):
        args = self.trainers[0].args
        count, patch = (DECAY_CROPS if decaying else STABLE_CROPS)[args.scale]
        batch = self.crops.batch(count * args.batch, patch)
        if not self.streams:
            for trainer in self.trainers:
                trainer.compute(*batch, decaying, bf16)
            return
        here = torch.cuda.current_stream()
        for trainer, stream in zip(self.trainers, self.streams):
            stream.wait_stream(here)
            with torch.cuda.stream(stream):
                trainer.compute(*batch, decaying, bf16)
        for stream in self.streams:
            here.wait_stream(stream)


def add_run_options(parser):
    """What all training programs ask for."""
    parser.add_argument("--minutes", type=float, default=math.inf, help="stop after these; the same call goes on")
    parser.add_argument("--tiles", default=str(HERE.parents[1] / "shared/data/train-cc0-luma"))
    parser.add_argument("--batch", type=int, default=1, help="how many times as many crops an iteration")
    parser.add_argument("--eval", help="folder that holds Set5 and Set14, to watch the progress")


def parse_arguments(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("networks", choices=NETWORKS, nargs="+", metavar="network", help=", ".join(NETWORKS))
    parser.add_argument("--scale", type=int, choices=(2, 4), default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--block", choices=BLOCKS, default="sesr", help="how layers are parametrised, for comparison")
    parser.add_argument("--stable", type=int, required=True, help="iterations at the constant rate, warm-up included")
    parser.add_argument("--decay", type=int, required=True, help="iterations of the falling rate")
    parser.add_argument("--optimiser", choices=RATES, default="adam", help="Adam on the factors of SESR's blocks, or SOAP on their products")
    parser.add_argument("--rate", type=float, help="instead of the optimiser's own")
    parser.add_argument("--teacher", help="collapsed weights of a larger network, whose output counts as much as the original")
    parser.add_argument("--from", dest="start", help="expanded weights of a network to start from; {} is replaced by the network's name; FSRCNN starts from scratch")
    parser.add_argument("--out", help="folder for checkpoints, by default .runs/{}-xSCALE")
    add_run_options(parser)
    parser.add_argument("--export", help="folder for the weights of a finished run; expanded: checkpoints/")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--bf16", action="store_true", help="activations in bf16, where the GPU or the processor has it, but for the second half of the decay")
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
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    folders = [Path((args.out or str(HERE / f".runs/{{}}-x{args.scale}")).format(network)) for network in args.networks]
    if len(set(folders)) < len(folders):
        raise SystemExit("--out: several networks need {} in it")
    for folder in folders:
        folder.mkdir(parents=True, exist_ok=True)
    if all(is_finished(folder, args) for folder in folders):
        return True
    trainers = []
    for network in args.networks:
        own = copy.copy(args)
        own.network, own.start = network, args.start and args.start.format(network) if network != "fsrcnn" else None
        trainers.append(Trainer(own, device))
    crops = make_crops(args, device)
    drawn = [trainer.resume(folder) for trainer, folder in zip(trainers, folders)]
    if len({trainer.iteration for trainer in trainers}) > 1:
        raise SystemExit("these networks were not trained together: " + ", ".join(f"{t.args.network} has {t.iteration} iterations" for t in trainers))
    if drawn[0] is not None:
        crops.set_state(drawn[0])
    group, first = Group(trainers, crops), trainers[0]
    stopped = []
    signal.signal(signal.SIGTERM, lambda *_: stopped.append(True))
    begin = since = time.perf_counter()
    # Computing time, without that of other programs; of a GPU only the wall clock is known. Networks trained together share it.
    used = time.process_time if device.type == "cpu" else time.perf_counter
    steps, before, totals = 0, first.seconds - used() / len(trainers), [0.0] * len(trainers)
    while not first.done:
        decaying = first.decaying
        group.step()
        totals, steps = [total + trainer.loss for total, trainer in zip(totals, trainers)], steps + 1
        now, i = time.perf_counter(), first.iteration
        if i % args.log_every == 0:
            losses = " ".join(f"{255 * float(total) / steps:.4f}" for total in totals)
            print(f"{i:7d}  loss {losses}  rate {first.rate() if not first.done else 0:.2e}  {steps / (time.perf_counter() - since):.1f} it/s", flush=True)
            steps, since, totals = 0, time.perf_counter(), [0.0] * len(trainers)
        out_of_time = bool(stopped) or now - begin > 60 * args.minutes
        if i % args.save_every == 0 or i == args.stable or first.done or out_of_time:
            state = crops.state()
            for trainer, folder in zip(trainers, folders):
                trainer.seconds = before + used() / len(trainers)
                trainer.save(folder / ("decay.pt" if decaying else "stable.pt"), state)
                trainer.report(folder)
        if out_of_time and not first.done:
            return False
    return True


if __name__ == "__main__":
    raise SystemExit(0 if train(parse_arguments()) else 3)
