"""Averages the collapsed weights of runs of one network, where one run began with the other's weights.

    python3 average.py .runs/m5-x2/sesr-m5-x2.safetensors older/sesr-m5-x2.safetensors --out ../weights

Such runs lie in one valley of the loss, and between them it is lower (Wortsman et al. 2022, arXiv 2203.05482). Runs from different seeds do
not: their channels mean different things. The first file's facts are kept; the number of runs is added.

With --expanded FILE, the first run's expanded weights, an expanded form of the mean is written beside it, from which training can go on.
"""
import argparse
from pathlib import Path

import torch

from export import read_safetensors, write_safetensors


def average(tensors):
    """List of (name -> tensor) -> their mean."""
    shapes = [{name: t.shape for name, t in each.items()} for each in tensors]
    if any(each != shapes[0] for each in shapes):
        raise ValueError("the files hold different networks")
    return {name: sum(each[name].double() for each in tensors).div(len(tensors)).float() for name in shapes[0]}


def expanded_of(wanted, expanded):
    """Expanded tensors that collapse to `wanted`: the given ones, of which `expand` is changed as little as possible and `project`'s bias."""
    out = dict(expanded)
    for layer in sorted({name.rsplit(".", 1)[0] for name in wanted if name.endswith(".weight")}):
        project = expanded[layer + ".project.weight"].flatten(1).double()
        expand = expanded[layer + ".expand.weight"].double()
        weight = wanted[layer + ".weight"].double().clone()
        if layer.startswith("blocks."):  # the short residual is not part of the factors
            channels, centre = range(len(weight)), weight.shape[-1] // 2
            weight[channels, channels, centre, centre] -= 1
        difference = weight.flatten(1) - project @ expand.flatten(1)
        out[layer + ".expand.weight"] = (expand + (torch.linalg.pinv(project) @ difference).view_as(expand)).float()
        bias = wanted[layer + ".bias"].double() - project @ expanded[layer + ".expand.bias"].double()
        out[layer + ".project.bias"] = bias.float()
        if layer.startswith("blocks."):
            out[layer + ".slope"] = wanted[layer + ".slope"]
    return out


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("weights", nargs="+", help="collapsed weights")
    parser.add_argument("--expanded", help="expanded weights of the first run")
    parser.add_argument("--out", required=True, help="folder; the file has the name of the first one")
    args = parser.parse_args()
    files = [read_safetensors(path) for path in args.weights]
    facts = {**files[0][1], "averaged_runs": str(len(files))}
    target = Path(args.out) / Path(args.weights[0]).name
    mean = average([tensors for tensors, _ in files])
    write_safetensors(target, mean, facts)
    if args.expanded:
        tensors, expanded_facts = read_safetensors(args.expanded)
        more = {**expanded_facts, "averaged_runs": facts["averaged_runs"]}
        write_safetensors(target.with_name(f"{target.stem}-expanded.safetensors"), expanded_of(mean, tensors), more)
    print(target)


if __name__ == "__main__":
    main()
