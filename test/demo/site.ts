/** The demo as a visitor meets it: built, from a plain file host that sends a strict content security policy, in headless Chromium. */
import { readFileSync, rmSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Browser, chromium, type Page } from "playwright-core";
import { build } from "vite";
import { CHROMIUM, FLAGS } from "../browser/page.ts";

const CONFIG = fileURLToPath(new URL("../../demo/vite.config.ts", import.meta.url));
const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
  ".png": "image/png",
};
/** Scripts of the host and WebAssembly, and nothing from anywhere else. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self'",
  "img-src 'self'",
  "media-src 'self' blob:",
  "connect-src 'self'",
  "worker-src 'self'",
].join("; ");

export interface Site {
  readonly folder: string;
  readonly url: string;
  readonly browser: Browser;
  /** Paths that were asked for since this was last emptied. */
  readonly requests: string[];
  close(): Promise<void>;
}

export async function openSite(): Promise<Site> {
  const folder = join(tmpdir(), `wasmograd-demo-${process.pid}`);
  await build({ configFile: CONFIG, logLevel: "error", build: { outDir: folder, emptyOutDir: true } });
  const requests: string[] = [];
  const server = createServer((request, response) => {
    // Below a folder, as a project's pages are: addresses have to be relative.
    const { pathname } = new URL(request.url!, "http://localhost");
    const path = pathname.replace(/^\/some\/folder\/$/, "/some/folder/index.html");
    const file = join(folder, decodeURIComponent(path.replace(/^\/some\/folder\//, "/")));
    const found = path.startsWith("/some/folder/") && statSync(file, { throwIfNoEntry: false })?.isFile();
    requests.push(path);
    if (!found) {
      response.writeHead(404).end();
      return;
    }
    response
      .setHeader("content-type", TYPES[extname(file)] ?? "application/octet-stream")
      .setHeader("content-security-policy", POLICY)
      .end(readFileSync(file));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const browser = await chromium.launch({ executablePath: CHROMIUM, headless: true, args: FLAGS });
  return {
    folder,
    url: `http://127.0.0.1:${(server.address() as { port: number }).port}/some/folder/`,
    browser,
    requests,
    async close() {
      await browser.close();
      server.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export interface PageOptions {
  readonly width?: number;
  readonly height?: number;
  readonly theme?: "light" | "dark";
  readonly view?: string;
  /** Without the service worker, which fetches ahead. */
  readonly offline?: false;
}

/** A page of its own, whose console must stay clean: `complaints` are errors, warnings and what the policy refused. */
export async function openPage(
  { browser, url }: Site,
  { width = 1280, height = 800, theme = "light", view = "upscale", offline }: PageOptions = {},
): Promise<{ page: Page; complaints: string[] }> {
  const context = await browser.newContext({
    viewport: { width, height },
    colorScheme: theme,
    ...(offline === false && { serviceWorkers: "block" as const }),
  });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  await page.goto(`${url}#${view}`);
  return { page, complaints };
}
