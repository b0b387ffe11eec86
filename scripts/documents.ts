/** Documents with computed parts: each stands between `<!-- computed: NAME -->` and `<!-- end -->`, written by a script and compared by a test. */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const MARKED = /<!-- computed: (\S+) -->\n[\s\S]*?<!-- end -->/g;

export type Blocks = ReadonlyMap<string, string>;

export const absolute = (path: string): string => `${ROOT}${path}`;

/**
 * The document with every computed part as `blocks` has it; those of `others` are left to the scripts that compute them.
 * @throws Error on a name that only one of the two knows
 */
export function fillBlocks(path: string, document: string, blocks: Blocks, others: readonly string[] = []): string {
  const used = new Set<string>();
  const filled = document.replace(MARKED, (whole, name: string) => {
    if (others.includes(name)) return whole;
    const block = blocks.get(name);
    if (block === undefined) throw new Error(`${path}: nothing computes ${name}`);
    used.add(name);
    return `<!-- computed: ${name} -->\n\n${block}\n\n<!-- end -->`;
  });
  const unused = [...blocks.keys()].filter((name) => !used.has(name));
  if (unused.length > 0) throw new Error(`${path}: has no place for ${unused.join(", ")}`);
  return filled;
}

export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [line(header), `|${"---|".repeat(header.length)}`, ...rows.map(line)].join("\n");
}

/** Files that are missing or differ, of path -> text. */
export function differing(files: ReadonlyMap<string, string>): string[] {
  const read = (path: string): string | undefined => {
    try {
      return readFileSync(absolute(path), "utf8");
    } catch {
      return undefined;
    }
  };
  return [...files].filter(([path, text]) => read(path) !== text).map(([path]) => path);
}

/** Writes what differs; with `check` writes nothing, and says on stderr what differs from what `script` would write. */
export function writeOrCheck(script: string, files: ReadonlyMap<string, string>, check: boolean): void {
  const different = differing(files);
  if (check) {
    for (const path of different) console.error(`${path}: differs from what ${script} writes`);
    process.exitCode = different.length === 0 ? 0 : 1;
  } else {
    for (const path of different) writeFileSync(absolute(path), files.get(path)!);
    console.log(`${files.size} files, ${different.length} changed`);
  }
}
