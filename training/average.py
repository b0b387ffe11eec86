"""Averages the collapsed weights of runs of one network, where one run began with the other's weights.

    python3 average.py .runs/m5-x2/sesr-m5-x2.safetensors older/sesr-m5-x2.safetensors --out ../weights

Such runs lie in one valley of the loss, and between them it is lower (Wortsman et al. 2022, arXiv 2203.05482). Runs from different seeds do
not: their channels mean different things. The first file's facts are kept; the number of runs is added.

With --expanded an expanded form of the mean is written beside it, from which training can go on.
"""
import argparse
from pathlib import Path

from export import read_safetensors, write_expanded, write_safetensors
from grow import factorise


def average(tensors):
    """List of (name -> tensor) -> their mean."""
    shapes = [{name: t.shape for name, t in each.items()} for each in tensors]
    if any(each != shapes[0] for each in shapes):
        raise ValueError("the files hold different networks")
    return {name: sum(each[name].double() for each in tensors).div(len(tensors)).float() for name in shapes[0]}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("weights", nargs="+", help="collapsed weights")
    parser.add_argument("--expanded", action="store_true", help="writes an expanded form too")
    parser.add_argument("--out", required=True, help="folder; the file has the name of the first one")
    args = parser.parse_args()
    files = [read_safetensors(path) for path in args.weights]
    facts = {**files[0][1], "averaged_runs": str(len(files))}
    target = Path(args.out) / Path(args.weights[0]).name
    mean = average([tensors for tensors, _ in files])
    write_safetensors(target, mean, facts)
    if args.expanded:
        model = factorise(mean, facts["variant"], int(facts["scale"]))
        write_expanded(model, target.with_name(f"{target.stem}-expanded.safetensors"), facts["variant"], {**facts, "form": "expanded"})
    print(target)


if __name__ == "__main__":
    main()
