import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const SRC = fileURLToPath(new URL("../src", import.meta.url));

/** Folders from the bottom up: a file may import from its own folder and from those before it. */
const ORDER = [
  ".",
  "winograd",
  "network",
  "attention",
  "models",
  "formats",
  "quantization",
  "reference",
  "kernels",
  "image",
  "detection",
  "engine",
  "timing",
  "ran",
  "reproduction",
  "detector",
  "worker",
  "upscale",
  "entries",
  "bench",
  "node",
  "cli",
];

/** What a file imports, types included. */
function importsOf(file: string): string[] {
  const text = readFileSync(file, "utf8");
  const found = text.matchAll(/^(?:import|export)\s+[^"';]*?from\s+"([^"]+)"|import\("([^"]+)"/gm);
  return [...found].map((m) => (m[1] ?? m[2])!);
}

const files = readdirSync(SRC, { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".ts"))
  .map((name) => join(SRC, name));
const graph = new Map(files.map((file) => [file, importsOf(file)]));

const resolved = (file: string, target: string): string => join(dirname(file), target);
const folderOf = (file: string): string => relative(SRC, file).split("/").slice(0, -1)[0] ?? ".";

test("folders depend downwards only", () => {
  const upwards: string[] = [];
  for (const [file, imports] of graph) {
    if (file === join(SRC, "index.ts")) continue;
    for (const target of imports) {
      if (!target.startsWith(".")) continue;
      const [from, to] = [folderOf(file), folderOf(resolved(file, target))];
      expect(ORDER, `folder of ${target}`).toContain(to);
      if (ORDER.indexOf(to) > ORDER.indexOf(from)) upwards.push(`${relative(SRC, file)} -> ${target}`);
    }
  }
  expect(upwards).toEqual([]);
});

test("detection stands on errors, the network's types and pictures alone: whatever runs its networks is handed in", () => {
  const outside = new Set<string>();
  for (const [file, imports] of graph) {
    if (folderOf(file) !== "detection") continue;
    for (const target of imports) {
      const to = target.startsWith(".") ? relative(SRC, resolved(file, target)) : target;
      if (!/^(detection\/.*|errors\.ts|image\/types\.ts|network\/description\.ts)$/.test(to)) outside.add(to);
    }
  }
  expect([...outside]).toEqual([]);
});

test("the timing model reads network descriptions; its CPUs also what the engine decides without weights; nothing of models", () => {
  const outside = new Set<string>();
  for (const [file, imports] of graph) {
    if (folderOf(file) !== "timing") continue;
    for (const target of imports) {
      const to = target.startsWith(".") ? relative(SRC, resolved(file, target)) : target;
      const decided =
        /^(engine\/schedule|quantization\/assign|kernels\/(convolution|winograd|attention)\/[\w-]+)\.ts$/.test(to);
      if (decided && relative(SRC, file).startsWith("timing/cpu/")) continue;
      if (!/^((timing|network)\/.*|errors\.ts|json\.ts|conv-axis\.ts)$/.test(to)) outside.add(to);
    }
  }
  expect([...outside]).toEqual([]);
});

test("no file imports itself through others, types included", () => {
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]): void => {
    const at = path.indexOf(file);
    if (at >= 0) expect.fail(`cycle: ${[...path.slice(at), file].map((f) => relative(SRC, f)).join(" -> ")}`);
    if (done.has(file)) return;
    for (const target of graph.get(file) ?? []) {
      if (target.startsWith(".")) visit(resolved(file, target), [...path, file]);
    }
    done.add(file);
  };
  for (const file of files) visit(file, []);
});

test("the core, and every entry but that of Node, imports no package and no node: module", () => {
  const seen = new Set<string>();
  const outside: string[] = [];
  const visit = (file: string): void => {
    if (seen.has(file)) return;
    seen.add(file);
    for (const target of graph.get(file) ?? []) {
      if (target.startsWith(".")) visit(resolved(file, target));
      else outside.push(`${relative(SRC, file)} -> ${target}`);
    }
  };
  for (const file of files) if (file === join(SRC, "index.ts") || folderOf(file) === "entries") visit(file);
  expect(seen.size).toBeGreaterThan(50);
  expect(outside).toEqual([]);
});
