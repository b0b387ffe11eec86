/** The kernel tests once more, in a page: every kernel against its oracle, and afterwards the same memory as in Node, bit for bit. */
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, expect, test } from "vitest";
import { compileAttentionKernels } from "../../src/kernels/attention/load.ts";
import { compileLayerKernels } from "../../src/kernels/layers/load.ts";
import { compileKernels } from "../../src/kernels/load.ts";
import { hasChromium, withPage } from "./page.ts";
import { bundleSuite, portableTests } from "./suite/bundle.ts";
import type { SuiteReport } from "./suite/runner.ts";

const folder = mkdtempSync(join(tmpdir(), "wasmograd-suite-"));
afterAll(() => rmSync(folder, { recursive: true }));

async function inPage(): Promise<SuiteReport> {
  let report: SuiteReport | undefined;
  await withPage(
    async (page) => {
      report = await page.evaluate(`import("/suite.mjs").then(({ run }) => run())`);
    },
    { folder },
  );
  return report!;
}

async function inNode(): Promise<SuiteReport> {
  const code = `import { run } from ${JSON.stringify(join(folder, "suite.mjs"))};
    process.stdout.write(JSON.stringify(await run()));`;
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", code], {
    maxBuffer: 2 ** 26,
  });
  return JSON.parse(stdout);
}

const functionsOf = (module: WebAssembly.Module): string[] =>
  WebAssembly.Module.exports(module).flatMap(({ kind, name }) => (kind === "function" ? [name] : []));

if (!hasChromium) console.log("test/browser is skipped: there is no Chromium at $CHROMIUM or /usr/bin/chromium");

test.runIf(hasChromium)("the kernel tests pass in a page, with the bits of Node", { timeout: 300_000 }, async () => {
  await bundleSuite(join(folder, "suite.mjs"), process.env.WASMOGRAD_SLOW ? 100 : 12);
  const [page, node] = await Promise.all([inPage(), inNode()]);
  expect(page.failures).toEqual([]);
  expect(portableTests().length).toBeGreaterThan(30);
  expect(page.tests.length).toBeGreaterThan(300);
  // After each test: what the kernels have written, and what they were given.
  expect(page.tests).toEqual(node.tests);
  expect(page.calls).toEqual(node.calls);
  // No export of the three binaries is left out.
  const binaries = await Promise.all([compileKernels(), compileLayerKernels(), compileAttentionKernels()]);
  const missing = binaries.flatMap(functionsOf).filter((name) => !page.calls[name]);
  expect(missing).toEqual([]);
});
