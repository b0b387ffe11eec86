/** The repository's files for the pages, and the parent's folder under /work/. No special headers: wasmograd needs none. */
import { createReadStream, statSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, normalize, sep } from "node:path";
import { fileURLToPath } from "node:url";

const REPOSITORY = fileURLToPath(new URL("../..", import.meta.url));
const TYPES = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".json": "application/json",
  ".mjs": "text/javascript",
  ".wasm": "application/wasm",
};

/** Path of the file that is asked for, or undefined when it is outside or not there. */
function fileFor(url, folder) {
  const path = normalize(decodeURIComponent(new URL(url, "http://localhost").pathname));
  const file = path.startsWith("/work/") ? join(folder, path.slice("/work/".length)) : join(REPOSITORY, path);
  const inside = [REPOSITORY, folder + sep].some((root) => file.startsWith(root));
  return inside && statSync(file, { throwIfNoEntry: false })?.isFile() ? file : undefined;
}

/** Serves on a free port. @returns {Promise<{ port: number, close: () => void }>} */
export function serve(folder) {
  const server = createServer((request, response) => {
    const file = fileFor(request.url, folder);
    if (!file) {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, { "content-type": TYPES[extname(file)] ?? "application/octet-stream" });
    createReadStream(file).pipe(response);
  });
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => resolve({ port: server.address().port, close: () => server.close() }));
  });
}
