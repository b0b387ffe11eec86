import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type Job,
  NO_WORK,
  type Phase,
  type Piece,
  type Program,
  type Work,
} from "../../../src/timing/event/program.ts";
import { type Outcome, run } from "../../../src/timing/event/run.ts";

const UNLIMITED = Number.POSITIVE_INFINITY;
const LANES = ["dmaIn", "mac", "output", "dmaOut", "sram", "weightStream", "weightDma"] as const;
const SRAM = 4;

const unit = (lane: number, cycles: number, latency = 0): Work => ({ parts: [{ lane, cycles }], latency });
const transfer = (lane: number, direction: "read" | "write", bytes: number, latency = 0): Work => ({
  parts: [{ lane, port: 0, memory: SRAM, direction, bytes }],
  latency,
});

function job(layer: number, piece: Piece, blocks: number, rest: Partial<Job> = {}): Job {
  const slots = [UNLIMITED, UNLIMITED, UNLIMITED];
  return { layer, block: [piece], blocks, slots, halo: [0, 0, 0], overlap: UNLIMITED, starts: [], needs: 0, ...rest };
}

/** Four stages in a row over one port. */
function program(phases: readonly Phase[], port: Partial<Program["machine"]["ports"][0]> = {}): Program {
  const layers = [...new Set(phases.flatMap(({ jobs }) => jobs.map(({ layer }) => layer)))].sort((a, b) => a - b);
  return {
    machine: {
      lanes: LANES,
      ports: [{ bytesPerCycle: 8, duplex: false, readLimit: UNLIMITED, writeLimit: UNLIMITED, ...port }],
      stages: 4,
      edges: [
        { from: 0, to: 1 },
        { from: 1, to: 2 },
        { from: 2, to: 3 },
      ],
      gate: 1,
    },
    layers: layers.map((layer) => `layer${layer}`),
    phases,
  };
}

const once = (...jobs: Job[]): Program => program(jobs.map((one) => ({ jobs: [one], rounds: 1 })));
const cycles = fc.integer({ min: 0, max: 400 }).map((quarters) => quarters / 4);
const close = (a: number, b: number): void => expect(Math.abs(a - b)).toBeLessThanOrEqual(1e-6 * Math.max(1, b));

describe("limits", () => {
  it("units alone with slots without end take max * blocks + min", () => {
    fc.assert(
      fc.property(cycles, cycles, fc.integer({ min: 1, max: 400 }), fc.boolean(), (mac, output, blocks, compress) => {
        const piece = [NO_WORK, unit(1, mac), unit(2, output), NO_WORK];
        const result = run(once(job(0, piece, blocks)), { compress });
        expect(result.cycles).toBe(Math.max(mac, output) * blocks + Math.min(mac, output));
      }),
    );
  });

  it("four stages with slots without end take the longest for each block but one, and once all", () => {
    fc.assert(
      fc.property(fc.tuple(cycles, cycles, cycles, cycles), fc.integer({ min: 1, max: 200 }), (each, blocks) => {
        const piece = each.map((c, lane) => unit(lane, c));
        const longest = Math.max(...each);
        close(run(once(job(0, piece, blocks))).cycles, (blocks - 1) * longest + each.reduce((a, b) => a + b));
      }),
    );
  });

  it("one slot lets nothing overlap", () => {
    fc.assert(
      fc.property(cycles, cycles, fc.integer({ min: 1, max: 200 }), (first, second, blocks) => {
        const piece = [unit(0, first), unit(1, second), NO_WORK, NO_WORK];
        close(run(once(job(0, piece, blocks, { slots: [1, 1, 1] }))).cycles, blocks * (first + second));
      }),
    );
  });

  it("two slots hide latency up to what two blocks compute", () => {
    const piece = (latency: number): Piece => [transfer(0, "read", 80, latency), unit(1, 100), NO_WORK, NO_WORK];
    const total = (latency: number): number => run(once(job(0, piece(latency), 50, { slots: [2, 2, 2] }))).cycles;
    // 10 cycles to transfer: one block computes while another comes.
    close(total(90), 10 + 90 + 50 * 100);
    // A block's slot is taken for 10 + 490 + 100 cycles, and there are two.
    close(total(490), 500 + 100 + 24 * 600 + 100);
  });
});

describe("ports", () => {
  it("reads and writes share the rate, and each keeps to what its requests in flight allow", () => {
    const piece = [transfer(0, "read", 800), NO_WORK, NO_WORK, transfer(3, "write", 400)];
    const total = (port: Partial<Program["machine"]["ports"][0]>): number =>
      run(program([{ jobs: [job(0, piece, 100)], rounds: 1 }], port)).cycles;
    close(total({}), (100 * 1200) / 8);
    close(total({ duplex: true }), (100 * 800) / 8 + 400 / 8);
    close(total({ readLimit: 2, writeLimit: 2 }), (100 * 800) / 2 + 400 / 2);
  });
});

describe("halos", () => {
  it("a block that needs its neighbour waits for it, and three slots leave no room for another", () => {
    const piece = [unit(0, 10), unit(1, 30), NO_WORK, NO_WORK];
    const total = (slots: number): number =>
      run(once(job(0, piece, 20, { slots: [slots, 9, 9], halo: [1, 0, 0] }))).cycles;
    close(total(4), 20 + 20 * 30);
    // The first three stripes find room at once; from then on each waits until the one before the last is used.
    close(total(3), 20 + 20 * 30 + 17 * 10);
  });
});

