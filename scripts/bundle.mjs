// Bundles the built library into the few files that the package's entries name, as importing a hundred small modules takes longer than
// making a network ready: index, node and the thread's code, with what they share in chunks beside them. The modules in dist/ stay for the
// command line and for their types. usage: node scripts/bundle.mjs
import { rmSync } from "node:fs";
import { basename } from "node:path";
import { build } from "esbuild";

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

const COMMON = {
  outdir: "dist/bundle",
  bundle: true,
  // Less to read and to parse; the modules that people read are those of dist/.
  minifyWhitespace: true,
  minifySyntax: true,
  format: "esm",
  target: "es2022",
  packages: "external",
  external: ["node:*"],
  logLevel: "warning",
};

/** Keeps imports of the files that `pattern` matches as imports of the bundle of the same name. */
const apart = (pattern, kinds) => ({
  name: "apart",
  setup({ onResolve }) {
    onResolve({ filter: pattern }, ({ path, kind }) =>
      kinds.includes(kind) ? { path: `./${basename(path)}`, external: true } : undefined,
    );
  },
});

rmSync("dist/bundle", { recursive: true, force: true });
const later = new RegExp(`/(?:${LATER.map((path) => basename(path, ".js")).join("|")})\\.js$`);
await build({
  ...COMMON,
  entryPoints: {
    index: "dist/index.js",
    node: "dist/node/index.js",
    worker: "dist/upscale/worker.js",
    errors: "dist/errors.js",
  },
  // Beside the entries, where `new URL("./worker.js", import.meta.url)` of a chunk finds the thread's code.
  chunkNames: "[name]-[hash]",
  splitting: true,
  plugins: [apart(later, ["dynamic-import"])],
});
for (const path of LATER) {
  await build({
    ...COMMON,
    entryPoints: [`dist/${path}`],
    // What these import when they need it, the binaries of layers for one, stays apart too.
    chunkNames: "[name]-[hash]",
    splitting: true,
    plugins: [apart(/\/errors\.js$/, ["import-statement"])],
  });
}
