/** What the README and the page on browsers tell people to write does what they say; documents keep to their width and their links lead somewhere. */
import { createHash } from "node:crypto";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { transformSync } from "esbuild";
import { chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readImage } from "../../src/node/files.ts";
import { CHROMIUM, FLAGS, hasChromium } from "../browser/page.ts";
import { run } from "../package/installed.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const read = (path: string): string => readFileSync(join(ROOT, path), "utf8");
const GUIDES = ["README.md", "docs/browsers-and-bundlers.md", "docs/demo.md"];

/** The code blocks of a language. */
const blocks = (path: string, language: string): string[] =>
  [...read(path).matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\``, "gms"))].map(([, code]) => code!);

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "wasmograd-readme-"));
  mkdirSync(join(folder, "node_modules"));
  symlinkSync(ROOT, join(folder, "node_modules/wasmograd"), "dir");
  copyFileSync(join(ROOT, "examples/photo.png"), join(folder, "photo.png"));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs a program in the folder; what it printed. */
function program(code: string): string {
  writeFileSync(join(folder, "program.mjs"), code);
  return run(process.execPath, ["program.mjs"], folder);
}

/** A page with the library below /wasmograd/, the folder's files and those given; what its console says goes to `said`. */
async function open(files: Readonly<Record<string, string>>, use: (page: Page, said: string[]) => Promise<void>) {
  const types: Readonly<Record<string, string>> = { ".js": "text/javascript", ".png": "image/png" };
  const browser = await chromium.launch({ executablePath: CHROMIUM, headless: true, args: FLAGS });
  try {
    const page = await browser.newPage();
    const said: string[] = [];
    page.on("console", (message) => said.push(message.text()));
    page.on("pageerror", (error) => said.push(String(error)));
    await page.context().route("**/*", (route) => {
      const path = new URL(route.request().url()).pathname;
      if (path === "/") return route.fulfill({ contentType: "text/html", body: `<!doctype html>\n${files[path]}` });
      if (path === "/favicon.ico") return route.fulfill({ status: 204 });
      const file = path.startsWith("/wasmograd/") ? join(ROOT, "dist/bundle", path.slice(11)) : join(folder, path);
      return route.fulfill({ contentType: types[extname(path)]!, body: files[path] ?? readFileSync(file) });
    });
    await page.goto("http://localhost/");
    await use(page, said);
  } finally {
    await browser.close();
  }
}

describe("the quick start of the README", () => {
  beforeAll(() => {
    program(blocks("README.md", "js")[0]!);
  });

  test("in Node, writes the picture at twice its size", async () => {
    const [photo, large] = [await readImage(join(folder, "photo.png")), await readImage(join(folder, "large.png"))];
    expect([large.width, large.height]).toEqual([2 * photo.width, 2 * photo.height]);
  });

  test.runIf(hasChromium)("in a page, paints the same pixels", async () => {
    const large = await readImage(join(folder, "large.png"));
    expect(large.channels).toBe(3);
    await open({ "/": blocks("README.md", "html")[0]! }, async (page, said) => {
      await page.waitForFunction(`document.querySelector("canvas").width === ${large.width}`);
      const painted = await page.evaluate(`(async () => {
        const { width, height } = document.querySelector("canvas");
        const { data } = document.querySelector("canvas").getContext("2d").getImageData(0, 0, width, height);
        const hash = await crypto.subtle.digest("SHA-256", data.filter((_, i) => i % 4 !== 3));
        return [...new Uint8Array(hash)];
      })()`);
      expect(painted).toEqual([...createHash("sha256").update(large.data).digest()]);
      expect(said).toEqual([]);
    });
  });
});

test("the README's Winograd algorithm has the figures that stand beside it", () => {
  const code = blocks("README.md", "js").find((one) => one.includes("summarise("))!;
  const printed = program(`${code}\nconsole.log(products, reduction.toFixed(2), exactness);`);
  const [products, reduction, ...exactness] = printed.trim().split(" ");
  expect(code).toContain(`// ${products}, ${reduction}..., "${exactness.join(" ")}"`);
});

test.runIf(hasChromium)("the worker of docs/browsers-and-bundlers.md gives the larger picture back", async () => {
  const codes = blocks("docs/browsers-and-bundlers.md", "js");
  const worker = codes.find((one) => one.startsWith("// upscale-worker.js"))!;
  const caller = codes.find((one) => one.includes('new URL("./upscale-worker.js"'))!;
  const files = {
    "/": '<script type="module" src="/page.js"></script>',
    "/page.js": `const imageData = new ImageData(32, 24);\n${caller}`,
    "/upscale-worker.js": worker.replace('"wasmograd"', '"/wasmograd/index.js"'),
  };
  await open(files, async (page, said) => {
    await page.waitForEvent("console");
    expect(said).toEqual(["64 48"]);
  });
});

test.each(GUIDES)("%s: every piece of JavaScript can be parsed", (path) => {
  for (const code of [...blocks(path, "js"), ...blocks(path, "jsx")]) {
    expect(() => transformSync(code, { loader: "jsx", target: "es2022" })).not.toThrow();
  }
});

test.each(GUIDES)("%s: lines have at most 140 characters, tables and code apart", (path) => {
  const text = read(path).replace(/^```.*?^```/gms, "");
  expect(text.split("\n").filter((line) => line.length > 140 && !line.startsWith("|"))).toEqual([]);
});

/** What GitHub calls a heading. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, "")
    .replaceAll(" ", "-");

test.each([...GUIDES, "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"])("%s: links lead somewhere", (path) => {
  const broken: string[] = [];
  for (const [, target] of read(path).matchAll(/\]\(([^)\s]+)\)/g)) {
    if (/^[a-z]+:/.test(target!)) continue;
    const [file, anchor] = target!.split("#") as [string, string?];
    const found = file === "" ? join(ROOT, path) : join(dirname(join(ROOT, path)), file);
    if (!existsSync(found)) broken.push(target!);
    else if (anchor !== undefined && statSync(found).isFile()) {
      const headings = [...readFileSync(found, "utf8").matchAll(/^#+ (.*)$/gm)].map(([, text]) => anchorOf(text!));
      if (!headings.includes(anchor)) broken.push(target!);
    }
  }
  expect(broken).toEqual([]);
});
