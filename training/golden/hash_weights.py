"""Weights and pictures from an integer hash, the same to the bit here and in ../../test/golden/hash-weights.ts.

A golden output then needs no weights beside it. value(name, index), all in uint32:

    h = FNV-1a of the UTF-8 name + index * 0x9e3779b9, then murmur3's finaliser
    value = ((h >> 8) - 2^23) / 2^23        in [-1, 1), exact in float32

`index` runs through the tensor in PyTorch's layout (OIHW, NCHW). A tensor is offset + scale * value, computed in
float64 (product, then sum) and rounded once to float32; offset and scale follow from its role.
"""
import math

import numpy as np


def hash_values(name, count):
    """-> float64 [count], values 0 .. count - 1 of this name."""
    seed = 0x811C9DC5
    for byte in name.encode():
        seed = (seed ^ byte) * 0x01000193 & 0xFFFFFFFF
    h = np.arange(count, dtype=np.uint32) * np.uint32(0x9E3779B9) + np.uint32(seed)
    h = (h ^ (h >> np.uint32(16))) * np.uint32(0x85EBCA6B)
    h = (h ^ (h >> np.uint32(13))) * np.uint32(0xC2B2AE35)
    h ^= h >> np.uint32(16)
    return ((h >> np.uint32(8)).astype(np.float64) - 2.0**23) / 2.0**23


def role_of(name, shape):
    """What a tensor is, by the last part of its name and its shape."""
    last = name.split(".")[-1]
    if last == "weight":
        return "norm-scale" if len(shape) == 1 else "filter"
    return {"bias": "bias", "running_mean": "running-mean", "running_var": "running-var",
            "gamma": "layer-scale", "gamma1": "layer-scale", "gamma2": "layer-scale", "gamma3": "layer-scale",
            "in_proj_weight": "filter", "in_proj_bias": "bias", "temperature": "temperature",
            "cls_token": "embedding", "class_token": "embedding", "pos_embed": "embedding", "pos_embedding": "embedding",
            "input": "input"}[last]


def offset_and_scale(role, shape, gain=1.0):
    """gain multiplies the scale of filters only; fan-in: all but the first dimension of PyTorch's shape."""
    if role == "filter":
        return 0.0, gain * math.sqrt(6 / math.prod(shape[1:]))
    return {"bias": (0.0, 0.1), "norm-scale": (1.0, 0.2), "running-mean": (0.0, 0.1), "running-var": (1.0, 0.5),
            "layer-scale": (0.5, 0.25), "temperature": (4.0, 2.0), "embedding": (0.0, 0.5), "input": (0.0, 1.0)}[role]


def hash_tensor(name, shape, gain=1.0):
    """-> float32 array of this shape."""
    offset, scale = offset_and_scale(role_of(name, shape), shape, gain)
    return (offset + scale * hash_values(name, math.prod(shape))).astype(np.float32).reshape(shape)