describe("jobs", () => {
  const piece = [unit(0, 10), unit(1, 30), unit(2, 20), unit(3, 5, 50)];
  it("one that depends on all of the one before begins after it, latency and all", () => {
    close(run(once(job(0, piece, 3), job(1, piece, 3, { overlap: 0 }))).cycles, 2 * (10 + 3 * 30 + 20 + 5 + 50));
  });

  it("the time of all layers is the network's", () => {
    const { layers, cycles: total } = run(once(job(0, piece, 30), job(1, piece, 5, { overlap: 2 }), job(2, piece, 9)));
    close(
      layers.reduce((sum, layer) => sum + layer.cycles, 0),
      total,
    );
  });

  it("copies come ahead of use, and what is not there in time is waited for", () => {
    const copy = { layer: 1, parts: [{ lane: 3, cycles: 200 }], latency: 40 };
    const total = (blocks: number): Outcome =>
      run(
        once(
          job(0, [NO_WORK, unit(1, 10), NO_WORK, NO_WORK], blocks, { starts: [copy] }),
          job(1, [NO_WORK, unit(1, 10), NO_WORK, NO_WORK], 1, { needs: 1 }),
        ),
      );
    close(total(100).cycles, 1010);
    expect(total(100).layers[1]!.waitsForWeights).toBe(0);
    close(total(10).cycles, 250);
    close(total(10).layers[1]!.waitsForWeights, 140);
  });
});

/** Anything: pieces of random work with few slots, halos, loops and copies. */
const works = fc.record({
  input: fc.integer({ min: 0, max: 600 }),
  mac: fc.integer({ min: 0, max: 90 }),
  stream: fc.integer({ min: 0, max: 300 }),
  output: fc.integer({ min: 0, max: 90 }),
  written: fc.integer({ min: 0, max: 600 }),
  latency: fc.constantFrom(0, 7, 100),
});
const jobs = fc.record({
  block: fc.array(works, { minLength: 1, maxLength: 3 }),
  blocks: fc.integer({ min: 1, max: 60 }),
  slots: fc.tuple(fc.integer({ min: 3, max: 5 }), fc.integer({ min: 1, max: 3 }), fc.constantFrom(1, 2, UNLIMITED)),
  halo: fc.constantFrom(0, 1),
  overlap: fc.constantFrom(0, 1, 3),
  copied: fc.constantFrom(0, 0, 500, 20_000),
});
const programs = fc
  .array(fc.record({ jobs: fc.array(jobs, { minLength: 1, maxLength: 3 }), rounds: fc.integer({ min: 1, max: 25 }) }), {
    minLength: 1,
    maxLength: 3,
  })
  .map((phases) => {
    let layer = 0;
    let copies = 0;
    return phases.map(({ jobs: list, rounds }) => ({
      rounds,
      jobs: list.map(({ block, blocks, slots, halo, overlap, copied }, i) => {
        // What this job starts to copy is needed by the one after it, or by nobody: then it goes on beside.
        const needs = copies;
        const copy = { layer, latency: 9, parts: [{ ...transfer(6, "read", copied).parts[0]!, lane: 6 }] };
        const starts = copied > 0 && rounds === 1 ? [copy] : [];
        copies += starts.length;
        return job(layer++, [NO_WORK, NO_WORK, NO_WORK, NO_WORK], blocks, {
          starts,
          needs: i % 2 === 0 ? needs : 0,
          block: block.map(({ input, mac, stream, output, written, latency }) => [
            transfer(0, "read", input, latency),
            {
              parts: [
                { lane: 1, cycles: mac },
                { lane: 5, port: 0, memory: SRAM, direction: "read", bytes: stream },
              ],
              latency: 0,
            },
            unit(2, output),
            transfer(3, "write", written, latency),
          ]),
          slots,
          halo: [halo, 0, 0],
          overlap,
        });
      }),
    }));
  });

describe("repeated iterations", () => {
  it("that are left out change no figure", () => {
    fc.assert(
      fc.property(programs, (phases) => {
        const whole = run(program(phases), { compress: false });
        const short = run(program(phases), { compress: true });
        close(short.cycles, whole.cycles);
        for (const [i, layer] of whole.layers.entries()) {
          close(short.layers[i]!.cycles, layer.cycles);
          close(short.layers[i]!.waitsForMemory, layer.waitsForMemory);
          for (const [lane, busy] of layer.busy.entries()) close(short.layers[i]!.busy[lane]!, busy);
        }
        expect(short.events).toBeLessThanOrEqual(whole.events);
      }),
      { numRuns: 150 },
    );
  });

  it("are drawn so that slices add up to the counts, in order, none over another", () => {
    fc.assert(
      fc.property(programs, (phases) => {
        const { lanes, layers, cycles: total } = run(program(phases), { drawn: true });
        for (const { resource, slices } of lanes) {
          const lane = LANES.indexOf(resource as (typeof LANES)[number]);
          let end = 0;
          for (const { start, cycles: length, busy } of slices) {
            expect(start).toBeGreaterThanOrEqual(end - 1e-6 * total);
            expect(busy).toBeLessThanOrEqual(length + 1e-6 * total);
            end = start + length;
          }
          expect(end).toBeLessThanOrEqual(total * (1 + 1e-9) + 1e-6);
          const drawn = slices.reduce((sum, { busy }) => sum + busy, 0);
          close(
            drawn,
            layers.reduce((sum, { busy }) => sum + busy[lane]!, 0),
          );
        }
      }),
      { numRuns: 150 },
    );
  });

  it("make a million blocks cost a few", () => {
    const piece = [transfer(0, "read", 800, 32), unit(1, 120), unit(2, 60), transfer(3, "write", 200, 32)];
    const { events, cycles: total } = run(once(job(0, piece, 1_000_000, { slots: [2, 2, 2] })));
    expect(events).toBeLessThan(200);
    expect(total).toBeGreaterThan(120e6);
  });
});
