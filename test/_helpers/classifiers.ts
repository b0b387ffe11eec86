/** Every classification network with its counts to the last digit, computed from the architectures and as published where that is known. */

/** Parameters and MACs at 224x224, at 32x32 of the CIFAR networks. */
export const CLASSIFIERS: readonly [id: string, params: number, macs: number][] = [
  ["ran-e-gt", 4_486_680, 434_395_808],
  ["ran-e-c", 4_634_872, 489_172_320],
  ["efficientnet-lite0", 4_652_008, 385_187_552],
  ["efficientnet-lite0-hswish", 4_652_008, 385_187_552],
  ["resnet18", 11_689_512, 1_814_073_344],
  ["mobilenet-v2", 3_504_872, 300_774_272],
  ["repvgg-a0", 8_309_384, 1_361_451_008],
  ["convnext-t", 28_589_128, 4_455_531_264],
  ["convnext-s", 50_223_688, 8_683_712_256],
  ["convnext-b", 88_591_464, 15_354_729_472],
  ["ran-i-t", 20_760_131, 3_284_745_947],
  ["ran-i-s", 28_932_376, 4_576_926_994],
  ["ran-i-b", 52_889_769, 8_428_689_053],
  ["deit-ti", 5_717_416, 1_253_683_200],
  ["deit-s", 22_050_664, 4_598_882_304],
  ["deit-b", 86_567_656, 17_563_828_224],
  ["xcit-n12", 3_053_224, 550_952_448],
  ["xcit-t12", 6_716_272, 1_230_138_624],
  ["xcit-s12", 26_253_304, 4_795_832_832],
  ["resnet20-cifar", 269_722, 40_551_040],
  ["resnet56-cifar", 853_018, 125_485_696],
];
