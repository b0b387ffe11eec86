/** The demo's other views, and what all of them owe: accessibility in both themes, room on narrow and wide screens, a clean console. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hasChromium } from "../browser/page.ts";
import { openPage, openSite, type Site } from "./site.ts";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** What a busy machine takes is no matter here. */
const eventually = <T>(read: () => T) => expect.poll(read, { timeout: 20_000 });

/** As `wasmograd bench --json` prints it, invented. */
const BENCH_REPORT = {
  machine: { cpu: "none", runtime: "none" },
  roofline: { dotI16x8: 40, f32MulAdd: 20 },
  kernels: [
    ["int8 conv3x3 direct", "56x56 64->64", 30],
    ["int8 conv3x3 f4x4-3x3-complex", "56x56 64->64", 80],
    ["f32 conv1x1 direct", "56x56 64->256", 15],
  ].map(([name, shape, gmacPerS]) => ({
    name,
    shape,
    gmacPerS,
    medianMs: 1,
    spread: 0.1,
    ofRoofline: 0.9,
    overDirect: 1,
  })),
};
const bench = { name: "bench.json", mimeType: "application/json", buffer: Buffer.from(JSON.stringify(BENCH_REPORT)) };

/** Each view with something in it. */
const FILL: Readonly<Record<string, (page: Page) => Promise<void>>> = {
  async upscale(page) {
    await page.waitForSelector(".upscale[data-ready]");
    await page.click("[data-part=example]");
    await page.waitForSelector(".upscale[data-state=done]");
  },
  async live(page) {
    await page.click(".live [data-part=start]");
    await eventually(() => page.textContent(".live [data-part=figures]")).toMatch(/enlarged[1-9]/);
  },
  async lab(page) {
    await page.waitForSelector(".lab [data-part=answer]:not([hidden])");
    await page.click(".lab [data-part=verify]");
    await page.waitForSelector(".lab .good");
    await page.click(".lab summary");
  },
  async bench(page) {
    await page.setInputFiles(".bench [data-part=file]", bench);
    await page.waitForSelector(".bench canvas");
    await page.click(".bench summary");
  },
  async simulate(page) {
    await page.waitForSelector(".simulate [data-part=answer]:not([hidden])");
  },
};

