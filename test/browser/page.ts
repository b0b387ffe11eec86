/** A page of headless Chromium that can import the built package, from a server without special headers. */
import { existsSync, readFileSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium, type Page } from "playwright-core";

export const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";
const BUNDLE = fileURLToPath(new URL("../../dist/bundle", import.meta.url));
export const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-background-networking",
  "--disable-dev-shm-usage",
  "--no-first-run",
];

export const hasChromium = existsSync(CHROMIUM);

export async function withPage(use: (page: Page) => Promise<void>): Promise<void> {
  const server = createServer((request, response) => {
    const file = join(BUNDLE, decodeURIComponent(new URL(request.url!, "http://localhost").pathname));
    if (request.url === "/")
      response.setHeader("content-type", "text/html").end("<!doctype html><title>wasmograd</title>");
    else if (!file.startsWith(BUNDLE) || !statSync(file, { throwIfNoEntry: false })?.isFile())
      response.writeHead(404).end();
    else
      response
        .setHeader("content-type", extname(file) === ".js" ? "text/javascript" : "text/plain")
        .end(readFileSync(file));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const browser = await chromium.launch({ executablePath: CHROMIUM, headless: true, args: FLAGS });
  try {
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${(server.address() as { port: number }).port}/`);
    await use(page);
  } finally {
    await browser.close();
    server.close();
  }
}
