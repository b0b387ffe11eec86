import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { expect, test } from "vitest";

const ENTRY = fileURLToPath(new URL("../../dist/bundle/index.js", import.meta.url));
const LIMIT = 60 * 1000;

/** Gzipped bytes of what a page loads at once that imports these names: not what is imported when it is asked for. */
async function sizeOf(names: string): Promise<number> {
  const { outputFiles, metafile } = await build({
    stdin: { contents: `export { ${names} } from ${JSON.stringify(ENTRY)};`, resolveDir: ".", sourcefile: "page.js" },
    outdir: "out",
    bundle: true,
    splitting: true,
    format: "esm",
    minify: true,
    write: false,
    metafile: true,
  });
  const loaded = new Set<string>();
  const load = (path: string): void => {
    if (loaded.has(path)) return;
    loaded.add(path);
    for (const { path: next, kind } of metafile.outputs[path]!.imports) if (kind === "import-statement") load(next);
  };
  load(Object.keys(metafile.outputs).find((path) => metafile.outputs[path]!.entryPoint === "page.js")!);
  const core = outputFiles.filter(({ path }) => loaded.has(relative(process.cwd(), path)));
  expect(core.length).toBe(loaded.size);
  expect(core.length).toBeLessThan(outputFiles.length);
  return core.reduce((sum, { contents }) => sum + gzipSync(contents, { level: 9 }).length, 0);
}

test("what a page loads to upscale, kernels included, is at most 60 KB gzipped", async () => {
  expect(await sizeOf("createUpscaler")).toBeLessThanOrEqual(LIMIT);
  expect(await sizeOf("loadKernels")).toBeLessThanOrEqual(LIMIT);
});
