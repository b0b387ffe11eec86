/** The repository's kernel tests, all that need nothing of Node, as one module that runs in any engine and answers with a `SuiteReport`. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build, type Plugin } from "esbuild";

const TESTS = fileURLToPath(new URL("../..", import.meta.url));
const HERE = fileURLToPath(new URL(".", import.meta.url));
const FOLDERS = ["kernels", "image"];
/** Files, the compiler and the loader of the debug build. */
const NODE_ONLY = /from "(?:node:|assemblyscript|@assemblyscript|[^"]*\/src\/node\/)/;

/** Paths below test/. */
export function portableTests(): string[] {
  return FOLDERS.flatMap((folder) =>
    readdirSync(join(TESTS, folder), { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".test.ts"))
      .map((name) => `${folder}/${name}`),
  )
    .filter((name) => !NODE_ONLY.test(readFileSync(join(TESTS, name), "utf8")))
    .sort();
}

/** Test files get their test runner and their properties from here. */
const standIns: Plugin = {
  name: "stand-ins",
  setup({ onResolve }) {
    onResolve({ filter: /^vitest$/ }, () => ({ path: join(HERE, "runner.ts") }));
    onResolve({ filter: /^fast-check$/ }, ({ importer }) =>
      importer.startsWith(HERE) ? undefined : { path: join(HERE, "seeded.ts") },
    );
  },
};

/** Writes a module that exports `run`. @param mostRuns cases that a property is tried on */
export async function bundleSuite(outfile: string, mostRuns: number): Promise<void> {
  // One by one, so that each file's tests follow its `begin`.
  const loads = portableTests().map((name) => `begin(${JSON.stringify(name)});\nawait import("./${name}");`);
  await build({
    stdin: {
      contents: `import { begin, run } from "./browser/suite/runner.ts";\n${loads.join("\n")}\nexport { run };`,
      resolveDir: TESTS,
      loader: "ts",
    },
    outfile,
    bundle: true,
    format: "esm",
    platform: "browser",
    target: "es2022",
    define: { "process.env.WASMOGRAD_SLOW": "undefined", MOST_RUNS: String(mostRuns) },
    plugins: [standIns],
    logLevel: "warning",
  });
}
