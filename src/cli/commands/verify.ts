import { basename, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { WasmogradError } from "../../errors.ts";
import { loadKernels } from "../../kernels/kernels.ts";
import { type SelfTest, selfTests } from "../../kernels/self-test.ts";
import type { OperationCount } from "../../winograd/arithmetic.ts";
import { type Claim, claimNumbers, claims } from "../../winograd/report.ts";
import { formatStudy, scalingStudy } from "../../winograd/scaling-study.ts";
import { algorithmTable, directLimit, type TableRow } from "../../winograd/summary.ts";
import type { Command } from "../command.ts";
import { type CountedRun, countedRuns } from "../counted-runs.ts";
import { UsageError } from "../options.ts";
import { printOwnAlgorithm } from "../own-algorithm.ts";
import { type SetLoss, scalingLosses } from "../scaling-loss.ts";
import { grouped, pause, progressLine, table } from "../terminal.ts";

/** A picture that comes with the package. Differences only are shown of it: the weights were trained on its pool. */
const OWN_PICTURES = fileURLToPath(new URL("../../../examples", import.meta.url));

/** The scheme by which the claim on accuracy is judged, and the loss that counts as none. */
const JUDGED = { bits: 9, granularity: "tap" } as const;
const TOLERANCE_DB = 0.05;

function evidenceFrom(sets: readonly SetLoss[]): Parameters<typeof claims>[0] {
  const loss = ({ losses }: SetLoss): number =>
    losses.find(({ bits, granularity }) => bits === JUDGED.bits && granularity === JUDGED.granularity)!.lossDb;
  return {
    scheme: `filters of ${JUDGED.bits} bits, one power of two a tap, in the 3x3 layers of SESR-M5 x2`,
    losses: Object.fromEntries(sets.map((set) => [set.set, Number(loss(set).toFixed(4))])),
    tolerance: TOLERANCE_DB,
  };
}

const operations = ({ adds, shifts, constants }: OperationCount): string => {
  const parts = [`${grouped(adds)}a`];
  if (shifts > 0) parts.push(`${grouped(shifts)}s`);
  if (constants > 0) parts.push(`${grouped(constants)}c`);
  return parts.join("+");
};

function claimText({ claim, paper, computed, unit, definition, status }: Claim): string {
  const value = computed === null ? "-" : `${Number(computed.toFixed(4))} ${unit}`;
  return `${claim}\n  paper ${paper}, computed ${value}: ${status}\n  ${definition}\n`;
}

function algorithmText(rows: readonly TableRow[]): string {
  const header = [
    "algorithm",
    "products",
    "reduction",
    "input",
    "output",
    "scale",
    "V bits",
    "U bits",
    "no wrap",
    "channels",
  ];
  const cells = rows.map((s) => [
    `${s.title} ${s.formName}`,
    String(s.products),
    `${s.reduction.toFixed(3)}x`,
    operations(s.operations.input),
    operations(s.operations.output),
    String(s.scale),
    String(s.input.bits),
    String(s.filter.bits),
    s.fitsInt16 ? grouped(s.channels.noWrap) : "-",
    s.fitsInt16 ? grouped(s.channels.oddUndone) : "-",
    s.exactness + (s.kernels.length > 0 ? `; ${s.kernels.join(", ")}` : ""),
  ]);
  return table([...header, "int8 in int16; kernels"], cells, { lastLeft: true });
}

function countedText(runs: readonly CountedRun[]): string {
  const cells = runs.map(({ algorithm, layer, counts, directMultiplications, reduction, same, asPredicted }) => [
    algorithm,
    layer,
    grouped(directMultiplications),
    grouped(counts.multiplications),
    `${reduction.toFixed(4)}x`,
    operations(counts.input),
    operations(counts.output),
    grouped(counts.bytes.transformedInput + counts.bytes.transformedFilters + counts.bytes.products),
    `${same ? "equal to direct" : "DIFFERS from direct"}, ${asPredicted ? "as the formula says" : "NOT as the formula says"}`,
  ]);
  const header = ["counted by running", "layer", "direct", "products", "reduction", "input", "output", "bytes stored"];
  return table([...header, "results"], cells, { lastLeft: true });
}

function lossText(sets: readonly SetLoss[]): string {
  const schemes = sets[0]!.losses.map(({ bits, granularity }) => `${bits} bits, ${granularity}`);
  const rows = sets.map(({ set, pictures, losses }) => [
    `${set} (${pictures})`,
    ...losses.map(({ lossDb }) => lossDb.toFixed(4)),
  ]);
  return table(["PSNR lost, dB (pictures)", ...schemes], rows);
}

function testText({ kernel, filters, criterion, cases, outputs, different }: SelfTest): string[] {
  const verdict = different === 0 ? criterion : `${grouped(different)} outputs FAIL (${criterion})`;
  return [kernel, filters, String(cases), grouped(outputs), verdict];
}

export const command: Command = {
  spec: {
    name: "verify",
    positionals: [],
    summary:
      "Recomputes the claims on Winograd convolution with complex points (arXiv 1901.01965), counts by running, measures filter\n" +
      "scaling and tests the kernels on this engine. Exit status 0 only if all self-tests pass.\n" +
      "Or derives an algorithm of your own: --points 0,1,-1,i,-i,inf --m 4 --r 3.",
    options: {
      pictures: {
        type: "string",
        value: "DIR,DIR",
        help: "picture sets, as evaluate takes them, for the loss by scaling",
      },
      points: { type: "string", value: "LIST", help: "m + r - 1 points such as 0,1,-1,1/2,i,-i,inf" },
      m: { type: "string", value: "N", help: "outputs a tile and dimension, with --points" },
      r: { type: "string", value: "N", help: "taps of the kernel a dimension, with --points" },
    },
  },

  async run(parsed, signal) {
    const points = parsed.text("points");
    const pictures = parsed.text("pictures");
    if (points !== undefined) {
      if (pictures !== undefined) throw new UsageError("--pictures: not with --points");
      return printOwnAlgorithm(parsed, points);
    }
    for (const name of ["m", "r"]) {
      if (parsed.text(name) !== undefined) throw new UsageError(`--${name}: only with --points`);
    }
    const progress = progressLine();
    const directories = pictures === undefined ? [OWN_PICTURES] : pictures.split(",");
    if (directories.includes(""))
      throw new UsageError(`--pictures: expected directories with commas between, got "${pictures}"`);
    const names = directories.map((directory) => basename(resolve(directory)));
    const twice = names.find((name, i) => names.indexOf(name) < i);
    if (twice !== undefined) throw new UsageError(`--pictures: expected sets of different names, got ${twice} twice`);
    const losses = await scalingLosses(directories, signal, (fraction, name) =>
      progress.update(fraction, name),
    ).finally(() => progress.clear());
    const recomputed = claims(evidenceFrom(losses));
    const algorithms = algorithmTable();
    await pause(signal);
    const study = scalingStudy();
    await pause(signal);
    const counted = countedRuns();
    await pause(signal);
    const tests: SelfTest[] = [];
    for (const test of selfTests(await loadKernels())) {
      tests.push(test);
      await pause(signal);
    }
    const failed = [
      ...tests.filter(({ different }) => different > 0).map(({ kernel }) => kernel),
      ...counted.filter(({ same, asPredicted }) => !same || !asPredicted).map(({ kernel }) => `counted ${kernel}`),
    ];
    const ok = failed.length === 0;
    if (parsed.flag("json")) {
      const numbers = { ...claimNumbers(), directChannels: directLimit("f4x4-3x3-complex") };
      // Of the package's own picture only differences count.
      const shown = pictures === undefined ? losses.map(({ exactPsnr, ...differences }) => differences) : losses;
      const scaling = { pictures: shown, synthetic: study };
      const report = { ok, claims: recomputed, numbers, algorithms, counted, scaling, selfTests: tests };
      process.stdout.write(`${JSON.stringify(report)}\n`);
    } else {
      const origin =
        pictures === undefined
          ? "the pictures are the package's own, of the pool that the weights were trained on; --pictures DIR takes others\n"
          : "";
      process.stdout.write(
        `${recomputed.map(claimText).join("\n")}\n` +
          `${algorithmText(algorithms)}a additions, s shifts, c products by constants; "channels": exact whatever the data\n\n` +
          `${countedText(counted)}\n` +
          `${lossText(losses)}${origin}\n` +
          `filter scaling on a synthetic layer, 64 -> 16 channels (LSB of int8 outputs)\n` +
          `${formatStudy(study.filter(({ case: { weights, activations } }) => weights === "gauss" && activations === "smooth relu")).join("\n")}\n\n` +
          table(["kernel", "filters", "cases", "outputs", "self-test"], tests.map(testText), { lastLeft: true }),
      );
    }
    if (!ok) throw new WasmogradError("ERR_WASM", `verify: ${failed.join(", ")} failed`);
  },
};
