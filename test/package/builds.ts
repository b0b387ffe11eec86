/** The fixtures built by the bundlers that people use, each as its documentation begins: no plugin and nothing special set. */
import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import * as esbuild from "esbuild";
import * as vite from "vite";

/** webpack's declarations clash with this project's compiler options; only what is used here is typed. */
type Webpack = (
  options: object,
  done: (error: Error | null, stats?: { hasErrors(): boolean; hasWarnings(): boolean; toString(): string }) => void,
) => void;
const webpack = createRequire(import.meta.url)("webpack") as Webpack;

/** Entries of the page that has binaries inlined, and of the one that has them as files. */
const ENTRIES = ["inlined", "files"];

const page = (script: string): string =>
  `<!doctype html><title>${script}</title><script type="module" src="./${script}"></script>\n`;

/** Builds into `folder/NAME`, with inlined.html and files.html; returns what the bundler had to complain about. */
export type Build = (folder: string) => Promise<readonly string[]>;

export const BUILDS: Readonly<Record<string, Build>> = {
  async vite(folder) {
    const complaints: string[] = [];
    for (const name of ENTRIES) writeFileSync(join(folder, `${name}.html`), page(`${name}.js`));
    const logger = vite.createLogger("warn", { allowClearScreen: false });
    logger.warn = logger.warnOnce = logger.error = (message) => void complaints.push(message);
    await vite.build({
      root: folder,
      configFile: false,
      base: "./",
      customLogger: logger,
      build: {
        outDir: "vite",
        rollupOptions: {
          input: ENTRIES.map((name) => join(folder, `${name}.html`)),
          // Busy machines make it complain of slow plugins.
          checks: { bundlerTimings: false },
        },
      },
    });
    return complaints;
  },

  async webpack(folder) {
    const complaints = await new Promise<string[]>((resolve, reject) => {
      webpack(
        {
          mode: "production",
          context: folder,
          entry: Object.fromEntries(ENTRIES.map((name) => [name, `./${name}.js`])),
          output: { path: join(folder, "webpack") },
          performance: { hints: false },
          // Its minifier takes ten times as long as all else: with the slow tests.
          optimization: { minimize: process.env.WASMOGRAD_SLOW === "1" },
        },
        (error, stats) => {
          if (error) reject(error);
          else resolve(stats!.hasErrors() || stats!.hasWarnings() ? [stats!.toString()] : []);
        },
      );
    });
    for (const name of ENTRIES) writeFileSync(join(folder, "webpack", `${name}.html`), page(`${name}.js`));
    return complaints;
  },

  /** It neither follows `new Worker(new URL(...))` nor copies files: the thread is an entry, the binaries are copied. */
  async esbuild(folder) {
    const { warnings } = await esbuild.build({
      absWorkingDir: folder,
      entryPoints: [...ENTRIES, "thread"].map((name) => `${name}.js`),
      outdir: "esbuild",
      bundle: true,
      splitting: true,
      minify: true,
      format: "esm",
      logLevel: "silent",
    });
    cpSync(join(folder, "node_modules/wasmograd/dist/bundle/wasm"), join(folder, "esbuild/binaries"), {
      recursive: true,
      filter: (path) => !path.endsWith(".js"),
    });
    for (const name of ENTRIES) writeFileSync(join(folder, "esbuild", `${name}.html`), page(`${name}.js`));
    return warnings.map(({ text }) => text);
  },

  /** No bundler: the package's folder beside the page, and its address in the imports. */
  async script(folder) {
    const target = join(folder, "script");
    mkdirSync(target);
    cpSync(join(folder, "node_modules/wasmograd/dist/bundle"), join(target, "wasmograd"), { recursive: true });
    cpSync(join(folder, "picture.js"), join(target, "picture.js"));
    for (const [name, entry] of [
      ["inlined", "./wasmograd/index.js"],
      ["files", "./wasmograd/wasm/index.js"],
    ] as const) {
      const script = `import { createUpscaler } from "${entry}";
import { upscaled } from "./picture.js";
globalThis.upscaled = (options) => upscaled(createUpscaler, options);
`;
      writeFileSync(join(target, `${name}.js`), script);
      writeFileSync(join(target, `${name}.html`), page(`${name}.js`));
    }
    return [];
  },
};
