import { expect, it } from "vitest";
import { countLayers, detectorParts } from "../../src/detection/architecture.ts";

/** RAN-i by its widths and depths, part by part: what is left when the final norm and the classifier are taken off. */
function backboneParameters(widths: readonly number[], depths: readonly number[]): number {
  const norm = (c: number) => 2 * c;
  let params = 4 * 4 * 3 * widths[0]! + widths[0]! + norm(widths[0]!);
  for (const [stage, c] of widths.entries()) {
    const from = widths[stage - 1];
    if (from !== undefined) params += norm(from) + 2 * 2 * from * c + c;
    const depthwise = 7 * 7 * c + c;
    const pointwise = c * 4 * c + 4 * c + 4 * c * c + c;
    const layerScale = c;
    params += depths[stage]! * (depthwise + norm(c) + pointwise + layerScale);
  }
  return params;
}

const RAN_I_S = [
  [76, 151, 303, 606],
  [5, 5, 15, 5],
] as const;

it("has the parameters of the RAN-i-S detector: 47,375,330", () => {
  const { rpn, head } = detectorParts(606);
  const backbone = backboneParameters(...RAN_I_S);
  expect(backbone).toBe(28_324_164);
  expect(backbone + 2 * 606 + 607 * 1000).toBe(28_932_376); // the classifier's network
  expect(countLayers(rpn)).toBe(3_351_255);
  expect(countLayers(head)).toBe(15_699_911);
  expect(backbone + countLayers(rpn) + countLayers(head)).toBe(47_375_330);
});

it("names what every layer reads, and its inputs are that layer's outputs", () => {
  for (const [part, inputs] of [
    [detectorParts(12, 5).rpn, 12],
    [detectorParts(12, 5).head, 12 * 49],
  ] as const) {
    const outputs = new Map([["features", inputs]]);
    for (const layer of part) {
      expect(layer.inputs).toBe(outputs.get(layer.input));
      outputs.set(layer.name, layer.outputs);
    }
  }
  expect(detectorParts(606).rpn.map(({ outputs }) => outputs)).toEqual([606, 15, 60]);
  expect(detectorParts(606).head.map(({ outputs }) => outputs)).toEqual([512, 512, 91, 364]);
});

it("refuses channels and classes that are none", () => {
  expect(() => detectorParts(0)).toThrow("channels: expected a whole number from 1, got 0");
  expect(() => detectorParts(606, 1)).toThrow("classes: expected a whole number from 2, got 1");
});
