"""Starts a network from a trained one that is shallower, narrower or of the other scale.

The new network computes what the old one does (apart from a change of scale) and has room to
learn: added blocks are the identity, added channels are computed and not yet used.
"""
import torch

from export import read_safetensors
from sesr_model import VARIANTS, Sesr


def fit(block, weight, bias):
    """Sets `block` so that it collapses to weight [out, in, k, k] and bias [out], short residual apart.

    The factors keep their random start except for the least change of `expand` that makes the product right,
    so the pair has the same room to move as a fresh one.
    """
    with torch.no_grad():
        project = block.project.weight.flatten(1).double()  # [out, p]
        expand = block.expand.weight.flatten(1).double()  # [p, in k k]
        missing = weight.flatten(1).double() - project @ expand
        change = project.T @ torch.linalg.solve(project @ project.T, missing)
        block.expand.weight.copy_((expand + change).view_as(block.expand.weight))
        block.project.bias.copy_(bias.double() - project @ block.expand.bias.double())


def factorise(tensors, variant, scale):
    """Collapsed tensors by name -> a Sesr of SESR's blocks that collapses to them, from which training can go on."""
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(0)
        model = Sesr.variant(variant, scale)
        tensors = {name: t.cpu() for name, t in tensors.items()}
        for name, block in model.named_blocks():
            weight = tensors[name + ".weight"]
            fit(block, weight - block.identity if block.residual else weight, tensors[name + ".bias"])
        for i, slope in enumerate(model.slopes):
            slope.copy_(tensors[f"blocks.{i}.slope"])
    return model


def make_identity(block, slope):
    """The block adds nothing to its input, and its PReLU is the identity."""
    with torch.no_grad():
        block.project.weight.zero_()
        block.project.bias.zero_()
        slope.fill_(1)


def positions(old, new):
    """-> for each of `new` blocks the index of the old one that it takes, or None: spread evenly."""
    taken = {round((i + 0.5) * new / old - 0.5): i for i in range(old)}
    return [taken.get(i) for i in range(new)]


def widen(weight, outputs, inputs, fresh):
    """Old kernel in the corner; new outputs as in `fresh`, new inputs of old outputs 0."""
    grown = fresh.clone()
    o, i = weight.shape[:2]
    grown[:o] = 0
    grown[:o, :i] = weight
    assert grown.shape[:2] == (outputs, inputs)
    return grown


def grow(model, old):
    """Sets the weights of `model` from the Sesr `old`, at most as deep and wide as it."""
    f, scale = model.f, model.scale
    if old.m > model.m or old.f > f:
        raise ValueError(f"cannot grow {old.m} blocks of {old.f} channels to {model.m} of {f}")

    def take(block, source, copies=None):
        weight, bias = (t.detach() for t in source.collapse())
        fresh_weight, fresh_bias = (t.detach() for t in block.collapse())
        if copies is not None:
            weight, bias = weight[copies], bias[copies]
        grown = widen(weight, fresh_weight.shape[0], fresh_weight.shape[1], fresh_weight)
        grown_bias = fresh_bias.clone()
        grown_bias[:len(bias)] = bias
        fit(block, grown - block.identity if block.residual else grown, grown_bias)

    take(model.first, old.first)
    for block, slope, source in zip(model.blocks, model.slopes, positions(old.m, model.m)):
        if source is None:
            make_identity(block, slope)
            continue
        take(block, old.blocks[source])
        with torch.no_grad():
            slope[:old.f] = old.slopes[source]
    # Channel 8 dy1 + 4 dx1 + ... of x4 lies inside pixel (dy1, dx1) of x2.
    same = old.scale == scale
    copies = None if same else [c // 4 for c in range(16)]
    if not same and (old.scale, scale) != (2, 4):
        raise ValueError("only x2 grows to x4")
    take(model.last, old.last, copies)


def load_expanded(path):
    """An expanded safetensors file -> Sesr, and its metadata."""
    tensors, metadata = read_safetensors(path)
    if metadata.get("form") != "expanded":
        raise ValueError(f"{path}: expected expanded weights")
    model = Sesr(*VARIANTS[metadata["variant"]], int(metadata["scale"]))
    state = {}
    for name, tensor in tensors.items():
        state["slopes." + name.split(".")[1] if name.endswith(".slope") else name] = tensor
    model.load_state_dict(state)
    return model, metadata
