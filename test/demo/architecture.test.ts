/** How the demo's files depend on each other and on the library. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const DEMO = join(ROOT, "demo");
const VIEWS = ["upscale", "live", "lab", "bench", "simulate"];

/** What a file imports: its path from the root, or the package. */
function importsOf(file: string): string[] {
  const found = readFileSync(file, "utf8").matchAll(/^(?:import|export)\s+(?:[^"';]*?from\s+)?"([^"]+)"/gm);
  return [...found].map(([, target]) =>
    target!.startsWith(".") ? relative(ROOT, join(dirname(file), target!)) : target!,
  );
}

const files = readdirSync(DEMO, { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".ts") && !name.startsWith("dist/") && !name.startsWith("vite"))
  .map((name) => `demo/${name}`);

test("views know the shell and the library, and nothing of each other", () => {
  const wrong: string[] = [];
  for (const file of files) {
    const [, folder = ""] = file.split("/");
    if (!VIEWS.includes(folder)) continue;
    for (const target of importsOf(join(ROOT, file))) {
      const known =
        target.startsWith(`demo/${folder}/`) || /^(demo\/shell|src)\//.test(target) || /^uplot/.test(target);
      if (!known) wrong.push(`${file} -> ${target}`);
    }
  }
  expect(files.length).toBeGreaterThan(20);
  expect(wrong).toEqual([]);
});

test("the page takes nothing from the library's command line or its Node side, and loads no view before it is asked for", () => {
  const all = files.flatMap((file) => importsOf(join(ROOT, file)));
  expect(all.filter((target) => /^(src\/(cli|node)\/|node:)/.test(target))).toEqual([]);
  const first = importsOf(join(DEMO, "main.ts"));
  expect(first.filter((target) => VIEWS.some((view) => target.startsWith(`demo/${view}/`)))).toEqual([]);
});
