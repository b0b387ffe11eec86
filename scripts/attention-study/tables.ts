/** The study's parts of docs/compact-attention.md; they say how many runs there are, since not all need be. */
import { grouped } from "../../src/cli/terminal.ts";
import { type Blocks, table } from "../documents.ts";
import { type Measured, readMeasured } from "./results.ts";
import { KINDS, type Kind, MEMBERS, type Run, readRuns } from "./runs.ts";
import { deviation, matricesOf, mean, pooledDeviation, type Summary, summarise } from "./summary.ts";

/** Runs of a whole study: members, kinds, seeds. */
const PLANNED_SEEDS = 3;
/** Characters of a line of the documents. */
const LINE = 140;

const HEADINGS: Readonly<Record<Kind, string>> = {
  vit: "Softmax attention (`vit`)",
  xcit: "Cross-covariance attention (`xcit`)",
};

const points = (x: number): string => x.toFixed(2);
const signed = (x: number): string => `${x < 0 ? "-" : "+"}${points(Math.abs(x))}`;
const change = (now: number, before: number): string =>
  now === before ? "" : `${((100 * now) / before - 100).toFixed(1)} %`;
const spread = (values: readonly number[], show: (x: number) => string): string => {
  const deviated = deviation(values);
  return `${show(mean(values))}${deviated === undefined ? "" : ` ± ${points(deviated)}`}`;
};

function row(summary: Summary, standard: Summary, { times }: Measured): string[] {
  const { kind, member, params, macs, accuracies, pairs } = summary;
  const gains = pairs.map(({ gain }) => gain);
  const time = times?.of.find((t) => t.kind === kind && t.member === member);
  return [
    `\`${member}\``,
    grouped(params),
    change(params, standard.params),
    grouped(macs),
    change(macs, standard.macs),
    spread(
      accuracies.map(({ percent }) => percent),
      points,
    ),
    accuracies.map(({ percent }) => points(percent)).join(", "),
    gains.length === 0 ? "" : spread(gains, signed),
    pairs.map(({ onlyThis, onlyStandard }) => `${onlyThis}:${onlyStandard}`).join(", "),
    time ? time.medianMs.toFixed(3) : "",
  ];
}

const HEADER = [
  "member",
  "parameters",
  "",
  "MACs",
  "",
  "right, %",
  "each seed",
  "against `standard`",
  "only this right : only `standard`",
  "ms",
];

function kindTable(kind: Kind, summaries: readonly Summary[], measured: Measured): string {
  const own = summaries.filter((summary) => summary.kind === kind);
  const standard = own.find(({ member }) => member === "standard");
  if (!standard) return `**${HEADINGS[kind]}**: \`standard\` has not been trained yet.`;
  return [
    `**${HEADINGS[kind]}**`,
    table(
      HEADER,
      own.map((summary) => row(summary, standard, measured)),
    ),
  ].join("\n\n");
}

/** "seed 1", "seeds 1 to 3". */
function seedsOf(runs: readonly Run[]): string {
  const seeds = [...new Set(runs.map(({ seed }) => seed))].sort((a, b) => a - b);
  return seeds.length === 1 ? `seed ${seeds[0]}` : `seeds ${seeds[0]} to ${seeds.at(-1)}`;
}

function extent(runs: readonly Run[]): string {
  const planned = KINDS.length * MEMBERS.length * PLANNED_SEEDS;
  const there = `${runs.length} of ${planned} trainings, ${seedsOf(runs)}`;
  return runs.length === planned ? there : `${there}: the study is not complete`;
}

/** What a gain must exceed to be more than chance between seeds, for a mean of as many seeds as there mostly are. */
function chance(summaries: readonly Summary[]): string {
  const deviated = pooledDeviation(summaries);
  if (deviated === 0) return "What another seed would change is not known yet.";
  return (
    `One training differs from another of the same network by ${points(deviated)} points, one standard deviation, pooled over all ` +
    "members that have several seeds."
  );
}

function agreement({ accuracy }: Measured): string {
  if (accuracy.length === 0) return "";
  const answers = accuracy.reduce((sum, { otherThanPyTorch }) => sum + otherThanPyTorch, 0);
  const equal = `${accuracy.length} networks were run in this library, in f32, and are right on the same test pictures as in PyTorch`;
  if (answers === 0) return `${equal}, without exception.`;
  const margin = Math.max(...accuracy.map(({ widestMargin }) => widestMargin));
  return `${equal} but for ${answers} answers in all, whose best two outputs are at most ${margin.toExponential(1)} apart.`;
}

function timing({ times }: Measured): string {
  if (!times) return "";
  const { machine, rounds, pictures, date } = times;
  return `ms: a picture in f32, median of ${rounds} rounds of ${pictures} pictures, all members in turn (${machine}, ${date}).`;
}

/** By matrices that are left: how all pairs of a member with `standard` of its seed come out. */
function pairTable(summaries: readonly Summary[]): string {
  const rows = [3, 2].map((matrices) => {
    const cells = KINDS.map((kind) => {
      const wanted = (summary: Summary): boolean => summary.kind === kind && matricesOf(summary) === matrices;
      const gains = summaries.filter(wanted).flatMap(({ pairs }) => pairs.map(({ gain }) => gain));
      if (gains.length === 0) return "";
      return `${signed(mean(gains))}; worse in ${gains.filter((gain) => gain < 0).length} of ${gains.length}`;
    });
    return [String(matrices), ...cells];
  });
  return table(["matrices a layer", ...KINDS.map((kind) => `\`${kind}\`, points against \`standard\``)], rows);
}

/** In lines as long as those of the documents. */
function wrapped(paragraph: string): string {
  const lines: string[] = [];
  for (const word of paragraph.split(" ")) {
    const last = lines.at(-1);
    if (last === undefined || last.length + word.length >= LINE) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines.join("\n");
}

export function studyBlocks(): Blocks {
  const [runs, measured] = [readRuns(), readMeasured()];
  const summaries = summarise(runs);
  const notes = [
    `${extent(runs)}; ± is a standard deviation over seeds.`,
    agreement(measured),
    timing(measured),
    chance(summaries),
  ];
  const tables = KINDS.map((kind) => kindTable(kind, summaries, measured));
  const noted = notes.filter((note) => note !== "").join(" ");
  return new Map([["study", [...tables, pairTable(summaries), wrapped(`*${noted}*`)].join("\n\n")]]);
}
