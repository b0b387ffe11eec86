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
class Network:
    name: str
    source: str
    make: Callable
    stages: Callable  # model -> {name: module}
    params: int
    sizes: tuple
    rename: Callable = same_name  # the model's parameter name -> the documented one
    gain: float = 1.0  # keeps activations of order one through many residual sums
    check: Callable = no_check


def children(*lists):
    """Stages: the named modules themselves, or each element of a (nested) list under such a name."""
    def stages(model):
        found = {}

        def visit(name, module):
            if type(module).__name__ in ("Sequential", "ModuleList"):
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

ALL = [
    Network("resnet18", TORCHVISION, lambda: torchvision.models.resnet18(),
            children("maxpool", "layer1", "layer2", "layer3", "layer4"), 11_689_512, ((224, 224), (97, 65)), gain=0.75),
    Network("mobilenet-v2", TORCHVISION, lambda: torchvision.models.mobilenet_v2(),
            lambda m: {f"features.{i}": f for i, f in enumerate(m.features)}, 3_504_872, ((224, 224), (97, 65))),
    Network("convnext-t", TORCHVISION, convnext.convnext, convnext.stages, 28_589_128, ((224, 224), (64, 96)),
            rename=convnext.original_name),
    Network("ran-e-gt", OWN, ran_e.ran_e_gt, children("stem", "blocks", "top"), 4_486_680, ((224, 224), (96, 96)), gain=0.95),
    Network("ran-e-c", OWN, ran_e.ran_e_c, children("stem", "blocks", "top"), 4_634_872, ((224, 224), (96, 96)), gain=0.95),
    Network("efficientnet-lite0", OWN, lambda: EfficientNetLite0(nn.ReLU6()), children("stem", "blocks", "head_conv"),
            4_652_008, ((224, 224), (97, 65))),
    Network("efficientnet-lite0-hswish", OWN, lambda: EfficientNetLite0(nn.Hardswish()),
            children("stem", "blocks", "head_conv"), 4_652_008, ((224, 224), (97, 65))),
    Network("ran-i-t", TORCHVISION + ", other depths and widths", lambda: convnext.ran_i(0.666, 1.65), convnext.stages,
            20_760_131, ((224, 224), (64, 96)), rename=convnext.original_name),
    Network("ran-i-s", TORCHVISION + ", other depths and widths", lambda: convnext.ran_i(0.789, 1.65), convnext.stages,
            28_932_376, ((224, 224), (64, 96)), rename=convnext.original_name),
    Network("ran-i-b", TORCHVISION + ", other depths and widths", lambda: convnext.ran_i(0.9105, 2.3), convnext.stages,
            52_889_769, ((224, 224), (64, 96)), rename=convnext.original_name),
    Network("repvgg-a0-train", OWN, repvgg.RepVgg, repvgg.stages, 9_108_968, ((224, 224), (97, 65)), gain=0.5,
            check=repvgg.check_fusing),
    Network("repvgg-a0-deployed", OWN, lambda: repvgg.RepVgg(deployed=True), repvgg.stages, 8_309_384,
            ((224, 224), (97, 65))),
    Network("resnet20-cifar", OWN, CifarResNet, children("conv1", "layer1", "layer2", "layer3"), 269_722, ((32, 32),),
            gain=0.75),
]
