/** The simulator's timeline and trace, over every device and a network of each kind. */
import { expect, test } from "vitest";
import { timelineOf, traceOf } from "../../demo/simulate/timeline.ts";
import { buildModel, modelInfo } from "../../src/models/registry.ts";
import { device, deviceIds } from "../../src/timing/devices/registry.ts";
import { simulate } from "../../src/timing/simulate.ts";

test.each(["sesr-m5", "mobilenet-v2", "xcit-n12"])(
  "%s: spans lie one after the other, within the total, and so in the trace",
  (model) => {
    for (const id of deviceIds()) {
      const report = simulate(buildModel(model), device(id), { input: modelInfo(model).input });
      const { tracks, spans, cycles } = timelineOf(report);
      expect(new Set(spans.map(({ track }) => track))).toEqual(new Set(tracks));
      for (const track of tracks) {
        let end = 0;
        for (const span of spans.filter((one) => one.track === track)) {
          expect(span.start).toBeGreaterThanOrEqual(end - 1e-6 * cycles);
          expect(span.cycles).toBeLessThanOrEqual(span.busyCycles);
          end = span.start + span.cycles;
        }
        expect(end).toBeLessThanOrEqual(cycles * (1 + 1e-9));
      }
      const { traceEvents } = traceOf(report) as { traceEvents: { ph: string; ts: number; dur: number }[] };
      const events = traceEvents.filter(({ ph }) => ph === "X");
      expect(events.length).toBe(spans.length);
      const last = Math.max(...events.map(({ ts, dur }) => ts + dur));
      expect(last).toBeLessThanOrEqual(report.total.ms * 1000 * (1 + 1e-9));
    }
  },
);