describe.runIf(hasChromium)("every view", () => {
  let site: Site;
  beforeAll(async () => {
    site = await openSite();
  }, 60_000);
  afterAll(() => site.close());

  test.each(Object.keys(FILL))(
    "%s: accessible in both themes, fits 360 and 1920 pixels, a clean console",
    async (view) => {
      const { page, complaints } = await openPage(site, { view });
      const violations = async (): Promise<string[]> => {
        await page.evaluate(AXE);
        return page.evaluate(async () => {
          const { axe } = globalThis as unknown as { axe: typeof import("axe-core") };
          const found = await axe.run(document, { resultTypes: ["violations"] });
          return found.violations.flatMap(({ id, nodes }) => nodes.map(({ target }) => `${id}: ${target.join(" ")}`));
        });
      };
      const tooWide = (): Promise<number> => page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      await page.waitForSelector(`.${view} h1`, { state: "attached" });
      expect(await violations()).toEqual([]);
      await FILL[view]!(page);
      for (const theme of ["light", "dark"]) {
        expect(await page.evaluate(() => document.documentElement.dataset.theme)).toBe(theme);
        for (const width of [360, 1920]) {
          await page.setViewportSize({ width, height: 800 });
          await page.waitForTimeout(100);
          expect(await tooWide(), `at ${width}`).toBeLessThanOrEqual(0);
        }
        expect(await violations(), theme).toEqual([]);
        await page.click("[data-part=theme]");
      }
      expect(complaints).toEqual([]);
      await page.context().close();
    },
  );

  test("what search engines, readers and small screens ask of a document", async () => {
    const { page, complaints } = await openPage(site);
    const failed: string[] = [];
    page.on("response", (response) => {
      if (response.status() >= 400) failed.push(`${response.status()} ${response.url()}`);
    });
    await page.reload();
    const titles: string[] = [];
    for (const view of Object.keys(FILL)) {
      await page.click(`nav a[href="#${view}"]`);
      await page.waitForSelector(`.${view} h1`, { state: "attached" });
      titles.push(await page.title());
      expect(await page.getAttribute(`nav a[href="#${view}"]`, "aria-current")).toBe("page");
      const found = await page.evaluate(() => {
        const visible = <E extends HTMLElement>(selector: string): E[] =>
          [...document.querySelectorAll<E>(selector)].filter((one) => one.checkVisibility());
        const levels = visible(".view:not([hidden]) :is(h1, h2, h3)").map(({ tagName }) => Number(tagName[1]));
        const small = visible("button, select, nav a").filter((one) => {
          const { width, height } = one.getBoundingClientRect();
          return Math.min(width, height) < 24;
        });
        return {
          skipped: levels.filter((level, i) => i > 0 && level > levels[i - 1]! + 1).length,
          headings: document.querySelectorAll(".view:not([hidden]) h1").length,
          small: small.map(({ outerHTML }) => outerHTML.slice(0, 80)),
        };
      });
      expect(found, view).toEqual({ skipped: 0, headings: 1, small: [] });
    }
    expect(titles).toEqual(["Upscale", "Live", "Lab", "Bench", "Simulate"].map((name) => `${name} · wasmograd`));
    const head = await page.evaluate(() => {
      const content = (name: string) => document.querySelector<HTMLMetaElement>(`meta[name=${name}]`)?.content ?? "";
      return {
        language: document.documentElement.lang,
        viewport: content("viewport"),
        description: content("description").length,
        doctype: document.doctype?.name,
        encoding: document.characterSet,
        mode: document.compatMode,
      };
    });
    expect(head).toMatchObject({ language: "en", doctype: "html", encoding: "UTF-8", mode: "CSS1Compat" });
    expect(head.viewport).toBe("width=device-width, initial-scale=1");
    expect(head.description).toBeGreaterThanOrEqual(50);
    expect(head.description).toBeLessThanOrEqual(160);
    expect(failed).toEqual([]);
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  test("the system's theme is taken, the switch goes over it and is remembered", async () => {
    const { page } = await openPage(site, { theme: "dark" });
    const background = (): Promise<string> =>
      page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
    const dark = await background();
    await page.click("[data-part=theme]");
    const light = await background();
    expect(light).not.toBe(dark);
    await page.reload();
    expect(await background()).toBe(light);
    await page.context().close();
  });

  test("live: frames are enlarged and counted, stop stops, no camera is said to be none", async () => {
    const { page, complaints } = await openPage(site, { view: "live" });
    await FILL.live!(page);
    await eventually(() => page.textContent(".live [data-part=figures]")).toMatch(/Frames a second\d+\.\d of \d+/);
    const size = await page.evaluate(() => {
      const { width, height } = document.querySelector<HTMLCanvasElement>(".live .after")!;
      return [width, height];
    });
    expect(size).toEqual([960, 540]);
    await page.click(".live [data-part=stop]");
    const enlarged = await page.textContent(".live [data-part=figures]");
    await page.waitForTimeout(300);
    expect(await page.textContent(".live [data-part=figures]")).toBe(enlarged);
    await page.selectOption(".live [name=source]", "camera");
    await eventually(() => page.textContent(".live [role=alert]")).toMatch(/camera.*; here is the clip instead/);
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  test("lab: points of one's own, what is wrong with them, and what does not fit int16", async () => {
    const { page, complaints } = await openPage(site, { view: "lab" });
    await page.waitForSelector(".lab [data-part=answer]:not([hidden])");
    const headline = (): Promise<string | null> => page.textContent(".lab [data-part=headline]");
    expect(await headline()).toMatch(/^46 products.* 144: 3.13 times.*holds.*exact to 917 channels/);
    await page.fill(".lab [name=points]", "0, 1, -1, inf");
    await eventually(() => page.textContent(".lab [role=alert]")).toMatch(/^points: F\(4, 3\) needs/);
    await page.fill(".lab [name=m]", "2");
    await eventually(headline).toMatch(/^16 products.* 36: 2.25 times/);
    expect(await page.inputValue(".lab [name=known]")).toBe("f2x2-3x3");
    await page.selectOption(".lab [name=known]", "f6x6-3x3-rational");
    await eventually(headline).toMatch(/^64 products.*does not fit int16/);
    await page.click(".lab [data-part=verify]");
    await page.waitForSelector(".lab .bad");
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  test("bench: measures with progress until it is cancelled; refuses what is no report", async () => {
    const { page, complaints } = await openPage(site, { view: "bench" });
    await page.selectOption(".bench [name=suite]", "f32");
    await page.click(".bench [data-part=start]");
    await eventually(() => page.textContent(".bench [role=status]")).toMatch(/timing f32/);
    await page.click(".bench [data-part=cancel]");
    expect(await page.textContent(".bench [role=status]")).toMatch(/^Cancelled/);
    await page.setInputFiles(".bench [data-part=file]", { ...bench, buffer: Buffer.from("{}") });
    await eventually(() => page.textContent(".bench [role=alert]")).toMatch(/^bench.json: that is not a report/);
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  test.runIf(process.env.WASMOGRAD_SLOW)(
    "bench: a whole suite, as the command line has it",
    { timeout: 180_000 },
    async () => {
      const { page } = await openPage(site, { view: "bench" });
      await page.selectOption(".bench [name=suite]", "f32");
      await page.click(".bench [data-part=start]");
      await page.waitForSelector(".bench canvas", { timeout: 170_000 });
      expect(await page.textContent(".bench [data-part=table]")).toMatch(/f32 conv3x3 direct56x56 64 → 64/);
      await page.context().close();
    },
  );

  test("simulate: another network on another device, a wrong size in one line, the trace", async () => {
    const { page, complaints } = await openPage(site, { view: "simulate" });
    await FILL.simulate!(page);
    await page.selectOption(".simulate [name=model]", "mobilenet-v2");
    await page.selectOption(".simulate [name=device]", "ethos-n78-4tops-4ple");
    await eventually(() => page.textContent(".simulate [data-part=title]")).toBe(
      "mobilenet-v2 on ethos-n78-4tops-4ple",
    );
    const operations = /Operations(\d+)$/.exec((await page.textContent(".simulate [data-part=figures]"))!)![1];
    await eventually(() => page.locator(".simulate .layers tbody tr").count()).toBe(Number(operations));
    await eventually(() => page.locator(".simulate .gantt rect").count()).toBeGreaterThan(100);
    await page.fill(".simulate [name=input]", "96 by 96");
    await eventually(() => page.textContent(".simulate [role=alert]")).toMatch(/^input: expected height × width/);
    await page.fill(".simulate [name=input]", "96 x 96");
    await eventually(() => page.textContent(".simulate [data-part=headline]")).toMatch(/96 × 96/);
    const [download] = await Promise.all([page.waitForEvent("download"), page.click(".simulate [data-part=trace]")]);
    const trace = JSON.parse(readFileSync((await download.path())!, "utf8"));
    const events = trace.traceEvents.filter(({ ph }: { ph: string }) => ph === "X");
    expect(events.length).toBeGreaterThan(60);
    const end = Math.max(...events.map(({ ts, dur }: { ts: number; dur: number }) => ts + dur));
    // The headline has three digits.
    const shown = Number.parseFloat((await page.textContent(".simulate [data-part=headline] strong"))!);
    expect(Math.abs(end / 1000 / shown - 1)).toBeLessThan(0.005);
    expect(await page.textContent(".simulate [data-part=headline]")).toMatch(/Simulated block by block/);
    await page.selectOption(".simulate [name=mode]", "analytic");
    await eventually(() => page.textContent(".simulate [data-part=headline]")).toMatch(/Estimated by closed formulas/);
    await page.selectOption(".simulate [name=device]", "systolic");
    await eventually(() => page.textContent(".simulate [data-part=title]")).toBe("mobilenet-v2 on systolic");
    expect(complaints).toEqual([]);
    await page.context().close();
  });
});
