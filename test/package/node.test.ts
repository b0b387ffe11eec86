/** The packed package in Node: imported, and required, where Node requires ES modules and where it cannot. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { createUpscaler } from "../../src/upscale/create-upscaler.ts";
import { upscaled } from "./fixtures/picture.js";
import { type Installed, install, run } from "./installed.ts";

let installed: Installed;
let expected: string;
beforeAll(async () => {
  installed = install();
  expected = (await upscaled(createUpscaler, { threads: 1 })).digest;
});
afterAll(() => installed?.remove());

const node = (...args: string[]): unknown => JSON.parse(run(process.execPath, args, installed.folder));
const common = () => ({
  inlined: { digest: expected, threads: 2 },
  files: { digest: expected, threads: 2 },
  memoryBytes: 65536,
  devices: true,
  points: 4,
});
/** Since 20.19 and 22.12 Node requires ES modules; before, and when told so, it takes the CommonJS files. */
const requiresModules = process.features.require_module === true;

test("import", () => {
  expect(node("node.mjs")).toEqual({ ...common(), once: requiresModules });
});

test("require", () => {
  expect(node("node.cjs")).toEqual({ ...common(), once: true, pixel: [1, 2, 3] });
});

test.runIf(requiresModules)("require, as Node before 20.19 does", () => {
  expect(node("--no-experimental-require-module", "node.cjs")).toEqual({ ...common(), once: true, pixel: [1, 2, 3] });
});

test("importing has no effect", () => {
  expect(node("effects.mjs")).toEqual({ added: [], listeners: [], running: [] });
});
