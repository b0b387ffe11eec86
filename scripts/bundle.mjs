/**
 * Bundles the built library into the few files that the package's entries name, as importing a hundred small modules takes longer than
 * making a network ready. The modules in dist/ stay for the command line and for their types.
 *
 * - dist/bundle/: the entries, the thread's code, and what they share in chunks beside them; weights/ the trained networks
 * - dist/bundle/wasm/: the entry whose binaries are files
 * - dist/cjs/: all entries as one CommonJS file, for Node before 20.19, which cannot require() ES modules (scripts/commonjs.mjs)
 *
 * usage: node scripts/bundle.mjs      after tsc has written dist/, as the weights' modules there are replaced (npm run build does both)
 */
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import { build } from "esbuild";
import { bundleCommonJs } from "./commonjs.mjs";

/**
 * What few pages need and load when they do, by path in dist/. Each is a file of its own that shares the error type with the others and
 * nothing else: bundlers put what a page could use and what it loads later into one chunk, and would load it at once.
 */
const LATER = [
  "engine/prepare-f32.js",
  "engine/layer-steps.js",
  "image/resize-strips.js",
  "models/fsrcnn.js",
  "upscale/trained-model.js",
  "detector/assemble.js",
];
const later = new RegExp(`/(?:${LATER.map((path) => basename(path, ".js")).join("|")})\\.js$`);

/** Public entries of the default build, by the name of their file; package.json has the subpath of each. */
const ENTRIES = {
  index: "dist/index.js",
  kernels: "dist/entries/kernels.js",
  winograd: "dist/entries/winograd.js",
  models: "dist/entries/models.js",
  timing: "dist/entries/timing.js",
  image: "dist/entries/image.js",
  node: "dist/node/index.js",
  "serve-upscaler": "dist/upscale/serve-upscaler.js",
};
const BINARIES = ["kernels", "layers", "attention", "kernels-relaxed", "attention-relaxed"];

const COMMON = {
  bundle: true,
  // Less to read and to parse; the modules that people read are those of dist/.
  minifyWhitespace: true,
  minifySyntax: true,
  format: "esm",
  target: "es2022",
  packages: "external",
  external: ["node:*"],
  // Beside the entries, where `new URL("./worker.js", import.meta.url)` of a chunk finds the thread's code.
  chunkNames: "[name]-[hash]",
  splitting: true,
  logLevel: "warning",
};

/** Keeps imports of the files that `pattern` matches as imports of a bundle of that name in `folder`. */
const apart = (pattern, folder, kinds) => ({
  name: "apart",
  setup({ onResolve }) {
    onResolve({ filter: pattern }, ({ path, kind }) =>
      kinds.includes(kind)
        ? { path: `${folder}${basename(path).replace(".generated", "")}`, external: true }
        : undefined,
    );
  },
});
const laterFrom = (folder) => apart(later, folder, ["dynamic-import"]);
const weightsFrom = (folder) => apart(/\.(?:int8|f32)\.generated\.js$/, folder, ["dynamic-import"]);
const errorsFrom = (folder) => apart(/\/errors\.js$/, folder, ["import-statement"]);

/** Takes the binaries from files instead of from modules that embed them. */
const ownFiles = {
  name: "own-files",
  setup({ onResolve }) {
    onResolve({ filter: /\/embedded\.js$/ }, ({ path, resolveDir }) => ({
      path: `${resolveDir}/${basename(path).replace("embedded", "own-files")}`,
    }));
  },
};

rmSync("dist/bundle", { recursive: true, force: true });
await build({
  ...COMMON,
  outdir: "dist/bundle",
  entryPoints: { ...ENTRIES, worker: "dist/upscale/worker.js", errors: "dist/errors.js" },
  plugins: [laterFrom("./"), weightsFrom("./weights/")],
});
for (const path of LATER) {
  // What these import when they need it stays apart too.
  await build({ ...COMMON, outdir: "dist/bundle", entryPoints: [`dist/${path}`], plugins: [errorsFrom("./")] });
}
const weights = readdirSync("dist/upscale/weights").filter((name) => /\.(?:int8|f32)\.generated\.js$/.test(name));
await build({
  ...COMMON,
  outdir: "dist/bundle/weights",
  entryPoints: Object.fromEntries(
    weights.map((name) => [name.replace(".generated.js", ""), `dist/upscale/weights/${name}`]),
  ),
});
await build({
  ...COMMON,
  outdir: "dist/bundle/wasm",
  entryPoints: { index: "dist/entries/wasm.js", worker: "dist/upscale/worker.js" },
  plugins: [ownFiles, laterFrom("../"), weightsFrom("../weights/"), errorsFrom("../")],
});
for (const name of BINARIES) copyFileSync(`build/${name}.wasm`, `dist/bundle/wasm/${name}.wasm`);

// The modules of dist/ import the same files: networks are in the package once.
for (const name of weights) {
  const from = JSON.stringify(`../../bundle/weights/${name.replace(".generated", "")}`);
  writeFileSync(`dist/upscale/weights/${name}`, `export * from ${from};\n`);
}

rmSync("dist/cjs", { recursive: true, force: true });
mkdirSync("dist/cjs", { recursive: true });
const { exports } = JSON.parse(readFileSync("package.json", "utf8"));
await bundleCommonJs(exports, {
  bundle: COMMON,
  plugins: [weightsFrom("../bundle/weights/")],
  sources: {
    ...Object.fromEntries(Object.entries(ENTRIES).map(([name, path]) => [`./dist/bundle/${name}.js`, path])),
    "./dist/bundle/wasm/index.js": "dist/entries/wasm.js",
  },
});
