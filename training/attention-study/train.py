"""Trains every member of both kinds on CIFAR-10 and writes weights and accuracies to results/, one pair of files a run.

    python3 train.py --data DIR [--seeds 1 2 3]

DIR holds train.tar and test.tar. One thread. Runs whose JSON is there are skipped, so that it goes on where it was stopped.
The test pictures are scored once, after the last epoch.
"""
import argparse
import json
import math
import os
import sys
import time
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"
sys.path[:0] = [str(Path(__file__).resolve().parents[1] / folder) for folder in ("golden", ".")]

import torch  # noqa: E402
from torch.nn import functional as F  # noqa: E402

import cifar_data  # noqa: E402
from export import write_safetensors  # noqa: E402
from small_transformers import EPSILON, KINDS, MEMBERS, SHAPE, Transformer, tensors  # noqa: E402

torch.set_num_threads(1)
HERE = Path(__file__).resolve().parent
RECIPE = {"epochs": 5, "batch": 128, "peakRate": 3e-3, "weightDecay": 0.05, "warmUp": 0.2, "labelSmoothing": 0.1}


def load(tar):
    """-> normalised pictures float32 [N, 32, 32, 3], labels [N]."""
    pixels, labels = cifar_data.load(tar)
    mean, std = (torch.tensor(v) for v in (cifar_data.MEAN, cifar_data.STD))
    return torch.from_numpy(pixels).float().div_(255).sub_(mean).div_(std), torch.from_numpy(labels).long()


def augment(x, generator):
    """A shift of up to 4 pixels each way (zeros, i.e. the mean colour, from outside) and a flip -> [n, 3, 32, 32]."""
    n = len(x)
    padded = F.pad(x, (0, 0, 4, 4, 4, 4))
    top, left = (torch.randint(9, (n, 1), generator=generator) for _ in range(2))
    flip = torch.rand(n, 1, generator=generator) < 0.5
    columns = torch.arange(32).expand(n, 32)
    columns = torch.where(flip, 31 - columns, columns) + left
    rows = torch.arange(32).expand(n, 32) + top
    picture = torch.arange(n).view(n, 1, 1)
    return padded[picture, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)


def rate(step, steps):
    """One cycle: linear up, cosine down to 0."""
    up = RECIPE["warmUp"] * steps
    share = step / up if step < up else 0.5 * (1 + math.cos(math.pi * (step - up) / (steps - up)))
    return RECIPE["peakRate"] * share


@torch.no_grad()
def predictions(model, x):
    model.eval()
    return torch.cat([model(part.permute(0, 3, 1, 2)).argmax(1) for part in x.split(500)])


def train(kind, member, seed, train_set):
    """-> the network, the mean loss of each epoch, seconds of processor time."""
    torch.manual_seed(seed)
    order = torch.Generator().manual_seed(seed)
    model = Transformer(kind, member)
    decayed = [p for name, p in model.named_parameters() if p.ndim > 1 and name.endswith("weight")]
    others = [p for name, p in model.named_parameters() if not (p.ndim > 1 and name.endswith("weight"))]
    optimiser = torch.optim.AdamW([{"params": decayed, "weight_decay": RECIPE["weightDecay"]},
                                   {"params": others, "weight_decay": 0}])
    x, y = train_set
    batch, epochs = RECIPE["batch"], RECIPE["epochs"]
    per_epoch = len(x) // batch
    losses, begin, wall = [], time.process_time(), time.time()
    for epoch in range(epochs):
        model.train()
        total = 0.0
        for i, index in enumerate(torch.randperm(len(x), generator=order)[:per_epoch * batch].split(batch)):
            for group in optimiser.param_groups:
                group["lr"] = rate(epoch * per_epoch + i + 1, epochs * per_epoch)
            logits = model(augment(x[index], order))
            loss = F.cross_entropy(logits, y[index], label_smoothing=RECIPE["labelSmoothing"])
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()
            total += loss.item()
        losses.append(round(total / per_epoch, 4))
        print(f"{kind} {member} seed {seed} epoch {epoch + 1}: mean loss {losses[-1]}, "
              f"{time.process_time() - begin:.0f} s of {time.time() - wall:.0f} s", flush=True)
    return model, losses, time.process_time() - begin


def finish(kind, member, seed, trained, test_set):
    """Scores, writes results/KIND-MEMBER-seedS.{safetensors,json}: the JSON last, it says that the run is complete."""
    model, losses, seconds = trained
    x, y = test_set
    predicted = predictions(model, x)
    right = (predicted == y)
    stem = HERE / "results" / f"{kind}-{member}-seed{seed}"
    metadata = {"kind": kind, "member": member, "seed": str(seed)}
    write_safetensors(f"{stem}.safetensors", tensors(model), metadata)
    report = {
        "kind": kind, "member": member, "seed": seed, **SHAPE, "layerNormEps": EPSILON, **RECIPE, "losses": losses,
        "normalisation": {"mean": cifar_data.MEAN, "std": cifar_data.STD},
        "params": sum(p.numel() for p in model.parameters()), "pictures": len(x), "right": int(right.sum()),
        "rightHex": bytes(int("".join(map(str, bits)), 2) for bits in right.int().view(-1, 8).tolist()).hex(),
        "processorSeconds": round(seconds), "torch": torch.__version__,
    }
    cifar_data.write_whole(Path(f"{stem}.json"), (json.dumps(report) + "\n").encode())
    print(f"{kind} {member} seed {seed}: {100 * report['right'] / len(x):.2f} %, {report['params']} parameters", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="folder with train.tar and test.tar")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    args = parser.parse_args()
    train_set, test_set = (load(Path(args.data) / f"{part}.tar") for part in ("train", "test"))
    for seed in args.seeds:
        for member in MEMBERS:
            for kind in KINDS:
                if not (HERE / "results" / f"{kind}-{member}-seed{seed}.json").exists():
                    finish(kind, member, seed, train(kind, member, seed, train_set), test_set)


if __name__ == "__main__":
    main()
