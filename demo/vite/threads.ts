/**
 * Workers as entries of the page's own module graph. Vite bundles each worker by itself, so kernels and weights would come three times: with
 * the worker of a view, with the upscaler's threads and with another view. As entries they share chunks, which the browser loads once.
 */
import { existsSync } from "node:fs";
import { dirname, resolve } from "node:path";
import type { Plugin } from "vite";

const PATTERN = /new Worker\(\s*new URL\("(\.{1,2}\/[^"]+)", import\.meta\.url\)/g;
/** What the library says to Node's threads: nothing that a page could use. */
const NODE_URL = /return new URL\("\.\/worker\.js", import\.meta\.url\);/;

/** The source that a specifier stands for: the library writes `.js`, as its built modules are called. */
function sourceOf(importer: string, specifier: string): string {
  const path = resolve(dirname(importer), specifier);
  const source = path.replace(/\.js$/, ".ts");
  return existsSync(source) ? source : path;
}

export function threads(): Plugin {
  let serving = false;
  return {
    name: "wasmograd-threads",
    enforce: "pre",
    configResolved({ command }) {
      serving = command === "serve";
    },
    transform(code, id) {
      const file = id.split("?")[0]!;
      if (!file.endsWith(".ts") || !code.includes("new Worker(")) return null;
      const replaced = code
        .replace(NODE_URL, 'throw new Error("a page has no threads of Node");')
        .replace(PATTERN, (_, specifier: string) => {
          const source = sourceOf(file, specifier);
          if (serving) return `new Worker(new URL("${specifier.replace(/\.js$/, ".ts")}", import.meta.url)`;
          const reference = this.emitFile({ type: "chunk", id: source });
          return `new Worker(import.meta.ROLLUP_FILE_URL_${reference}`;
        });
      return { code: replaced, map: null };
    },
  };
}
