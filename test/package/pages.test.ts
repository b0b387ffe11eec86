/** The packed package, built by bundlers and without one, run in a page under a strict content security policy. */
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createUpscaler } from "../../src/upscale/create-upscaler.ts";
import { CHROMIUM, FLAGS, hasChromium } from "../browser/page.ts";
import { BUILDS } from "./builds.ts";
import { upscaled } from "./fixtures/picture.js";
import { type Host, serve } from "./host.ts";
import { type Installed, install } from "./installed.ts";

if (!hasChromium) console.warn(`skipped: pages of bundlers, as there is no Chromium at ${CHROMIUM}`);

/** What a bundler cannot do by itself, as docs/browsers-and-bundlers.md says. */
const OPTIONS: Readonly<Record<string, { readonly wasmUrl?: string; readonly workerUrl?: string }>> = {
  esbuild: { wasmUrl: "./binaries/kernels.wasm", workerUrl: "./thread.js" },
};

describe.runIf(hasChromium)("in a page", () => {
  let installed: Installed;
  let host: Host;
  let browser: Browser;
  let expected: string;
  beforeAll(async () => {
    installed = install();
    host = await serve(installed.folder);
    browser = await chromium.launch({ executablePath: CHROMIUM, headless: true, args: FLAGS });
    expected = (await upscaled(createUpscaler, { threads: 1 })).digest;
  });
  afterAll(async () => {
    await browser?.close();
    host?.close();
    installed?.remove();
  });

  /** Opens a page whose console has to stay empty unless `use` expects otherwise; returns what came there, and paths asked for. */
  async function visit(path: string, use: (page: Page) => Promise<void>) {
    const page = await browser.newPage();
    const [complaints, requests]: [string[], string[]] = [[], []];
    page.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
    });
    page.on("pageerror", (error) => complaints.push(String(error)));
    page.context().on("request", (request) => requests.push(new URL(request.url()).pathname));
    try {
      await page.goto(`${host.url}/${path}`);
      await page.waitForFunction("globalThis.upscaled !== undefined");
      await use(page);
    } finally {
      await page.close();
    }
    return { complaints, requests };
  }
  const call = (page: Page, name: string, options: object): Promise<unknown> =>
    page.evaluate(`globalThis.${name}(${JSON.stringify(options)})`);

  test.each(Object.keys(BUILDS))(
    "%s: the bits of Node, inlined and from files, by one thread and by two",
    async (name) => {
      expect(await BUILDS[name]!(installed.folder)).toEqual([]);
      for (const entry of ["inlined", "files"]) {
        const { complaints, requests } = await visit(`${name}/${entry}.html`, async (page) => {
          for (const threads of [1, 2]) {
            const { wasmUrl, workerUrl } = OPTIONS[name] ?? {};
            const own = { ...(wasmUrl && entry === "files" && { wasmUrl }), ...(workerUrl && { workerUrl }) };
            expect(await call(page, "upscaled", { threads, ...own })).toEqual({ digest: expected, threads });
          }
          if (entry === "files" && name !== "script") {
            expect(
              await call(page, "classified", OPTIONS[name]?.wasmUrl ? { wasmUrl: OPTIONS[name]!.wasmUrl } : {}),
            ).toBe(10);
          }
        });
        expect(complaints).toEqual([]);
        const binaries = requests.filter((path) => path.endsWith(".wasm")).length;
        expect(binaries).toBe(entry === "inlined" ? 0 : name === "script" ? 1 : 2);
      }
    },
  );

  test("a server that answers with a page, or not at all, is named with what came", async () => {
    const { complaints } = await visit("script/files.html", async (page) => {
      const failure = async (wasmUrl: string): Promise<string> =>
        (await page.evaluate(
          `upscaled({ wasmUrl: ${JSON.stringify(wasmUrl)} }).then(() => "none", ({ code, message }) => code + " " + message)`,
        )) as string;
      expect(await failure("/pages/kernels.wasm")).toBe(
        `ERR_WASM ${host.url}/pages/kernels.wasm: expected a WebAssembly file, got an HTML page of type text/html, beginning with ` +
          '"<!doctype html><title>A " (see docs/browsers-and-bundlers.md)',
      );
      expect(await failure("gone.wasm")).toMatch(
        /^ERR_WASM \S+gone\.wasm: expected a WebAssembly file, got status 404/,
      );
      expect(await failure("wasmograd/wasm/layers.wasm")).toMatch(/^ERR_WASM .*got another WebAssembly binary$/);
      // Nothing of that is kept.
      expect(await call(page, "upscaled", { threads: 1 })).toEqual({ digest: expected, threads: 1 });
    });
    expect(complaints).toEqual([expect.stringContaining("404")]);
  });
});
