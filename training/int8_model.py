"""SESR in int8: what trains (rounding with straight-through gradients) and, bit for bit, what the library computes.

docs/quantization.md of the library defines the arithmetic; names of tensors are those of its fused network:
x, first, blocks.<i>.prelu, features (the last block and `first` added) and cells (the last layer and x added).
Convolutions read x as two int8, levels and eighths of them; what is added to the last one's sums is x itself, and the result stays f32.
Inner tensors may be read in two parts as well.
"""
import json
import math

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

import fast
from export import read_safetensors
from sesr_model import CollapsedSesr, upscale_cells

QMIN, QMAX, STEPS, WEIGHT_MAX = -128, 127, 255, 127
BIAS_LIMIT = 2.0 ** 26
PEAK = 255
FINE = 8  # parts of a level in which x and fine tensors are read
# Luma of 16..235 over 255 and, for the offset of -0.5 to be a whole number of steps, 138 steps of it.
CUTS = tuple(0.1 + 0.05 * i for i in range(19))  # of what a channel reaches, to be tried as its limit
EXPONENTS = (0.75, 0.5, 0.25)  # of the scales of channels, 1 aside
NOISE_INPUTS = 8  # every so many of the inputs count there
INPUT_RANGE = (16 / PEAK, 235 / PEAK)
INPUT_STEP = 0.5 / int(STEPS * 0.5 / INPUT_RANGE[1])
INPUT_ZERO = QMIN
CENTRED_ZERO = QMIN + round(0.5 / INPUT_STEP)


def inner_tensors(m):
    """Names of the tensors whose ranges are to be found, in order."""
    return ["first"] + [f"blocks.{i}.prelu" for i in range(m - 1)] + ["features"]


class _RoundTo(torch.autograd.Function):
    """t, step of each output channel -> nearest multiples; gradients of t pass."""

    @staticmethod
    def forward(ctx, t, step):
        step = step.view(-1, *[1] * (t.dim() - 1))
        return (t / step).round() * step

    @staticmethod
    def backward(ctx, gradient):
        return gradient, None


