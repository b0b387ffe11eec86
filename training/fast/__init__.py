"""SESR's forward and backward pass on one CPU core with AVX-512, about twice as fast as PyTorch's convolutions.

In f32, or with activations and gradients in bf16 where the processor multiplies these. Compiled with g++ on first use; where that is
not possible `available()` is False and PyTorch does the work.
"""
import ctypes
import functools
import hashlib
import os
import subprocess
from pathlib import Path

import torch

HERE = Path(__file__).resolve().parent
SOURCES = (HERE / "sesr.cpp", HERE / "bf16.cpp")
FLAGS = ("-O3", "-march=native", "-ffast-math", "-fno-math-errno", "-std=c++17", "-shared", "-fPIC")


def processor_has(feature):
    try:
        return feature in Path("/proc/cpuinfo").read_text()
    except OSError:
        return False


@functools.lru_cache(None)
def library():
    """-> the compiled library or None."""
    if os.environ.get("SESR_FAST") == "0" or not processor_has("avx512f"):
        return None
    text = b"".join(path.read_bytes() for path in (HERE / "common.hpp", *SOURCES))
    digest = hashlib.sha256(text + " ".join(FLAGS).encode()).hexdigest()[:12]
    path = HERE.parent / ".cache" / f"sesr-{digest}.so"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(f".{os.getpid()}.tmp")
        try:
            subprocess.run(["g++", *FLAGS, *map(str, SOURCES), "-o", str(temporary)], check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError):
            return None
        os.replace(temporary, path)
    lib = ctypes.CDLL(str(path))
    lib.f32_store.restype = ctypes.c_long
    if lib.bf16_compiled():
        lib.bf16_store.restype = ctypes.c_long
    return lib


def has_bf16():
    """Whether `trunk` can compute with precision "bf16" here."""
    return processor_has("avx512_bf16") and library() is not None and bool(library().bf16_compiled())


def available(x, features):
    """Whether `trunk` can be used for a batch like x and so many features."""
    return x.device.type == "cpu" and x.dtype == torch.float32 and features in (16, 32) and library() is not None


def pointer(tensor):
    return None if tensor is None else ctypes.c_void_p(tensor.data_ptr())


def pointers(tensors):
    return (ctypes.c_void_p * len(tensors))(*(t.data_ptr() for t in tensors))


class _Trunk(torch.autograd.Function):
    """x and, of each layer, weight and bias, the slopes, and steps and zeros of int8 or neither -> [N, o, H, W]. No gradient of x."""

    store = torch.empty(0)  # kept from step to step: fresh memory would cost page faults

    @staticmethod
    def forward(ctx, x, m, precision, *tensors):
        tensors = [t.detach().contiguous() for t in tensors]
        weights, biases, slopes = tensors[:m + 2], tensors[m + 2:2 * m + 4], tensors[2 * m + 4:3 * m + 4]
        x = x.contiguous()
        n, _, h, w = x.shape
        f, o = weights[0].shape[0], weights[-1].shape[0]
        store, run, ctx.run_back = (getattr(library(), f"{precision}_{name}") for name in ("store", "forward", "backward"))
        count = n * store(h, w, m, f) + 16
        if _Trunk.store.numel() < count:
            _Trunk.store = torch.empty(count)
        base = (_Trunk.store.data_ptr() + 63) // 64 * 64
        out = torch.empty(n, h, w, o)
        # Only the f32 passes can round.
        ctx.rounding, ctx.skip, ctx.f32 = None, None, precision == "f32"
        if len(tensors) > 3 * m + 4:
            steps, zeros, ctx.skip, ctx.parts = tensors[3 * m + 4:]
            zeros = zeros.round().clamp(-128, 127)
            # The second part of a fine tensor reaches as far again as one of the parts that levels are divided into.
            ctx.wide = ctx.parts + (ctx.parts > 1)
            ctx.rounding = torch.stack([steps / ctx.parts, (-128 - zeros) * ctx.wide, (127 - zeros) * ctx.wide], 1).contiguous()
        rounding = [pointer(ctx.rounding), pointer(ctx.skip)] if ctx.f32 else []
        run(n, h, w, m, f, o, ctypes.c_void_p(x.data_ptr()), pointers(weights), pointers(biases),
            pointers(slopes), *rounding, ctypes.c_void_p(base), ctypes.c_void_p(out.data_ptr()))
        ctx.shape, ctx.base, ctx.weights, ctx.biases, ctx.slopes = (n, h, w, m, f, o), base, weights, biases, slopes
        return out.permute(0, 3, 1, 2)

    @staticmethod
    def backward(ctx, gradient):
        gout = gradient.permute(0, 2, 3, 1).contiguous()
        like = [[torch.empty_like(t) for t in part] for part in (ctx.weights, ctx.biases, ctx.slopes)]
        dr = None if ctx.rounding is None else torch.empty(len(ctx.rounding), 2)
        before, behind = ([pointer(ctx.rounding), pointer(ctx.skip)], [pointer(dr)]) if ctx.f32 else ([], [])
        ctx.run_back(*ctx.shape, ctypes.c_void_p(gout.data_ptr()), pointers(ctx.weights), pointers(ctx.slopes), *before,
                     ctypes.c_void_p(ctx.base), *(pointers(part) for part in like), *behind)
        rounding = [] if dr is None else (dr[:, 0] / ctx.parts, dr[:, 1] * ctx.wide, None, None)
        return (None, None, None, *like[0], *like[1], *like[2], *rounding)


def trunk(x, weights, biases, slopes, precision="f32", int8=()):
    """The convolutions of SESR between "- 0.5" and "+ x". One pass at a time: backward before the next forward.

    precision: "f32", or "bf16" where `has_bf16()`: then activations, their gradients and the weights of all layers but the first
    are rounded to bf16 in between; what goes in and comes out is f32 either way.
    int8, with "f32" only: (steps, zeros, skip, parts), one step and zero for the first layer's result and every block's (the last block's
    with the first's added, each channel times skip, which gets no gradient); these tensors are then rounded, to so many parts of a step, and
    gradients pass as in learnable fake quantisation, before its scaling.
    """
    return _Trunk.apply(x, len(slopes), precision, *weights, *biases, *slopes, *int8)
