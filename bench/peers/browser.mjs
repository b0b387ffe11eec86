/** Contestants in pages of headless Chromium. Each has a site of its own, for which Chromium starts a process of its own. */
import { existsSync } from "node:fs";
import { chromium } from "playwright-core";
import { pinThisProcess } from "./pinning.mjs";
import { serve } from "./static-server.mjs";

/** Nothing but what is asked for: no GPU, no updates, no requests of the browser's own. */
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--disable-dev-shm-usage",
  "--no-first-run",
  "--site-per-process",
];
const LOAD_TIMEOUT_MS = 60_000;

function executable() {
  const path = process.env.CHROMIUM ?? "/usr/bin/chromium";
  if (!existsSync(path)) throw new Error(`chromium: not found at ${path}; set CHROMIUM`);
  return path;
}

/** Names under localhost are this machine's, and each is a site to the browser. */
function siteOf(peerName, port) {
  const label = peerName.toLowerCase().replace(/[^a-z0-9]/g, "-");
  return `http://${label}.localhost:${port}`;
}

async function startPage(browser, peerName, port) {
  const page = await browser.newPage();
  await page.goto(`${siteOf(peerName, port)}/bench/peers/page.html?peer=${encodeURIComponent(peerName)}`);
  await page.waitForFunction("globalThis.callSession", null, { timeout: LOAD_TIMEOUT_MS });
  return {
    async call(method, argument) {
      const { result, error } = await page.evaluate((request) => globalThis.callSession(request), { method, argument });
      if (error !== undefined) throw new Error(error);
      return result;
    },
    close: () => page.close(),
  };
}

/** @returns {Promise<import("./measure.mjs").Place>} */
export async function chromiumPlace({ core, folder }) {
  const executablePath = executable();
  pinThisProcess(core);
  const browser = await chromium.launch({ executablePath, headless: true, args: FLAGS });
  const server = await serve(folder);
  return {
    canRun: (peer) => peer.inPage,
    start: (peerName) => startPage(browser, peerName, server.port),
    runtime: () => ({ name: "Chromium", version: browser.version(), v8: null, file: "chromium" }),
    close: async () => {
      await browser.close();
      server.close();
    },
  };
}
