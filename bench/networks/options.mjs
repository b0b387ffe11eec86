/** The command line. */
import { parseArgs } from "node:util";
import { CASES, SUITES } from "./cases.mjs";

export const USAGE = `usage: npm run bench:networks [-- OPTIONS]
  --node PATH        run the networks with another Node
  --suite NAME       only one of the suites: ${SUITES.join(", ")}
  --case NAME        only cases whose name contains NAME
  --entry NAME       of each case only entries whose name contains NAME
  --core N           the core to pin to; the last one by default
  --quick            3 rounds: shows that everything runs, not how fast
  --layers ID        instead, where one network's time goes, layer by layer (on this Node, not pinned)
  --precision NAME   of --layers: f32 (default) or int8
  --help`;

/** Method of a full run; `leastMs` is of a batch, `slowRounds` of cases whose single runs take seconds. */
const FULL = { rounds: 11, slowRounds: 5, warmRuns: 3, leastMs: 100 };
const QUICK = { rounds: 3, slowRounds: 1, warmRuns: 1, leastMs: 20 };

function matching(option, all, part, textOf) {
  const found = all.filter((one) => textOf(one).includes(part));
  if (found.length > 0) return found;
  throw new Error(`--${option}: expected part of one of ${all.map(textOf).join("; ")}, got ${part}`);
}

/** @throws Error on an option that is not known or names nothing */
export function readOptions(args) {
  const text = { type: "string" };
  const flag = { type: "boolean" };
  const options = { node: text, suite: text, case: text, entry: text, core: text, layers: text, precision: text };
  const { values } = parseArgs({ args, options: { ...options, quick: flag, help: flag } });
  if (values.core !== undefined && !/^\d+$/.test(values.core)) {
    throw new Error(`--core: expected a number, got ${values.core}`);
  }
  const { precision = "f32", entry } = values;
  if (precision !== "f32" && precision !== "int8") {
    throw new Error(`--precision: expected f32 or int8, got ${precision}`);
  }
  if (values.suite !== undefined && !SUITES.includes(values.suite)) {
    throw new Error(`--suite: expected one of ${SUITES.join(", ")}, got ${values.suite}`);
  }
  const inSuite = CASES.filter(({ suite }) => values.suite === undefined || suite === values.suite);
  const chosen = matching("case", inSuite, values.case ?? "", ({ name }) => name);
  const all = chosen.flatMap(({ entries }) => entries);
  const entries = entry === undefined ? all : matching("entry", all, entry, ({ name }) => name);
  const cases = chosen.map((c) => ({ ...c, entries: c.entries.filter((one) => entries.includes(one)) }));
  return {
    help: values.help ?? false,
    layers: values.layers,
    precision,
    node: values.node ?? process.execPath,
    core: values.core === undefined ? undefined : Number(values.core),
    suites: SUITES.map((suite) => ({
      suite,
      cases: cases.filter((c) => c.suite === suite && c.entries.length > 0),
    })).filter((each) => each.cases.length > 0),
    settings: values.quick ? QUICK : FULL,
    /** Whether the results may stand in the documents. */
    complete: !values.quick && values.case === undefined && entry === undefined,
  };
}