def parts(t, step, zero, read_zero=None):
    """t -> levels and what is left, in eighths of them, as whole numbers: what convolutions read of a fine tensor, less the zero point that
    they read it with, by default the tensor's own.
    """
    read_zero = zero if read_zero is None else read_zero
    fine = (t * float(np.float32(FINE / float(step)))).round()
    levels = ((fine + FINE // 2) / FINE).floor().clamp(QMIN - zero, QMAX - zero)
    return levels + (zero - read_zero), (fine - FINE * levels).clamp(QMIN - read_zero, QMAX - read_zero)


def convolve_parts(levels, rest, step, weight, bias):
    """Both parts of a fine tensor, less zero points, with the library's weights, of which eighths are rounded again."""
    weight_step = weight_steps(weight).to(weight.dtype).view(-1, 1, 1, 1)
    eighths = ((weight / weight_step).round() / FINE).round() * weight_step  # ties are decided on whole numbers
    pair = torch.cat([levels, rest], 1) * step
    return F.conv2d(pair, torch.cat([weight, eighths], 1), bias, padding=weight.shape[-1] // 2)


def weight_steps(weight):
    """[O, ...] -> [O]: max |w| / 127, or what keeps channels of zeros from dividing by it."""
    return (weight.detach().abs().flatten(1).amax(1) / WEIGHT_MAX).clamp(min=1e-30)


def reach(zero, fine):
    """-> into how many parts a level is divided, and the least and the largest of them: the second part of a fine tensor reaches further."""
    low, high = QMIN - zero, QMAX - zero
    return (FINE, low * (FINE + 1), high * (FINE + 1)) if fine else (1, low, high)


class _Round(torch.autograd.Function):
    """t, step, zero, fine -> t in int8, of a fine tensor in two of them. Gradients pass where the level is within these, and belong to
    step and zero where it is limited.

    The definition of PyTorch's learnable fake quantisation, whose own operator was seen to pass gradients of limited values.
    """

    @staticmethod
    def forward(ctx, t, step, zero, fine):
        count, low, high = reach(zero.round().clamp(QMIN, QMAX), fine)
        ctx.fine = fine
        step = step / count
        u = t / step
        q = u.round()
        limited = torch.minimum(torch.maximum(q, low), high)
        ctx.save_for_backward(u, q == limited, limited, step)
        return limited * step

    @staticmethod
    def backward(ctx, gradient):
        u, inside, limited, step = ctx.saved_tensors
        of_step = (gradient * torch.where(inside, limited - u, limited)).sum()
        count, wide = (FINE, FINE + 1) if ctx.fine else (1, 1)
        return gradient * inside, of_step / count, -wide * step * (gradient * ~inside).sum(), None


class _ScaleGradient(torch.autograd.Function):
    """t, factor -> t, whose gradient is multiplied by the factor."""

    @staticmethod
    def forward(ctx, t, factor):
        ctx.factor = factor
        return t.clone()

    @staticmethod
    def backward(ctx, gradient):
        return gradient * ctx.factor, None


def equalised(tensors, scales):
    """Channels divided by their scales where they are computed and multiplied again where they are read, as by the library.

    Quotients and products in float64, rounded once. The sum of `first` and the last block is not among the tensors: where the scales of
    `first` and `features` differ, `skip` has the quotient.
    """
    m = sum(name.endswith(".slope") for name in tensors)
    names = inner_tensors(m)
    layers = [("first", None, names[0]), *((f"blocks.{i}", names[i], names[i + 1]) for i in range(m)), ("last", names[m], None)]
    out = dict(tensors)
    for layer, source, target in layers:
        weight, bias = tensors[layer + ".weight"].double(), tensors[layer + ".bias"].double()
        inputs = torch.tensor(scales.get(source) or [1.0] * weight.shape[1], dtype=torch.float64, device=weight.device)
        outputs = torch.tensor(scales.get(target) or [1.0] * weight.shape[0], dtype=torch.float64, device=weight.device)
        out[layer + ".weight"] = (weight * (inputs[None, :] / outputs[:, None])[:, :, None, None]).float()
        out[layer + ".bias"] = (bias * (1 / outputs)).float()
    return out


class Int8Sesr(CollapsedSesr):
    """Weights of the collapsed form and, of each inner tensor, step and zero point, all to be trained.

    x [N, 1, H, W] = Y / 255 -> [N, 1, sH, sW], not clipped. `fine` names tensors that are read in two parts, as x always is.
    """

    def __init__(self, tensors, fine=()):
        super().__init__(tensors)
        self.fine = tuple(fine)
        count = len(inner_tensors(self.m))
        self.log_steps = nn.Parameter(torch.zeros(count))
        self.zeros = nn.Parameter(torch.zeros(count))
        # Channels of inner tensors are stored divided by these.
        self.register_buffer("scales", torch.ones(count, tensors["first.bias"].numel()))

    @classmethod
    def stored(cls, tensors, ranges, equalisation, fine=()):
        """From natural tensors and what is written beside them: see `read_int8`."""
        model = cls(equalised(tensors, equalisation), fine)
        model.scales.copy_(torch.tensor([equalisation[name] for name in inner_tensors(model.m)]))
        model.set_ranges(ranges)
        return model

    def tensor(self, name):
        return getattr(self, name.replace(".", "_"))

    @property
    def skip(self):
        """What each channel of `first` is multiplied by where it is added to the last block."""
        return self.scales[0] / self.scales[-1]

    def tensors(self):
        return {name: self.tensor(name).detach() for name in self.names}

    def natural_tensors(self, tensors=None):
        """These, by default its own, with all scales taken out, float32: `equalised` puts them back."""
        inverse = {name: [1 / s for s in scales] for name, scales in self.equalisation().items()}
        return equalised(self.tensors() if tensors is None else tensors, inverse)

    def rounded_tensors(self):
        """What is written: next to a tie the last bit decides, which the scales' way out and back may change, so nothing may lie there."""
        out = self.tensors()
        for name, weight, bias in zip(*self.rounded(self.log_steps.exp())):
            out[name + ".weight"], out[name + ".bias"] = weight.detach(), bias.detach()
        return out

    def rounded(self, steps):
        """steps of the inner tensors -> names of the layers, their weights and their biases as the library rounds them."""
        names = ["first", *(f"blocks.{i}" for i in range(self.m)), "last"]
        fine = [weight_steps(self.tensor(name + ".weight")) for name in names]
        weights = [_RoundTo.apply(self.tensor(name + ".weight"), step) for name, step in zip(names, fine)]
        # In the units of the sums: left unrounded, one value in some hundred would round to another level.
        units = [step * into for step, into in zip(fine, (INPUT_STEP, *steps.detach()))]
        return names, weights, [_RoundTo.apply(self.tensor(name + ".bias"), unit) for name, unit in zip(names, units)]

    def equalisation(self):
        """name of inner tensor -> scale of each channel, as the library takes them."""
        return dict(zip(inner_tensors(self.m), self.scales.tolist()))

    def set_ranges(self, ranges):
        """ranges: name -> (min, max), as the library makes scale and zero point of them."""
        with torch.no_grad():
            for i, name in enumerate(inner_tensors(self.m)):
                low, high = min(ranges[name][0], 0), max(ranges[name][1], 0)
                self.log_steps[i] = math.log((high - low) / STEPS)
                self.zeros[i] = round(QMIN - low / ((high - low) / STEPS))

    def ranges(self):
        """name -> (min, max) from which the library makes these steps and zero points."""
        out = {"x": INPUT_RANGE}
        for i, name in enumerate(inner_tensors(self.m)):
            step, zero = float(self.log_steps[i].detach().exp()), self.zero(i)
            out[name] = (step * (QMIN - zero), step * (QMAX - zero))
        return out

    def zero(self, i):
        return int(torch.round(self.zeros[i].detach()).clamp(QMIN, QMAX))

    def forward(self, x, compiled=True):
        slopes = [self.tensor(f"blocks.{i}.slope") for i in range(self.m)]
        fine = [name in self.fine for name in inner_tensors(self.m)]
        # All of luma is within reach.
        centred = (x * (FINE / INPUT_STEP)).round() * (INPUT_STEP / FINE) - 0.5
        # The gradients of step and zero point are sums over all values: scaled down as in LSQ (Esser et al. 2020, section 2.2).
        factor = (x.numel() * len(slopes[0]) * QMAX) ** -0.5
        steps, zeros = (_ScaleGradient.apply(t, factor) for t in (self.log_steps.exp(), self.zeros))
        names, weights, biases = self.rounded(steps)
        counts = torch.tensor([FINE if f else 1.0 for f in fine])
        if compiled and torch.is_grad_enabled() and fast.available(x, len(slopes[0])):
            return upscale_cells(fast.trunk(centred, weights, biases, slopes, int8=(steps, zeros, self.skip, counts)) + x, self.scale)

        def conv(i, t):
            # In training eighths meet the weights themselves: the difference counts for nothing but which way a tie goes.
            if not torch.is_grad_enabled() and (i == 0 or fine[i - 1]):
                if i == 0:
                    return convolve_parts(*parts(x, INPUT_STEP, INPUT_ZERO, CENTRED_ZERO), INPUT_STEP, weights[i], biases[i])
                return convolve_parts(*parts(t, steps[i - 1], self.zero(i - 1)), steps[i - 1], weights[i], biases[i])
            weight = weights[i].contiguous(memory_format=torch.channels_last)
            return F.conv2d(t, weight, biases[i], padding=weight.shape[-1] // 2)

        start = t = _Round.apply(conv(0, centred), steps[0], zeros[0], fine[0])
        for i, slope in enumerate(slopes):
            t = F.prelu(conv(i + 1, t), slope)
            t = t + start * self.skip.view(1, -1, 1, 1) if i == self.m - 1 else t
            t = _Round.apply(t, steps[i + 1], zeros[i + 1], fine[i + 1])
        return upscale_cells(conv(self.m + 1, t) + x, self.scale)

    def inner_values(self, x):
        """Unrounded inner tensors of an input [1, 1, H, W], by name: [channels, values] each."""
        def conv(name, t):
            weight = self.tensor(name + ".weight")
            return F.conv2d(t, weight, self.tensor(name + ".bias"), padding=weight.shape[-1] // 2)

        with torch.no_grad():
            start = t = conv("first", x - 0.5)
            seen = [start]
            for i in range(self.m):
                t = F.prelu(conv(f"blocks.{i}", t), self.tensor(f"blocks.{i}.slope"))
                t = t + start * self.skip.view(1, -1, 1, 1) if i == self.m - 1 else t
                seen.append(t)
        return {name: values[0].flatten(1) for name, values in zip(inner_tensors(self.m), seen)}

    def observe(self, inputs):
        """Name of inner tensor -> (min, max) of each channel."""
        out = {}
        for x in inputs:
            for name, values in self.inner_values(x).items():
                low, high = values.amin(1), values.amax(1)
                if name in out:
                    low, high = torch.minimum(low, out[name][0]), torch.maximum(high, out[name][1])
                out[name] = (low, high)
        return out

    def limited(self, inputs, seen):
        """`seen` (min, max) of each channel, cut where the errors of rounding and of limiting are least together.

        Activations have long tails, of 20 to 60 standard deviations: steps that reach all of them are too wide for the rest.
        """
        reach = {name: torch.maximum(-low, high) for name, (low, high) in seen.items()}
        lost = {name: torch.zeros(len(CUTS), len(r)) for name, r in reach.items()}
        for x in inputs:
            for name, values in self.inner_values(x).items():
                for k, cut in enumerate(CUTS):
                    beyond = (values.abs() - cut * reach[name][:, None]).clamp(min=0)
                    lost[name][k] += beyond.square().mean(1) / len(inputs)
        out, cuts = {}, torch.tensor(CUTS)
        for name, (low, high) in seen.items():
            rounding = (2 * cuts[:, None] * reach[name] / STEPS).square() / 12
            limit = cuts[(lost[name] + rounding).argmin(0)] * reach[name]
            out[name] = (torch.maximum(low, -limit), torch.minimum(high, limit))
        return out

    def equalise(self, seen, exponents=None, smallest=1 / 32):
        """Cross-layer equalisation (Nagel et al. 2019, section 4.1): channels are stored so that all reach equally far -> what divides them.

        `first` and `features`, which are summed, have scales of their own: see `skip`.
        """
        scales = {}
        for name, (low, high) in seen.items():
            reach = torch.maximum(-low, high).clamp(min=1e-9)
            scales[name] = (reach / reach.max()).clamp(min=smallest) ** (exponents or {}).get(name, 1)
        own = equalised(self.tensors(), {name: s.double().tolist() for name, s in scales.items()})
        with torch.no_grad():
            for name, tensor in own.items():
                self.tensor(name).copy_(tensor)
            self.scales.mul_(torch.stack(list(scales.values())))
        return scales

    def prepared(self, seen, exponents):
        """Equalises, and sets the ranges to what was seen."""
        scales = self.equalise(seen, exponents)
        self.set_ranges({name: (float((low / scales[name]).min()), float((high / scales[name]).max()))
                         for name, (low, high) in seen.items()})
        return self

    def calibrate(self, inputs):
        """Equalises, and sets the ranges to what occurs, rare values apart.

        Channels that all reach equally far may make the weights that read them too unlike for one step an output: tensor by tensor, from
        the last, the exponent of the scales is taken by which rounding everything costs least.
        """
        seen = self.limited(inputs, self.observe(inputs))
        tensors = self.tensors()
        unrounded = CollapsedSesr(tensors)

        def noise(exponents):
            trial = Int8Sesr(tensors, self.fine).prepared(seen, exponents)
            with torch.no_grad():
                return sum(float((trial(x) - unrounded(x)).square().mean()) for x in inputs[::NOISE_INPUTS])

        exponents = {}
        least = noise(exponents)
        for name in reversed(inner_tensors(self.m)):
            for exponent in EXPONENTS:
                found = noise({**exponents, name: exponent})
                if found < least:
                    least, exponents = found, {**exponents, name: exponent}
        self.prepared(seen, exponents)


def write_calibration(path, model, facts):
    """What the library needs beside the natural weights, as JSON."""
    ranges = {name: {"min": low, "max": high} for name, (low, high) in model.ranges().items()}
    equalisation = {name: [float(f"{s:.9g}") for s in scales] for name, scales in model.equalisation().items()}
    fine = {"fine": list(model.fine)} if model.fine else {}
    path.write_text(json.dumps({**facts, **fine, "ranges": ranges, "equalisation": equalisation}, indent=2) + "\n")


def read_int8(folder, stem):
    """-> natural tensors, ranges, channel scales and names of fine tensors of a network that `train_int8.py` has written."""
    calibration = json.loads((folder / f"{stem}.calibration.json").read_text())
    ranges = {name: (r["min"], r["max"]) for name, r in calibration["ranges"].items()}
    tensors = read_safetensors(folder / f"{stem}.int8.safetensors")[0]
    return tensors, ranges, calibration["equalisation"], calibration.get("fine", ())


class IntegerSesr:
    """The library's int8 network from collapsed tensors, ranges and scales of channels, in integers and binary32: equal bit for bit.

    Convolutions are summed in float64, which holds these integers exactly in any order.
    """

    def __init__(self, tensors, ranges, equalisation=None, fine=()):
        scales = equalisation or {}
        self.fine = ("x", *fine)
        tensors = equalised(tensors, scales)
        self.m = sum(name.endswith(".slope") for name in tensors)
        self.scale = int(tensors["last.bias"].numel() ** 0.5)
        tensors = {name: tensor.detach().numpy() for name, tensor in tensors.items()}
        self.params = {"x": (INPUT_STEP, INPUT_ZERO), "cells": (1.0, 0)}
        for name in inner_tensors(self.m):
            low, high = min(ranges[name][0], 0.0), max(ranges[name][1], 0.0)
            step = (high - low) / STEPS
            self.params[name] = (step, int(np.rint(QMIN - low / step)))
        names = inner_tensors(self.m)
        ones = np.ones(len(tensors["first.bias"]))
        skip = (np.array(scales.get("first", ones)) / np.array(scales.get("features", ones))).astype(np.float32)
        self.layers = [self._layer(tensors, "first", "x", "first")]
        for i in range(self.m):
            self.layers.append(self._layer(tensors, f"blocks.{i}", names[i], names[i + 1], skip if i == self.m - 1 else None))
        self.layers.append(self._layer(tensors, "last", "features", "cells"))

    def _layer(self, tensors, name, source, target, skip=None):
        step_in, step_out = self.params[source][0], 1.0 if target in self.fine else self.params[target][0]
        weight, bias = tensors[name + ".weight"].astype(np.float64), tensors[name + ".bias"].astype(np.float64)
        largest = np.abs(weight).reshape(len(weight), -1).max(1)
        floor = np.maximum(np.abs(bias) / (step_in * BIAS_LIMIT), 2.0 ** -60 * step_out / step_in)
        steps = np.maximum(largest / WEIGHT_MAX, floor).astype(np.float32)
        steps[steps == 0] = 1
        wide = steps.astype(np.float64)
        quantised = np.clip(np.rint(weight / wide.reshape(-1, 1, 1, 1)), -WEIGHT_MAX, WEIGHT_MAX)
        multipliers = (step_in * wide / step_out).astype(np.float32)
        if source in self.fine:  # levels and eighths of every channel
            quantised = np.concatenate([quantised, np.rint(quantised / FINE)], 1)
        slope = tensors.get(name + ".slope")
        return {"source": source, "target": target,
                "weight": torch.from_numpy(quantised), "bias": torch.from_numpy(np.rint(bias / (step_in * wide))),
                "multiplier": torch.from_numpy(multipliers),
                "negative": None if slope is None else torch.from_numpy(multipliers * slope.astype(np.float32)),
                "skip": None if skip is None else
                torch.from_numpy((self.params["first"][0] * skip.astype(np.float64) / step_out).astype(np.float32))}

    def run(self, luma):
        """luma float32 [H, W] in 0..255 -> luma float32 [sH, sW]."""
        x = torch.from_numpy(luma.astype(np.float32) * np.float32(1 / PEAK))[None, None]
        values = {"x": x}  # of int8 tensors less the zero point
        for layer in self.layers:
            source = values[layer["source"]]
            if layer["source"] in self.fine:
                read_zero = CENTRED_ZERO if layer["source"] == "x" else None
                source = torch.cat(parts(source, *self.params[layer["source"]], read_zero), 1).double()
            weight = layer["weight"]
            acc = F.conv2d(source, weight, layer["bias"], padding=weight.shape[-1] // 2)
            column = (1, -1, 1, 1)
            factors = layer["multiplier"].view(column)
            if layer["negative"] is not None:
                factors = torch.where(acc < 0, layer["negative"].view(column), factors)
            result = acc.float() * factors
            if layer["skip"] is not None:
                result = result + values["first"].float() * layer["skip"].view(column)
            if layer["target"] == "cells":
                return (upscale_cells((result + x).clamp(0, 1), self.scale)[0, 0] * float(PEAK)).numpy()
            zero = self.params[layer["target"]][1]
            values[layer["target"]] = result if layer["target"] in self.fine else result.round().double().clamp(QMIN - zero, QMAX - zero)
