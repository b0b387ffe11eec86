import { readdirSync, statSync } from "node:fs";
import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { expect, test } from "vitest";

const BUNDLE = fileURLToPath(new URL("../../dist/bundle", import.meta.url));

/** Gzipped bytes of what a page loads at once that imports these names: not what is imported when it is asked for. */
async function sizeOf(entry: string, names: string): Promise<number> {
  const { outputFiles, metafile } = await build({
    stdin: {
      contents: `export { ${names} } from ${JSON.stringify(`${BUNDLE}/${entry}`)};`,
      resolveDir: ".",
      sourcefile: "page.js",
    },
    outdir: "out",
    bundle: true,
    splitting: true,
    format: "esm",
    minify: true,
    write: false,
    // Chunks import each other in order to be loaded together, which esbuild notes outside of node_modules.
    logLevel: "error",
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
  return core.reduce((sum, { contents }) => sum + gzipSync(contents, { level: 9 }).length, 0);
}

/** Bytes; what is imported by name costs the same from every entry that has it, and brings nothing else along. */
test.each([
  ["index.js", "createUpscaler", 60_000],
  ["index.js", "loadKernels", 60_000],
  ["index.js", "simulate", 56_000],
  ["index.js", "winograd", 8_000],
  ["kernels.js", "loadKernels", 45_000],
  ["winograd.js", "winograd", 4_000],
  ["models.js", "sesr", 3_000],
  ["models.js", "buildModel", 18_000],
  ["timing.js", "simulate", 56_000],
  ["image.js", "resize", 32_000],
  ["image.js", "psnrY", 3_000],
  ["serve-upscaler.js", "serveUpscaler", 57_000],
  ["wasm/index.js", "createUpscaler", 36_000],
  ["wasm/index.js", "loadKernels", 22_000],
])("%s: %s, with all that it needs at once, is at most %i bytes gzipped", async (entry, names, limit) => {
  expect(await sizeOf(entry, names)).toBeLessThanOrEqual(limit);
});

test("the trained networks, f32 and int8, take at most 2.5 MB of the package", () => {
  const files = ["dist/bundle/weights", "dist/upscale/weights"].flatMap((folder) =>
    readdirSync(folder).map((name) => `${folder}/${name}`),
  );
  const sizes = files.map((path) => statSync(path).size);
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(2_500_000);
});
