"""Writes and reads weights as safetensors (by hand: the format is a length, JSON and raw data)."""
import copy
import json
import os
import struct
from pathlib import Path

import numpy as np
import torch

from sesr_model import CollapsedSesr


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


def described(model, network, form, facts):
    return {"format": "wasmograd-sesr", "variant": network, "scale": str(model.scale), "form": form,
            "layout": "OIHW", **facts}


def export(model, folder, network, facts):
    """Writes FOLDER/sesr-<variant>-x<s>.safetensors (or fsrcnn-x<s>), the inference form, and returns its path."""
    name = network if network == "fsrcnn" else f"sesr-{network}"
    path = Path(folder) / f"{name}-x{model.scale}.safetensors"
    # Products of the factors in float64, rounded once: grown networks have large ones that cancel.
    tensors = copy.deepcopy(model).cpu().double().collapsed_tensors()
    write_safetensors(path, tensors, described(model, network, "collapsed", facts))
    return path


def write_expanded(model, path, network, facts):
    """The training form of a SESR network, from which training can go on."""
    write_safetensors(path, model.expanded_tensors(), described(model, network, "expanded", facts))
