/** What npm would publish, looked at by the tools that package authors use, and by the compilers of those who use it. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { checkPackage, createPackageFromTarballData } from "@arethetypeswrong/core";
import { publint } from "publint";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Installed, install, run } from "./installed.ts";

const TSC = fileURLToPath(new URL("../../node_modules/typescript/bin/tsc", import.meta.url));

let installed: Installed;
beforeAll(() => {
  installed = install();
});
afterAll(() => installed?.remove());

test("publint has nothing to say", async () => {
  const pkgDir = join(installed.folder, "node_modules/wasmograd");
  expect((await publint({ pkgDir, strict: true, pack: false })).messages).toEqual([]);
});

test("types are right for every entry, imported, required and bundled", async () => {
  const checked = await checkPackage(createPackageFromTarballData(readFileSync(installed.tarball)), {
    // Not modules.
    excludeEntrypoints: [/\.wasm$/, "./package.json"],
  });
  if (!checked.types) expect.fail("the package has no types");
  // Resolution as before Node 12 knows no subpaths at all.
  const problems = checked.problems.filter((one) => !("resolutionKind" in one) || one.resolutionKind !== "node10");
  expect(problems).toEqual([]);
  const subpaths = Object.keys(checked.entrypoints).sort();
  const names = ["image", "kernels", "models", "node", "timing", "wasm", "winograd", "worker"];
  expect(subpaths).toEqual([".", ...names.map((name) => `./${name}`)]);
});

/** Compiles the fixture without skipping the package's own declarations. */
function compile(file: string, options: object): string {
  const config = {
    compilerOptions: {
      target: "es2022",
      lib: ["es2022", "dom"],
      strict: true,
      noEmit: true,
      types: [],
      skipDefaultLibCheck: true,
      ...options,
    },
    files: [file],
  };
  writeFileSync(join(installed.folder, `tsconfig.${file}.json`), JSON.stringify(config));
  return run(process.execPath, [TSC, "-p", `tsconfig.${file}.json`], installed.folder);
}

test.each([
  ["consumer.ts", { module: "nodenext", moduleResolution: "nodenext" }],
  ["consumer.cts", { module: "nodenext", moduleResolution: "nodenext" }],
  ["consumer.cts", { module: "node16", moduleResolution: "node16" }],
  ["consumer.ts", { module: "esnext", moduleResolution: "bundler" }],
])("%s compiles with %o", (file, options) => {
  expect(compile(file, options)).toBe("");
});
