import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { expect, test } from "vitest";

const ENTRY = fileURLToPath(new URL("../../dist/bundle/index.js", import.meta.url));
const LIMIT = 60 * 1000;

/** Gzipped bytes of what a page loads that imports these names, weights apart, which are loaded when they are asked for. */
async function sizeOf(names: string): Promise<number> {
  const { outputFiles } = await build({
    stdin: { contents: `export { ${names} } from ${JSON.stringify(ENTRY)};`, resolveDir: "." },
    outdir: "out",
    bundle: true,
    splitting: true,
    format: "esm",
    minify: true,
    write: false,
  });
  const core = outputFiles.filter(({ path }) => !/sesr/.test(path));
  expect(core.length).toBeLessThan(outputFiles.length);
  return core.reduce((sum, { contents }) => sum + gzipSync(contents, { level: 9 }).length, 0);
}

test("what a page loads to upscale, kernels included, is at most 60 KB gzipped", async () => {
  expect(await sizeOf("createUpscaler")).toBeLessThanOrEqual(LIMIT);
  expect(await sizeOf("loadKernels")).toBeLessThanOrEqual(LIMIT);
});
