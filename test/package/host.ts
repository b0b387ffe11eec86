/** A plain file host: no special headers, a strict content security policy, and optionally a page for whatever it does not have. */
import { readFileSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join } from "node:path";

const TYPES: Readonly<Record<string, string>> = { ".html": "text/html", ".js": "text/javascript" };
const POLICY = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; worker-src 'self'";

export interface Host {
  readonly url: string;
  close(): void;
}

/** Serves a folder. Paths below /pages/ that are not there are answered as single-page hosts do: with a page, and status 200. */
export async function serve(folder: string): Promise<Host> {
  const server = createServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url!, "http://localhost").pathname);
    const file = join(folder, path);
    response.setHeader("content-security-policy", POLICY);
    if (path === "/favicon.ico") response.writeHead(204).end();
    else if (file.startsWith(folder) && statSync(file, { throwIfNoEntry: false })?.isFile()) {
      // WebAssembly as plain bytes, as hosts that do not know the type send it.
      const type = TYPES[extname(file)] ?? "application/octet-stream";
      response.setHeader("content-type", type).end(readFileSync(file));
    } else if (path.startsWith("/pages/")) {
      response.setHeader("content-type", "text/html").end("<!doctype html><title>A page for everything</title>");
    } else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${(server.address() as { port: number }).port}`, close: () => void server.close() };
}
