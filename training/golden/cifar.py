"""ResNet-20 and ResNet-56 on CIFAR-10's test pictures, decoded by libjpeg: pixels, logits, predictions, accuracy.

    python3 cifar.py --data DIR [--out DIR]

--data holds cifar10/test.tar and cifar-resnet/resnet{20,56}.safetensors. --out (default ../cache, ignored by git) gets
test-pixels.u8, test-labels.u8 and test-names.txt (see cifar_data.py) and for each network NAME-logits.f32
([10000, 10], little-endian float32) and NAME-predictions.u8.
"""
import argparse
import sys
from pathlib import Path

import torch

sys.path.append(str(Path(__file__).resolve().parents[1]))
import cifar_data  # noqa: E402
from cifar_resnet import CifarResNet  # noqa: E402
from export import read_safetensors  # noqa: E402


@torch.no_grad()
def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, type=Path)
    parser.add_argument("--out", default=cifar_data.CACHE, type=Path)
    args = parser.parse_args()
    pixels, labels = cifar_data.load(args.data / "cifar10" / "test.tar", args.out)
    mean, std = (torch.tensor(v).view(1, 3, 1, 1) for v in (cifar_data.MEAN, cifar_data.STD))
    x = (torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255 - mean) / std
    labels = torch.from_numpy(labels)
    for depth in (20, 56):
        name = f"resnet{depth}"
        model = CifarResNet(depth).eval()
        tensors, _ = read_safetensors(args.data / "cifar-resnet" / f"{name}.safetensors")
        missing, unexpected = model.load_state_dict(tensors, strict=False)
        assert not unexpected and all(m.endswith("num_batches_tracked") for m in missing), (missing, unexpected)
        logits = torch.cat([model(batch) for batch in x.split(250)])
        predictions = logits.argmax(1)
        cifar_data.write_whole(args.out / f"{name}-logits.f32", logits.numpy().astype("<f4").tobytes())
        cifar_data.write_whole(args.out / f"{name}-predictions.u8", predictions.numpy().astype("u1").tobytes())
        right = (predictions == labels).sum().item()
        print(f"{name}: {right} of {len(labels)} right, {100 * right / len(labels):.2f} %")


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
