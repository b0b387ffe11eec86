"""The networks of the golden outputs, with the parameter counts that they must have."""
from dataclasses import dataclass
from typing import Callable

import torchvision
from torch import nn

import convnext
import ran_e
import repvgg
from cifar_resnet import CifarResNet
from efficientnet_lite import EfficientNetLite0


def same_name(name):
    return name


def no_check(_model):
    pass


@dataclass(frozen=True)
class InputOf:
    """Stands for what this module is given: an activation that no module of its own puts out."""
    module: nn.Module


@dataclass(frozen=True)
class Network:
    name: str
    source: str
    make: Callable
    stages: Callable  # model -> {name: module, or InputOf(module)}
    params: int
    macs: int  # at the first size
    sizes: tuple
    rename: Callable = same_name  # the model's parameter name -> the documented one
    gain: float = 1.0  # keeps activations of order one through many residual sums
    check: Callable = no_check


def with_stem(first, *lists):
    """children(*lists), and as `stem` what the module found by `first` is given: the stem behind its activation."""
    def stages(model):
        return {"stem": InputOf(first(model)), **children(*lists)(model)}
    return stages


def children(*lists):
    """Stages: the named modules themselves, or each element of a (nested) list under such a name."""
    def stages(model):
        found = {}

        def visit(name, module):
            if type(module) in (nn.Sequential, nn.ModuleList):
                for index, child in module.named_children():
                    visit(f"{name}.{index}", child)
            else:
                found[name] = module

        for name in lists:
            visit(name, getattr(model, name))
        return found
    return stages


TORCHVISION = f"torchvision {torchvision.__version__}"
OWN = "training/golden"

LARGE, ODD, WIDE, SMALL = (224, 224), (97, 65), (64, 96), (96, 96)
MIXED = (96, 65)  # SAME padding of even and odd sides: more behind than before, and the same
CONVNEXT = {"stages": convnext.stages, "rename": convnext.original_name, "sizes": (LARGE, WIDE)}
RAN_I = {"source": TORCHVISION + ", other depths and widths", **CONVNEXT}
RAN_E = {"source": OWN, "stages": children("stem", "blocks", "top"), "sizes": (LARGE, SMALL)}
LITE = {"source": OWN, "stages": with_stem(lambda m: m.blocks[0][0], "blocks"), "sizes": (LARGE, MIXED),
        "params": 4_652_008, "macs": 385_187_552}
REPVGG = {"source": OWN, "stages": repvgg.stages, "sizes": (LARGE, ODD)}

ALL = [
    Network("resnet18", TORCHVISION, lambda: torchvision.models.resnet18(), params=11_689_512, macs=1_814_073_344,
            stages=children("maxpool", "layer1", "layer2", "layer3", "layer4"), sizes=(LARGE, ODD), gain=0.75),
    Network("mobilenet-v2", TORCHVISION, lambda: torchvision.models.mobilenet_v2(), params=3_504_872, macs=300_774_272,
            stages=children("features"), sizes=(LARGE, ODD)),
    Network("convnext-t", TORCHVISION, convnext.convnext, params=28_589_128, macs=4_455_531_264, **CONVNEXT),
    Network("ran-i-t", make=lambda: convnext.ran_i(0.666, 1.65), params=20_760_131, macs=3_284_745_947, **RAN_I),
    Network("ran-i-s", make=lambda: convnext.ran_i(0.789, 1.65), params=28_932_376, macs=4_576_926_994, **RAN_I),
    Network("ran-i-b", make=lambda: convnext.ran_i(0.9105, 2.3), params=52_889_769, macs=8_428_689_053, **RAN_I),
    Network("ran-e-gt", make=ran_e.ran_e_gt, params=4_486_680, macs=434_395_808, **RAN_E),
    Network("ran-e-c", make=ran_e.ran_e_c, params=4_634_872, macs=489_172_320, gain=0.97, **RAN_E),
    Network("efficientnet-lite0", make=lambda: EfficientNetLite0(nn.ReLU6()), **LITE),
    Network("efficientnet-lite0-hswish", make=lambda: EfficientNetLite0(nn.Hardswish()), gain=0.93, **LITE),
    Network("repvgg-a0-train", make=repvgg.RepVgg, params=9_108_968, macs=1_512_581_120, gain=0.4,
            check=repvgg.check_fusing, **REPVGG),
    Network("repvgg-a0-deployed", make=lambda: repvgg.RepVgg(deployed=True), params=8_309_384, macs=1_361_451_008,
            **REPVGG),
    Network("resnet20-cifar", OWN, CifarResNet, params=269_722, macs=40_551_040, gain=0.75,
            stages=with_stem(lambda m: m.layer1[0], "layer1", "layer2", "layer3"), sizes=((32, 32),)),
]
