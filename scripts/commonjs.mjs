/**
 * The entries for `require()` where Node cannot load ES modules with it: the library once, in one file, and a file an entry that hands out
 * its part. Types are those of the ES modules, so that what either form returns fits the other. Called by scripts/bundle.mjs.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, relative } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";

/**
 * @param exports of package.json: entries with a "require" condition are made
 * @param sources the module in dist/ that each entry's bundle is made of
 */
export async function bundleCommonJs(exports, { bundle, plugins, sources }) {
  const entries = Object.values(exports)
    .filter((entry) => entry.require)
    .map(({ require: target, default: { default: module, types } }) => {
      const name = basename(target.default, ".cjs");
      return { name, key: name.replace(/-(\w)/g, (_, letter) => letter.toUpperCase()), module, types };
    });
  const { metafile } = await build({
    ...bundle,
    stdin: {
      contents: entries.map(({ key, module }) => `export * as ${key} from "./${sources[module]}";`).join("\n"),
      resolveDir: ".",
    },
    outfile: "dist/cjs/library.cjs",
    format: "cjs",
    splitting: false,
    platform: "node",
    // ES modules cannot be required here, so they come along.
    packages: "bundle",
    external: ["node:*", "jpeg-js"],
    // Beside the ES modules, where threads start, and from where `sharp` is looked for.
    define: { "import.meta.url": "moduleUrl" },
    banner: {
      js:
        'const moduleUrl=process.getBuiltinModule("node:url").pathToFileURL(' +
        'process.getBuiltinModule("node:path").join(__dirname,"../bundle/index.js")).href;',
    },
    metafile: true,
    plugins,
  });
  for (const { name, key, module, types } of entries) {
    writeFileSync(`dist/cjs/${name}.cjs`, `module.exports = require("./library.cjs").${key};\n`);
    writeFileSync(`dist/cjs/${name}.d.cts`, await typesOf(module, relative("dist/cjs", types)));
  }
  writeFileSync("dist/cjs/LICENSES.txt", licences(Object.keys(metafile.inputs)));
}

/** Declares the values of an ES module, found by importing it, with its types. */
async function typesOf(module, types) {
  const values = Object.entries(await import(pathToFileURL(module).href));
  const mode = 'with { "resolution-mode": "import" }';
  return [
    `import type * as esm from "${types.replace(/\.d\.ts$/, ".js")}" ${mode};`,
    `export type * from "${types.replace(/\.d\.ts$/, ".js")}" ${mode};`,
    ...values.flatMap(([name, value]) => [
      `export declare const ${name}: typeof esm.${name};`,
      ...(/^class\b/.test(typeof value === "function" ? String(value) : "")
        ? [`export type ${name} = esm.${name};`]
        : []),
    ]),
    "",
  ].join("\n");
}

/** The licences of the packages among the inputs, whose code is in the file. */
function licences(inputs) {
  const packages = new Set(inputs.flatMap((path) => path.match(/^.*node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/) ?? []));
  const texts = [...packages].sort().map((folder) => {
    const { name, version } = JSON.parse(readFileSync(`${folder}/package.json`, "utf8"));
    const file = ["LICENSE", "LICENSE.md", "LICENSE.txt", "license"].find((one) => existsSync(`${folder}/${one}`));
    if (!file) throw new Error(`${dirname(folder)}: ${name} has no licence file`);
    return `${name} ${version}\n\n${readFileSync(`${folder}/${file}`, "utf8").trim()}\n`;
  });
  return `Code of these packages is part of library.cjs.\n\n${texts.join(`\n${"-".repeat(80)}\n\n`)}`;
}
