"""Writes and reads weights as safetensors (by hand: the format is a length, JSON and raw data).

    python3 export.py .runs/m5x2/checkpoint.pt --collapsed ../weights --expanded checkpoints
"""
import argparse
import json
import os
import struct
from pathlib import Path

import numpy as np
import torch

from sesr_model import CollapsedSesr, Sesr


def write_safetensors(path, tensors, metadata):
    """tensors: name -> float32 tensor. The file appears whole or not at all."""
    header, blobs, offset = {"__metadata__": metadata}, [], 0
    for name, tensor in tensors.items():
        blob = tensor.detach().cpu().contiguous().numpy().astype("<f4").tobytes()
        header[name] = {"dtype": "F32", "shape": list(tensor.shape),
                        "data_offsets": [offset, offset + len(blob)]}
        blobs.append(blob)
        offset += len(blob)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # keeps the data 8-byte aligned
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".tmp")
    with open(temporary, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + b"".join(blobs))
    os.replace(temporary, path)


def read_safetensors(path):
    """-> (name -> float32 tensor, metadata)."""
    raw = Path(path).read_bytes()
    (length,) = struct.unpack("<Q", raw[:8])
    header = json.loads(raw[8:8 + length])
    metadata = header.pop("__metadata__", {})
    tensors = {}
    for name, entry in header.items():
        begin, end = (8 + length + o for o in entry["data_offsets"])
        array = np.frombuffer(raw[begin:end], "<f4").reshape(entry["shape"])
        tensors[name] = torch.from_numpy(array.astype(np.float32))
    return tensors, metadata


def load_collapsed(path):
    """-> CollapsedSesr ready to run."""
    return CollapsedSesr(read_safetensors(path)[0]).eval()


def export(model, folder, form, variant, iterations, seed):
    """Writes FOLDER/sesr-<variant>-x<s>[-expanded].safetensors and returns its path."""
    collapsed = form == "collapsed"
    tensors = model.collapsed_tensors() if collapsed else model.expanded_tensors()
    suffix = "" if collapsed else "-expanded"
    path = Path(folder) / f"sesr-{variant}-x{model.scale}{suffix}.safetensors"
    write_safetensors(path, tensors, {
        "format": "wasmograd-sesr", "variant": variant, "scale": str(model.scale), "form": form,
        "iterations": str(iterations), "seed": str(seed), "layout": "OIHW"})
    return path


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoint")
    parser.add_argument("--collapsed", metavar="DIR")
    parser.add_argument("--expanded", metavar="DIR")
    args = parser.parse_args()
    state = torch.load(args.checkpoint, map_location="cpu")
    model = Sesr.variant(state["variant"], state["scale"])
    model.load_state_dict(state["ema"])
    for form in ("collapsed", "expanded"):
        if getattr(args, form):
            print(export(model, getattr(args, form), form, state["variant"],
                         state["iteration"], state["seed"]))


if __name__ == "__main__":
    main()
