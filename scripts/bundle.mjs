// Bundles the built library into the few files that the package's entries name, as importing a hundred small modules takes longer than
// making a network ready: index, node and the thread's code, with what they share in chunks beside them. The modules in dist/ stay for the
// command line and for their types. usage: node scripts/bundle.mjs
import { rmSync } from "node:fs";
import { build } from "esbuild";

rmSync("dist/bundle", { recursive: true, force: true });
await build({
  entryPoints: { index: "dist/index.js", node: "dist/node/index.js", worker: "dist/upscale/worker.js" },
  outdir: "dist/bundle",
  // Beside the entries, where `new URL("./worker.js", import.meta.url)` of a chunk finds the thread's code.
  chunkNames: "[name]-[hash]",
  bundle: true,
  // Less to read and to parse; the modules that people read are those of dist/.
  minifyWhitespace: true,
  minifySyntax: true,
  splitting: true,
  format: "esm",
  target: "es2022",
  packages: "external",
  external: ["node:*"],
  logLevel: "warning",
});
