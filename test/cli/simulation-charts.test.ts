import { describe, expect, test } from "vitest";
import { ganttChart } from "../../src/cli/gantt-chart.ts";
import { rooflineChart } from "../../src/cli/roofline-chart.ts";
import { buildModel } from "../../src/models/registry.ts";
import { device } from "../../src/timing/devices/registry.ts";
import { memoryRates, peakOf, trace } from "../../src/timing/simulate.ts";

/** Numbers of an attribute, in order. */
const numbers = (svg: string, element: string, attribute: string): number[] =>
  [...svg.matchAll(new RegExp(`<${element} [^>]*?\\b${attribute}="([^"]+)"`, "g"))].map((m) => Number(m[1]));

describe.each([
  ["mobilenet-v2", "ethos-u55-128", "event"],
  ["resnet18", "ethos-u65-512", "analytic"],
  ["resnet18", "ethos-n78-4tops-4ple", "event"],
] as const)("%s on %s, %s mode", (model, id, mode) => {
  const target = device(id);
  const traced = trace(buildModel(model), target, { input: [224, 224], mode });

  test("what happens when: a row a resource, all within the picture, small enough to open", () => {
    const svg = ganttChart(traced, "a test");
    expect(svg).not.toMatch(/NaN|undefined|Infinity/);
    for (const { title } of traced.timeline.lanes) expect(svg).toContain(`>${title}</text>`);
    const [width, height] = [numbers(svg, "svg", "width")[0]!, numbers(svg, "svg", "height")[0]!];
    const [xs, widths] = [numbers(svg, "rect", "x"), numbers(svg, "rect", "width")];
    for (const [i, x] of xs.entries()) expect(x + widths[i]!).toBeLessThanOrEqual(width);
    for (const y of numbers(svg, "rect", "y")) expect(y).toBeLessThan(height);
    expect(svg.length).toBeLessThan(400_000);
  });

  test("roofs: no layer above them, those that take longest are named", () => {
    const { macsPerCycle } = peakOf(target);
    const svg = rooflineChart(traced.report, { macsPerCycle, memories: memoryRates(target) }, "a test");
    expect(svg).not.toMatch(/NaN|undefined|Infinity/);
    const longest = [...traced.report.layers].filter(({ macs }) => macs > 0).sort((a, b) => b.cycles - a.cycles);
    for (const { name } of longest.slice(0, 3)) expect(svg).toContain(`>${name}</text>`);
    const [peak] = [...svg.matchAll(/<line [^>]*y1="([^"]+)" x2="680" y2="\1" stroke="#59636e"/g)].map((m) =>
      Number(m[1]),
    );
    // Winograd alone goes above the direct peak.
    if (target.kind === "ethos-u")
      for (const y of numbers(svg, "circle", "cy")) expect(y).toBeGreaterThanOrEqual(peak!);
  });
});
