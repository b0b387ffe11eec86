"""Trains the two networks of the study on CIFAR-10 and writes weights and accuracies to results/.

    python3 train.py --data DIR [--epochs 8] [--seeds 1 2] [--measure]

DIR holds train.tar and test.tar. One thread. The test pictures are scored once, after the last epoch.
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
from macs import count_macs, count_params  # noqa: E402
from small_networks import MACRO, NETWORKS, SHAPE, build, collapse, expand  # noqa: E402

torch.set_num_threads(1)
HERE = Path(__file__).resolve().parent
BATCH, PEAK_RATE, DECAY, WARM_UP, SMOOTHING = 256, 4e-3, 0.05, 0.2, 0.1


def load(tar):
    pixels, labels = cifar_data.load(tar)
    mean, std = (torch.tensor(v).view(1, 3, 1, 1) for v in (cifar_data.MEAN, cifar_data.STD))
    x = torch.from_numpy(pixels).permute(0, 3, 1, 2).float().div_(255)
    return x.sub_(mean).div_(std), torch.from_numpy(labels).long()


def augment(x, generator):
    """A shift of up to 4 pixels each way (zeros, i.e. the mean colour, from outside) and a flip, per picture."""
    n = len(x)
    padded = F.pad(x, (4, 4, 4, 4))
    top, left = (torch.randint(9, (n, 1), generator=generator) for _ in range(2))
    flip = torch.rand(n, 1, generator=generator) < 0.5
    columns = torch.arange(32).expand(n, 32)
    columns = torch.where(flip, 31 - columns, columns) + left
    rows = torch.arange(32).expand(n, 32) + top
    picture = torch.arange(n).view(n, 1, 1)
    return padded.permute(0, 2, 3, 1)[picture, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)


def rate(step, steps):
    """One cycle: linear up, cosine down to 0."""
    up = WARM_UP * steps
    return PEAK_RATE * (step / up if step < up else 0.5 * (1 + math.cos(math.pi * (step - up) / (steps - up))))


@torch.no_grad()
def accuracy(model, x, y):
    """-> per cent of pictures whose largest logit is the label's."""
    model.eval()
    return 100 * sum((model(a).argmax(1) == b).sum().item() for a, b in zip(x.split(500), y.split(500))) / len(x)


def train(name, seed, epochs, train_set, measure_only=False):
    """-> the network in its training form, and seconds (per batch, of six, if that is all that is wanted)."""
    torch.manual_seed(seed)
    order = torch.Generator().manual_seed(seed)
    model = expand(build(name)).to(memory_format=torch.channels_last)
    decayed = [p for p in model.parameters() if p.ndim > 1]
    others = [p for p in model.parameters() if p.ndim <= 1]
    optimiser = torch.optim.AdamW([{"params": decayed, "weight_decay": DECAY}, {"params": others, "weight_decay": 0}])
    x, y = train_set
    steps_per_epoch = len(x) // BATCH
    steps, begin, loss_sum = epochs * steps_per_epoch, time.time(), 0.0
    for epoch in range(epochs):
        model.train()
        for i, index in enumerate(torch.randperm(len(x), generator=order)[:steps_per_epoch * BATCH].split(BATCH)):
            for group in optimiser.param_groups:
                group["lr"] = rate(epoch * steps_per_epoch + i + 1, steps)
            loss = F.cross_entropy(model(augment(x[index], order)), y[index], label_smoothing=SMOOTHING)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()
            loss_sum += loss.item()
            if measure_only and i == 5:
                return model, (time.time() - begin) / 6
        print(f"{name} seed {seed} epoch {epoch + 1}: mean loss {loss_sum / steps_per_epoch:.4f}, "
              f"{time.time() - begin:.0f} s", flush=True)
        loss_sum = 0.0
    return model, time.time() - begin


def finish(name, seed, epochs, model, test_set):
    """Collapses, scores, writes results/NAME-seedS.{safetensors,json}."""
    x, y = test_set
    expanded_accuracy = accuracy(model, x, y)
    trained_params = count_params(model)
    probe = model.eval()(x[:64])
    collapsed = collapse(model).eval()
    difference = (collapsed(x[:64]) - probe).abs().max().item()
    assert difference < 1e-3, difference
    network_rows, stem_bn = NETWORKS[name]
    tensors = {k: v for k, v in collapsed.state_dict().items() if not k.endswith("num_batches_tracked")}
    stem = HERE / "results" / f"{name}-seed{seed}"
    write_safetensors(f"{stem}.safetensors", tensors, {"layout": "OIHW", "network": name, "seed": str(seed)})
    report = {
        "network": name, "seed": seed, "epochs": epochs, "batch": BATCH, "peakRate": PEAK_RATE, "weightDecay": DECAY,
        "input": [32, 32], "batchNormEps": 1e-3, "stem": {"outputs": SHAPE["stem"], "stride": SHAPE["stem_stride"],
                                                          "batchNormAndHardSwish": stem_bn},
        "rows": [{"outputs": c, "stride": s, "blocks": [k if isinstance(k, str) else {"kernel": k[0], "expansion": k[1]}
                                                        for k in kinds]} for c, s, kinds in network_rows],
        "top": {"outputs": SHAPE["top"], "kernel": SHAPE["top_kernel"]}, "classes": SHAPE["classes"],
        "normalisation": {"mean": cifar_data.MEAN, "std": cifar_data.STD},
        "params": count_params(collapsed), "paramsInTraining": trained_params, "macs": count_macs(collapsed, 32, 32),
        "accuracyPercent": round(accuracy(collapsed, x, y), 2),
        "accuracyPercentExpanded": round(expanded_accuracy, 2),
        "torch": torch.__version__,
    }
    cifar_data.write_whole(Path(f"{stem}.json"), (json.dumps(report, indent=2) + "\n").encode())
    print(json.dumps({k: report[k] for k in ("network", "seed", "params", "macs", "accuracyPercent")}), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="folder with train.tar and test.tar")
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    parser.add_argument("--measure", action="store_true", help="print seconds per batch and stop")
    args = parser.parse_args()
    train_set, test_set = (load(Path(args.data) / f"{part}.tar") for part in ("train", "test"))
    for seed in args.seeds:
        for name in NETWORKS:
            model, seconds = train(name, seed, args.epochs, train_set, args.measure)
            if args.measure:
                plain = build(name)
                print(name, count_params(plain), "params", count_macs(plain, 32, 32), "MACs", f"{seconds:.3f} s a batch")
            else:
                finish(name, seed, args.epochs, model, test_set)


if __name__ == "__main__":
    main()
