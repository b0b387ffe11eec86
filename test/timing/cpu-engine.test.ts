import { expect, test } from "vitest";
import { compile } from "../../src/engine/compile.ts";
import { buildModel } from "../../src/models/registry.ts";
import { prepare } from "../../src/network/passes/prepare.ts";
import { quantise } from "../../src/quantization/quantise.ts";
import { lowerForCpu } from "../../src/timing/cpu/lower.ts";
import { randomModel } from "../network/random-model.ts";

test.each([
  ["sesr-m3", "int8", [90, 160]],
  ["sesr-m3", "f32", [90, 160]],
  ["fsrcnn", "int8", [60, 100]],
  ["resnet20-cifar", "int8", [32, 32]],
  ["mobilenet-v2", "f32", [64, 64]],
  ["mobilenet-v2", "int8", [64, 64]],
  ["ran-e-gt", "int8", [96, 96]],
  ["xcit-n12", "f32", [64, 64]],
  ["xcit-n12", "int8", [64, 64]],
  ["deit-ti", "int8", [224, 224]],
  ["convnext-t", "int8", [64, 64]],
] as const)("%s in %s: the kernels, strips and arena that the engine has", async (id, precision, input) => {
  const model = randomModel(buildModel(id));
  const ranges = Object.fromEntries(prepare(model).network.layers.map(({ name }) => [name, { min: -4, max: 4 }]));
  const compiled = await compile(precision === "int8" ? quantise(model, ranges) : model);
  const plan = compiled.createPlan(input[0], input[1]);
  const lowered = lowerForCpu(model.network, input, { precision });
  expect(lowered.network).toEqual(compiled.network);
  const kernels = (found: Iterable<readonly [string, { readonly kernel: string }]>) =>
    Object.fromEntries([...found].map(([name, { kernel }]) => [name, kernel]));
  expect(kernels(lowered.convolutions)).toEqual(kernels(compiled.algorithms));
  expect(lowered.schedule.strips.strips.length).toBe(plan.strips);
  expect(lowered.schedule.layout.bytes).toBe(plan.arenaBytes);
  plan.dispose();
  compiled.dispose();
});
