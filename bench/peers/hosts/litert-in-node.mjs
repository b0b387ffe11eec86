/**
 * LiteRT.js is made for browsers; in Node its loader finds neither a window nor a worker. It loads as in a worker when that worker's globals
 * are there: `self`, `WorkerGlobalScope`, `importScripts` and a `fetch` that reads files. Emscripten's own Node path wants `require`,
 * `__dirname` and `__filename`.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { runInThisContext } from "node:vm";

const require = createRequire(import.meta.url);

/** Path of a file URL or of a name in `folder`; undefined for other URLs. */
function localPath(url, folder) {
  if (url.startsWith("file:")) return fileURLToPath(url);
  if (/^[a-z]+:/.test(url)) return undefined;
  return url.startsWith("/") ? url : join(folder, url);
}

function workerGlobals(folder) {
  const scripts = { require, __dirname: folder, __filename: join(folder, "litert.js") };
  const read = (url) => {
    const path = localPath(String(url?.url ?? url), folder);
    if (path === undefined) throw new Error(`fetch: only local files are read, got ${String(url)}`);
    return readFileSync(path);
  };
  return {
    ...scripts,
    self: globalThis,
    WorkerGlobalScope: class {},
    location: { href: `file://${folder}/` },
    importScripts: (url) => runInThisContext(String(read(url)), { filename: String(url) }),
    fetch: async (url) => new Response(read(url), { headers: { "content-type": "application/wasm" } }),
  };
}

export async function openLitertInNode() {
  const folder = join(dirname(require.resolve("@litertjs/core")), "../wasm");
  for (const [name, value] of Object.entries(workerGlobals(folder))) {
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  }
  // Its module reports every model that it compiles; failures are thrown as well.
  for (const level of ["log", "info", "warn", "error"]) console[level] = () => {};
  const litert = await import("@litertjs/core");
  await litert.loadLiteRt(`${folder}/`);
  return litert;
}
