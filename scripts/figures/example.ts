/** Runs the essay's example, so that what it is said to print is what it prints. */
import { format } from "node:util";
import { winograd } from "../../src/winograd/algorithm.ts";
import { isExact, nest } from "../../src/winograd/nested.ts";
import { summarise } from "../../src/winograd/summary.ts";
import { countTransforms, transforms } from "../../src/winograd/transforms.ts";

/** What the example imports from "wasmograd", under the same names. */
const API: Readonly<Record<string, unknown>> = { countTransforms, isExact, nest, summarise, transforms, winograd };

const IMPORT = /^import \{ ([^}]*) \} from "wasmograd";$/m;

/** The first JavaScript of the essay. */
export function exampleOf(essay: string): string {
  const [, code] = /```js\n([\s\S]*?)```/.exec(essay) ?? [];
  if (code === undefined) throw new Error("docs/winograd.md: no example");
  return code;
}

/** Names that it imports. */
export function importsOf(code: string): string[] {
  return (IMPORT.exec(code)?.[1] ?? "").split(", ");
}

/** The lines that it prints. */
export function runExample(code: string): string {
  const lines: string[] = [];
  const console = { log: (...values: unknown[]) => lines.push(format(...values)) };
  const names = importsOf(code);
  const missing = names.filter((name) => API[name] === undefined);
  if (missing.length > 0) throw new Error(`docs/winograd.md: the example imports ${missing.join(", ")}`);
  new Function("console", ...names, code.replace(IMPORT, ""))(console, ...names.map((name) => API[name]));
  return lines.join("\n");
}
