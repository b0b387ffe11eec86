/** The demo as a visitor meets it: built, from a plain file host that sends a strict content security policy, in headless Chromium. */
import { rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Browser, chromium, type Page } from "playwright-core";
import { build, preview } from "vite";
import { CHROMIUM, FLAGS } from "../browser/page.ts";

const CONFIG = fileURLToPath(new URL("../../demo/vite.config.ts", import.meta.url));
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
  // Below a folder, as a project's pages are: addresses have to be relative.
  const server = await preview({
    configFile: CONFIG,
    base: "/some/folder/",
    appType: "mpa",
    logLevel: "error",
    build: { outDir: folder },
    preview: { host: "127.0.0.1", port: 0, headers: { "content-security-policy": POLICY } },
  });
  server.httpServer.prependListener("request", ({ url }) => requests.push(new URL(url!, "http://localhost").pathname));
  const browser = await chromium.launch({ executablePath: CHROMIUM, headless: true, args: FLAGS });
  return {
    folder,
    url: server.resolvedUrls!.local[0]!,
    browser,
    requests,
    async close() {
      await browser.close();
      await server.close();
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
