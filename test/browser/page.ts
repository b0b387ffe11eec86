/** A page of headless Chromium that can import the built package, from a server without special headers. */
import { existsSync, readFileSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
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

/** Scripts of the host and WebAssembly. */
const POLICY = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self'";

/**
 * @param use is given a page whose scripts must come from `folder` and whose console must stay clean: `complaints` are errors, warnings and
 *   what the policy refused
 * @param folder the built package unless given
 */
export async function withPage(
  use: (page: Page, complaints: readonly string[]) => Promise<void>,
  { folder = BUNDLE, flags = [] }: { readonly folder?: string; readonly flags?: readonly string[] } = {},
): Promise<void> {
  const server = createServer((request, response) => {
    const file = join(folder, decodeURIComponent(new URL(request.url!, "http://localhost").pathname));
    response.setHeader("content-security-policy", POLICY);
    if (request.url === "/")
      response.setHeader("content-type", "text/html").end("<!doctype html><title>wasmograd</title>");
    else if (!file.startsWith(folder) || !statSync(file, { throwIfNoEntry: false })?.isFile())
      response.writeHead(404).end();
    else
      response
        .setHeader("content-type", /\.m?js$/.test(file) ? "text/javascript" : "text/plain")
        .end(readFileSync(file));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const browser = await chromium.launch({ executablePath: CHROMIUM, headless: true, args: [...FLAGS, ...flags] });
  try {
    const page = await browser.newPage();
    const complaints: string[] = [];
    // The browser asks for an icon by itself.
    await page.route("**/favicon.ico", (route) => route.fulfill({ status: 204 }));
    page.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
    });
    page.on("pageerror", (error) => complaints.push(String(error)));
    await page.goto(`http://127.0.0.1:${(server.address() as { port: number }).port}/`);
    await use(page, complaints);
  } finally {
    await browser.close();
    server.close();
  }
}
