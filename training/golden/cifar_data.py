"""CIFAR-10 stored as a tar of 32x32 JPEGs, one folder per class: decoded once by libjpeg (through PIL).

Writes into a folder outside git, for SET "train" or "test":
    SET-pixels.u8   raw RGB bytes [N, 32, 32, 3]
    SET-labels.u8   N bytes, the index of the class among the sorted folder names
    SET-names.txt   the N file names, sorted: the order of everything else
"""
import io
import os
import tarfile
from pathlib import Path

import numpy as np
from PIL import Image

CACHE = Path(__file__).resolve().parents[1] / "cache"
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def write_whole(path, data):
    """The file appears whole or not at all."""
    temporary = path.with_name(path.name + ".tmp")
    temporary.write_bytes(data)
    os.replace(temporary, path)


def load(tar, cache=CACHE):
    """tar: path of SET.tar -> pixels u8 [N, 32, 32, 3], labels u8 [N]; decodes if the cache lacks them."""
    tar, cache = Path(tar), Path(cache)
    pixels, labels, names = (cache / f"{tar.stem}-{part}" for part in ("pixels.u8", "labels.u8", "names.txt"))
    if not names.exists():
        cache.mkdir(parents=True, exist_ok=True)
        with tarfile.open(tar) as archive:
            found = {m.name: archive.extractfile(m).read() for m in archive if m.name.endswith(".jpg")}
        files = sorted(found)
        classes = sorted({name.split("/")[-2] for name in files})
        decoded = [np.asarray(Image.open(io.BytesIO(found[name])).convert("RGB")) for name in files]
        write_whole(pixels, np.stack(decoded).tobytes())
        write_whole(labels, bytes(classes.index(name.split("/")[-2]) for name in files))
        write_whole(names, "\n".join(files).encode() + b"\n")  # last: it says that the others are complete
    return (np.fromfile(pixels, np.uint8).reshape(-1, 32, 32, 3), np.fromfile(labels, np.uint8))
