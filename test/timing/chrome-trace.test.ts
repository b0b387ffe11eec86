import { describe, expect, test } from "vitest";
import { buildModel } from "../../src/models/registry.ts";
import { chromeTrace } from "../../src/timing/chrome-trace.ts";
import { device } from "../../src/timing/devices/registry.ts";
import { trace } from "../../src/timing/simulate.ts";

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** What of a schema the trace-event format needs: types, required and known fields, constants, alternatives by a field. */
type Schema =
  | { type: "string" | "integer"; minimum?: number }
  | { type: "number"; minimum: number }
  | { const: string | number }
  | { enum: readonly string[] }
  | { type: "array"; items: Schema }
  | { type: "object"; required: Readonly<Record<string, Schema>>; others?: Schema }
  | { by: string; cases: Readonly<Record<string, Schema>> };

/** The first thing that does not fit, or undefined. */
function fault(schema: Schema, value: Json | undefined, path = "$"): string | undefined {
  if ("const" in schema) return value === schema.const ? undefined : `${path}: expected ${schema.const}`;
  if ("enum" in schema) return schema.enum.includes(value as string) ? undefined : `${path}: expected ${schema.enum}`;
  if ("by" in schema) {
    const key = (value as { [key: string]: Json } | undefined)?.[schema.by] as string;
    return schema.cases[key] ? fault(schema.cases[key], value, path) : `${path}.${schema.by}: unknown ${key}`;
  }
  if (schema.type === "array") {
    if (!Array.isArray(value)) return `${path}: expected an array`;
    for (const [i, item] of value.entries()) {
      const found = fault(schema.items, item, `${path}[${i}]`);
      if (found) return found;
    }
    return undefined;
  }
  if (schema.type === "object") {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return `${path}: expected an object`;
    for (const key of Object.keys(schema.required)) if (!(key in value)) return `${path}: lacks ${key}`;
    for (const [key, field] of Object.entries(value)) {
      const its = schema.required[key] ?? schema.others;
      const found = its ? fault(its, field, `${path}.${key}`) : `${path}: unknown field ${key}`;
      if (found) return found;
    }
    return undefined;
  }
  if (schema.type === "string") return typeof value === "string" && value !== "" ? undefined : `${path}: expected text`;
  const fits = typeof value === "number" && Number.isFinite(value) && value >= (schema.minimum ?? value);
  if (!fits || (schema.type === "integer" && !Number.isInteger(value))) return `${path}: expected a ${schema.type}`;
  return undefined;
}

const text = { type: "string" } as const;
const id = { type: "integer", minimum: 0 } as const;
const time = { type: "number", minimum: 0 } as const;
const scalar = { type: "number", minimum: 0 } as const;

const metadata = (args: Readonly<Record<string, Schema>>): Schema => ({
  type: "object",
  required: { ph: { const: "M" }, name: text, pid: id, tid: id, args: { type: "object", required: args } },
});

/** After "Trace Event Format" of the Chromium project: the object form with complete, counter and metadata events. */
const TRACE: Schema = {
  type: "object",
  required: {
    displayTimeUnit: { enum: ["ms", "ns"] },
    otherData: {
      type: "object",
      required: { network: text, device: text, mode: { enum: ["event", "analytic"] }, clockHz: scalar, cycles: scalar },
    },
    traceEvents: {
      type: "array",
      items: {
        by: "ph",
        cases: {
          X: {
            type: "object",
            required: {
              ph: { const: "X" },
              name: text,
              cat: text,
              pid: id,
              tid: id,
              ts: time,
              dur: time,
              args: {
                by: "layer",
                cases: new Proxy({} as Record<string, Schema>, {
                  get: (_, layer) =>
                    layer === "undefined"
                      ? { type: "object", required: { operation: text, cycles: scalar, bound: text, why: text } }
                      : {
                          type: "object",
                          required: { layer: text, busyCycles: scalar, pieces: { type: "integer", minimum: 1 } },
                        },
                }),
              },
            },
          },
          C: {
            type: "object",
            required: {
              ph: { const: "C" },
              name: text,
              pid: id,
              ts: time,
              args: { type: "object", required: { bytes: scalar } },
            },
          },
          M: {
            by: "name",
            cases: {
              process_name: metadata({ name: text }),
              thread_name: metadata({ name: text }),
              thread_sort_index: metadata({ sort_index: id }),
            },
          },
        },
      },
    },
  },
};

describe.each([
  ["mobilenet-v2", [224, 224], "ethos-u55-128", "event"],
  ["resnet18", [224, 224], "ethos-u65-512", "event"],
  ["sesr-m5", [1080, 1920], "ethos-n78-4tops-4ple", "event"],
  ["resnet20-cifar", [32, 32], "ethos-u55-256", "analytic"],
] as const)("the trace of %s at %j on %s, %s mode", (model, input, target, mode) => {
  const traced = trace(buildModel(model), device(target), { input, mode });
  const json = JSON.parse(JSON.stringify(chromeTrace(traced)));
  const { total, layers, clockHz } = traced.report;
  // biome-ignore lint/suspicious/noExplicitAny: events looked into by the assertions
  const slices: any[] = json.traceEvents.filter(({ ph }: { ph: string }) => ph === "X");

  test("is well formed", () => {
    expect(fault(TRACE, json)).toBeUndefined();
    expect(fault(TRACE, { ...json, traceEvents: [{ ...slices[0], dur: -1 }] })).toMatch(/dur: expected a number/);
  });

  test("has a named thread for each resource, whose slices do not overlap", () => {
    const names = json.traceEvents.filter(({ name }: { name: string }) => name === "thread_name");
    const threads = new Set(slices.map(({ tid }) => tid));
    expect(new Set(names.map(({ tid }: { tid: number }) => tid))).toEqual(threads);
    expect(threads.size).toBe(1 + Object.keys(total.cyclesByResource).length);
    for (const tid of threads) {
      let end = 0;
      for (const { ts, dur } of slices.filter((slice) => slice.tid === tid)) {
        expect(ts).toBeGreaterThanOrEqual(end * (1 - 1e-9) - 1e-6);
        end = ts + dur;
      }
    }
  });

  test("adds up: layers to the time, every resource to its busy cycles, and no slice is busier than it is long", () => {
    const time = slices.filter(({ cat }) => cat === "layer").reduce((sum, { dur }) => sum + dur, 0);
    expect(time / (total.ms * 1000)).toBeCloseTo(1, 6);
    for (const [resource, cycles] of Object.entries(total.cyclesByResource)) {
      const its = slices.filter(({ cat }) => cat === resource);
      expect(its.reduce((sum, { args }) => sum + args.busyCycles, 0) / cycles, resource).toBeCloseTo(1, 6);
      for (const { dur, args } of its) expect(args.busyCycles).toBeLessThanOrEqual((dur * clockHz) / 1e6 + 1e-3);
    }
    const known = new Set(layers.map(({ name }) => name));
    for (const { args, cat } of slices) if (cat !== "layer") expect(known).toContain(args.layer);
  });

  test("counts the SRAM where the device's model knows it", () => {
    const counts = json.traceEvents.filter(({ ph }: { ph: string }) => ph === "C");
    const known = mode === "event" && total.sramPeakBytes !== null;
    expect(counts.length).toBe(known ? layers.length + 1 : 0);
    if (known) {
      const most = Math.max(...counts.map(({ args }: { args: { bytes: number } }) => args.bytes));
      expect(most).toBe(total.sramPeakBytes);
    }
  });
});
