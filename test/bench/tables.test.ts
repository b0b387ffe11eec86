/** The tables of README.md and docs/performance.md: on a small run, and that the documents are what the script writes. */
import { describe, expect, test } from "vitest";
import { standing } from "../../scripts/bench-tables/choice.ts";
import { benchDocuments } from "../../scripts/bench-tables/documents.ts";
import { type CaseResult, type PeerResults, readResults, type TimedEntry } from "../../scripts/bench-tables/results.ts";
import { milliseconds, performanceBlocks, readmeBlocks, source } from "../../scripts/bench-tables/tables.ts";
import { differing, fillBlocks } from "../../scripts/documents.ts";

const spread = (median: number) => ({ median, lower: median * 0.9, upper: median * 1.1 });
const exact = { outputs: 100, differing: 0, largest: 0 };
const close = { outputs: 100, relative: 2e-7, tolerance: 1e-4, within: true };

type Form = Pick<TimedEntry, "peer" | "kind" | "dtype" | "variant"> & { ms: number; comparison?: object };

/** A case whose ratios are those of the medians. */
function caseOf(name: string, forms: readonly Form[]): CaseResult {
  const ours = forms.filter(({ kind }) => kind === "ours");
  const entries = forms.map(
    ({ ms, comparison, ...who }): TimedEntry => ({
      ...who,
      ms: spread(ms),
      ratioToOurs: Object.fromEntries(ours.map((own) => [`${own.dtype} ${own.variant}`, spread(ms / own.ms)])),
      cpuShare: 1,
      createMs: 10,
      firstRunMs: 20,
      comparison: (comparison ?? (who.dtype === "int8" ? exact : close)) as TimedEntry["comparison"],
    }),
  );
  return { name, macs: 1e6, entries };
}

const own = (dtype: "int8" | "f32", variant: string, ms: number) =>
  ({ peer: "wasmograd", kind: "ours", dtype, variant, ms }) as const;
const wasm = (peer: string, dtype: "int8" | "f32", variant: string, ms: number, comparison?: object) =>
  ({ peer, kind: "wasm", dtype, variant, ms, ...(comparison && { comparison }) }) as const;

const LAYER = caseOf("conv3x3", [
  own("int8", "auto", 1),
  own("int8", "float ends", 0.5),
  own("f32", "auto", 8),
  own("f32", "winograd", 2),
  wasm("onnxruntime-web", "int8", "QLinear", 4.2),
  wasm("onnxruntime-web", "int8", "QDQ", 4),
  wasm("LiteRT.js", "int8", "float ends", 5, { outputs: 100, differing: 7, largest: 1 }),
  wasm("onnxruntime-web", "f32", "f32", 10),
  wasm("tfjs-wasm", "f32", "f32", 1, { ...close, relative: 0.5, within: false }),
  { peer: "onnxruntime-node", kind: "native", dtype: "int8", variant: "QDQ", ms: 0.8 },
]);

/** A case that ours cannot compute in int8; nobody was timed. */
const UNKNOWN: CaseResult = {
  name: "depthwise",
  macs: 1,
  entries: (["wasmograd", "LiteRT.js"] as const).map((peer) => {
    const kind = peer === "wasmograd" ? "ours" : "wasm";
    return { peer, kind, dtype: "int8", variant: "auto", skipped: "wasmograd: no such kernel" };
  }),
};

function run(runtime: string, cases: readonly CaseResult[]): PeerResults {
  return {
    machine: {
      cpu: "A Processor",
      cores: 2,
      flags: ["avx2"],
      pinnedTo: 1,
      runtime,
      v8: "11.3",
      date: "2026-11-26",
      commit: "0123456789ab",
    },
    versions: { wasmograd: "0.1.0", "onnxruntime-web": "1.30.0" },
    settings: { rounds: 21, leastMs: 60, warmMs: 1000 },
    cases,
  };
}

describe("what stands in a table", () => {
  test("the fastest form of each, ours never with float ends, and nothing that computed another layer", () => {
    const int8 = standing(LAYER, "int8")!;
    expect([int8.own.variant, int8.wasm!.variant, int8.native!.peer]).toEqual(["auto", "QDQ", "onnxruntime-node"]);
    const f32 = standing(LAYER, "f32")!;
    expect([f32.own.variant, f32.wasm!.peer, f32.native]).toEqual(["winograd", "onnxruntime-web", undefined]);
  });

  test("nothing of int8 outside the tolerance of its case", () => {
    const wrong = { outputs: 100, differing: 90, largest: 120, tolerance: 16, within: false };
    const peers = [
      wasm("onnxruntime-web", "int8", "QDQ", 1, wrong),
      wasm("LiteRT.js", "int8", "float ends", 4, { ...wrong, largest: 10, within: true }),
    ];
    expect(standing(caseOf("attention", [own("int8", "auto", 2), ...peers]), "int8")!.wasm!.peer).toBe("LiteRT.js");
  });

  test("no standing where ours was not timed", () => {
    expect(standing(UNKNOWN, "int8")).toBeUndefined();
  });

  test("three digits of a time", () => {
    expect([0.0421, 0.742, 7.416, 74.16, 741.6].map(milliseconds)).toEqual(["0.042", "0.742", "7.42", "74.2", "742"]);
  });
});

