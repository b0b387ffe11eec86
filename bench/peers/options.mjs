/** The command line. */
import { parseArgs } from "node:util";
import { CASES, SUITES } from "./cases.mjs";
import { PEERS } from "./peers.mjs";

export const USAGE = `usage: npm run bench:peers [-- OPTIONS]
  --node PATH     run the peers with another Node (the npm package "node" has one)
  --chromium      run them in pages of headless Chromium instead ($CHROMIUM, else /usr/bin/chromium)
  --suite NAME    only one of the suites: ${SUITES.join(", ")}
  --case NAME     only cases whose name contains NAME
  --peer NAME     only peers whose name contains NAME; wasmograd always runs
  --core N        the core to pin to; the last one by default
  --quick         3 rounds: shows that everything runs, not how fast
  --help`;

/** Method of a full run; `leastMs` and `leastRuns` are of a batch. */
const FULL = { rounds: 21, warmMs: 1000, leastMs: 60, leastRuns: 2 };
const QUICK = { rounds: 3, warmMs: 200, leastMs: 20, leastRuns: 1 };

function matching(kind, all, part = "") {
  const found = all.filter(({ name }) => name.includes(part));
  const names = all.map(({ name }) => name).join(", ");
  if (found.length === 0) throw new Error(`--${kind}: expected part of one of ${names}, got ${part}`);
  return found;
}

/** @throws Error on an option that is not known or names nothing */
export function readOptions(args) {
  const { values } = parseArgs({
    args,
    options: {
      node: { type: "string" },
      chromium: { type: "boolean" },
      suite: { type: "string" },
      case: { type: "string" },
      peer: { type: "string" },
      core: { type: "string" },
      quick: { type: "boolean" },
      help: { type: "boolean" },
    },
  });
  if (values.core !== undefined && !/^\d+$/.test(values.core)) {
    throw new Error(`--core: expected a number, got ${values.core}`);
  }
  if (values.chromium && values.node) throw new Error("--node: does not go with --chromium");
  if (values.suite !== undefined && !SUITES.includes(values.suite)) {
    throw new Error(`--suite: expected one of ${SUITES.join(", ")}, got ${values.suite}`);
  }
  const chosen = matching("peer", PEERS, values.peer);
  const inSuite = CASES.filter(({ suite }) => values.suite === undefined || suite === values.suite);
  const cases = matching("case", inSuite, values.case);
  return {
    help: values.help ?? false,
    node: values.node ?? process.execPath,
    chromium: values.chromium ?? false,
    suites: SUITES.map((suite) => ({ suite, cases: cases.filter((c) => c.suite === suite) })).filter(
      (each) => each.cases.length > 0,
    ),
    peers: PEERS.filter((peer) => peer.kind === "ours" || chosen.includes(peer)),
    core: values.core === undefined ? undefined : Number(values.core),
    settings: values.quick ? QUICK : FULL,
    /** Whether the results may stand in the documents. */
    complete: !values.quick && values.case === undefined && values.peer === undefined,
  };
}
