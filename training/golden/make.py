"""Writes the golden outputs of ../../test/golden: python3 make.py [NAME ...] (all by default).

Networks get their weights from hash_weights.py by parameter name, run in eval mode in float64 on a picture from the
same hash, and leave logits and a few values after each stage. See README.md for the files' form.
"""
import json
import sys
from pathlib import Path

import numpy as np
import torch
import torchvision

import networks
import operators
from cifar_data import write_whole
from hash_weights import hash_tensor, hash_values
from macs import count_macs, count_params

TARGET = Path(__file__).resolve().parents[2] / "test" / "golden"
SAMPLES = 8


def fill(model, rename, gain):
    """Every parameter and running statistic from the hash of its (renamed) name."""
    state = model.state_dict()
    for name, tensor in state.items():
        if name.endswith("num_batches_tracked"):
            continue
        shape = tuple(tensor.shape)
        if name.endswith("layer_scale"):
            shape = shape[:1]
        tensor.copy_(torch.from_numpy(hash_tensor(rename(name), shape, gain)).view(tensor.shape))
    model.load_state_dict(state)


def rounded(value):
    """Eight significant digits of the float32 value: enough to tell it from its neighbours but for the last bit."""
    return float(f"{np.float32(value):.8g}")


def summary(name, tensor):
    """Statistics of an activation [1, C, H, W] and a few of its values, at places picked by the hash."""
    flat = tensor.flatten()
    places = np.floor((hash_values(name, SAMPLES) + 1) / 2 * flat.numel()).astype(int)
    return {
        "name": name, "shape": list(tensor.shape),
        "mean": rounded(flat.mean()), "rms": rounded(flat.square().mean().sqrt()),
        "samples": [{"at": [int(i) for i in np.unravel_index(place, tensor.shape)], "value": rounded(flat[place])}
                    for place in places],
    }


@torch.no_grad()
def golden(spec, size):
    """-> the content of one file."""
    model = spec.make().eval()
    fill(model, spec.rename, spec.gain)
    spec.check(model)
    params, macs = count_params(model), count_macs(model, *size)
    assert params == spec.params, (spec.name, params)
    assert macs == spec.macs or size != spec.sizes[0], (spec.name, macs)
    picture = torch.from_numpy(hash_tensor("input", (1, 3, *size)))
    single = model(picture)[0].double()

    found = []
    model.double()
    for name, module in spec.stages(model).items():
        if isinstance(module, networks.InputOf):
            module.module.register_forward_pre_hook(lambda _, inputs, name=name: found.append(summary(name, inputs[0])))
        else:
            module.register_forward_hook(lambda _, __, output, name=name: found.append(summary(name, output)))
    logits = model(picture.double())[0]
    stride = 5 if len(logits) > 200 else 1
    norm = logits.norm()
    return {
        "network": spec.name, "source": spec.source, "filterGain": spec.gain,
        "input": {"name": "input", "shape": [1, 3, *size]},
        "params": params, "macs": macs,
        "logits": {
            "count": len(logits), "mean": rounded(logits.mean()), "norm": rounded(norm), "argmax": int(logits.argmax()),
            "stride": stride, "values": [rounded(v) for v in logits[::stride]],
            "torchFloat32RelativeError": float(f"{(single - logits).norm() / norm:.2g}"),
        },
        "stages": found,
    }


def dump(content):
    """JSON with one line per entry of a top-level list, so that differences can be read."""
    lines = []
    for key, value in content.items():
        if isinstance(value, list):
            text = "[\n" + ",\n".join("    " + json.dumps(v) for v in value) + "\n  ]"
        else:
            text = json.dumps(value)
        lines.append(f"  {json.dumps(key)}: {text}")
    return "{\n" + ",\n".join(lines) + "\n}\n"


def write(name, content):
    write_whole(TARGET / f"{name}.json", dump(content).encode())


def hash_examples():
    """A few values for the test of the TypeScript twin."""
    cases = [("conv1.weight", (64, 3, 7, 7), 1.0), ("layer1.0.bn1.weight", (64,), 1.0), ("bn.bias", (7,), 1.0),
             ("bn.running_mean", (5,), 1.0), ("bn.running_var", (33,), 1.0), ("stages.3.2.gamma", (511,), 0.5),
             ("head.weight", (1000, 511), 0.7), ("input", (1, 3, 97, 65), 1.0), ("größe.weight", (3, 5), 0.3)]
    examples = []
    for name, shape, gain in cases:
        flat = hash_tensor(name, shape, gain).ravel()
        places = sorted({0, 1, 2, len(flat) // 3, len(flat) // 2, len(flat) - 1})
        examples.append({"name": name, "shape": shape, "gain": gain, "sum": float(flat.astype(np.float64).sum()),
                         "values": [[i, float(flat[i])] for i in places]})
    return {"made": "training/golden/make.py", "examples": examples}


def main():
    wanted = set(sys.argv[1:])
    print("torch", torch.__version__, "torchvision", torchvision.__version__)
    if not wanted or "hash" in wanted:
        write("hash-weights", hash_examples())
    for spec in networks.ALL:
        if wanted and spec.name not in wanted:
            continue
        for size in spec.sizes:
            content = golden(spec, size)
            write(f"{spec.name}-{size[0]}x{size[1]}", content)
            print(f"{spec.name} {size}: {content['params']} params, {content['macs']} MACs, logits norm "
                  f"{content['logits']['norm']:.4g}, float32 error {content['logits']['torchFloat32RelativeError']}, "
                  f"rms {[round(s['rms'], 2) for s in content['stages']]}", flush=True)
    if not wanted or "operators" in wanted:
        for name, content in operators.ALL.items():
            write(f"operators-{name}", content())


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