describe("tables", () => {
  const results = run("Node 20.20.2", [LAYER]);

  test("README: ours, the best WebAssembly peer, other runtimes, native", () => {
    const faster = caseOf("conv3x3", [own("int8", "auto", 1), wasm("onnxruntime-web", "int8", "QDQ", 6)]);
    const lines = readmeBlocks([results, run("Node 26.1.0", [faster])])
      .get("peers")!
      .split("\n");
    expect(lines[0]).toContain("| faster by, in Node 26 |");
    expect(lines[2]).toBe("| int8 conv3x3 | 1.00 | 4.00 (onnxruntime-web QDQ) | **4.00x** | 6.00x | 0.800 | 0.80x |");
    expect(lines[3]).toBe("| f32 conv3x3 | 2.00 (winograd) | 10.0 (onnxruntime-web) | **5.00x** | - | - | - |");
  });

  test("performance: slower is not printed bold, everybody is there with the spread", () => {
    const text = performanceBlocks([results]).get("peers")!;
    expect(text).toContain("### Node 20.20.2");
    expect(text).toContain("| int8 conv3x3 | 1.00 | onnxruntime-web QDQ | 4.00 | **4.00x** | 0.800 | 0.80x |");
    expect(text).toContain("| 5.00 (4.50-5.50) |");
    expect(text).toContain("wasmograd float ends");
    expect(text).not.toContain("Not timed");
  });

  test("what was left out is said with its reason", () => {
    const who = { peer: "tfjs-wasm", kind: "wasm", dtype: "f32", variant: "f32", skipped: "out of memory" } as const;
    const text = performanceBlocks([run("Node 20", [{ ...LAYER, entries: [...LAYER.entries, who] }, UNKNOWN])]).get(
      "peers",
    )!;
    expect(text).toContain("\n- int8 depthwise: wasmograd: no such kernel\n- f32 conv3x3, tfjs-wasm: out of memory");
    expect(text).not.toContain("| depthwise |");
  });

  test("int8 against f32, as it comes and the fastest", () => {
    const text = performanceBlocks([results]).get("peers-int8-over-f32")!;
    expect(text).toContain("| conv3x3 | 8.00x | 2.00x (winograd) | 2.50x | - | - |");
  });

  test("exactness: what agrees shares a line, a wrong layer is called one", () => {
    const text = performanceBlocks([results]).get("peers-exactness")!;
    expect(text).toContain("| onnxruntime-web QDQ | int8 | all | same bits |");
    expect(text).toContain("| LiteRT.js float ends | int8 | conv3x3 | 7 of 100 outputs differ, by 1 at most |");
    expect(text).toContain(
      "| tfjs-wasm | f32 | worst: conv3x3 | at most 5.0e-1 of the largest value: not the same layer |",
    );
  });

  test("exactness: cases that differ are named, the others are not", () => {
    const other = caseOf("conv1x1", [own("int8", "auto", 1), wasm("LiteRT.js", "int8", "float ends", 5)]);
    const text = performanceBlocks([run("Node 20", [LAYER, other])]).get("peers-exactness")!;
    expect(text).toContain("| LiteRT.js float ends | int8 | conv3x3 | 7 of 100 outputs differ, by 1 at most |");
    expect(text).toContain("| LiteRT.js float ends | int8 | all others | same bits |");
  });

  test("under every table: machine, runtime, command, versions", () => {
    const text = source(run("Chromium 156", [])).replace(/\n/g, " ");
    expect(text).toContain("by `npm run bench:peers -- --chromium` on A Processor, 2 cores (avx2)");
    expect(text).toContain("all pinned to core 1, 21 rounds; wasmograd at 0123456789ab, onnxruntime-web 1.30.0.");
  });

  test("the command of a suite", () => {
    expect(source(run("Node 20", []), "attention")).toContain("by `npm run bench:peers -- --suite attention` on");
    expect(source(run("Chromium 156", []), "attention")).toContain("-- --suite attention --chromium` on");
  });

  test("how much of the core was left by others", () => {
    const busy = { ...LAYER, entries: LAYER.entries.map((entry) => ({ ...entry, cpuShare: 0.704 })) };
    expect(source(run("Node 20", [busy]))).toContain("all pinned to core 1 (of which they had 70 %),");
  });

  test("without measurements the documents say how to make them", () => {
    expect(readmeBlocks([]).get("peers")).toContain("npm run bench:peers");
  });
});

describe("documents", () => {
  test("a block without a place and a place without a block are errors", () => {
    const place = "<!-- computed: a -->\n<!-- end -->";
    expect(fillBlocks("X.md", place, new Map([["a", "text"]]))).toBe("<!-- computed: a -->\n\ntext\n\n<!-- end -->");
    expect(() => fillBlocks("X.md", place, new Map())).toThrow("X.md: nothing computes a");
    const two = new Map([
      ["a", ""],
      ["b", ""],
    ]);
    expect(() => fillBlocks("X.md", place, two)).toThrow("X.md: has no place for b");
  });

  test("are those that scripts/bench-tables.ts writes", () => {
    expect(differing(benchDocuments(readResults()))).toEqual([]);
  });
});
