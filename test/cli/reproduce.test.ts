import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { beforeAll, expect, test } from "vitest";

const MAIN = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));

beforeAll(() => expect(existsSync(MAIN), "npm run build comes first").toBe(true));

const reproduce = (...args: string[]) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, "reproduce", ...args], { encoding: "utf8" });
  return { status, stdout, stderr };
};

test("one document of rows", { timeout: 60_000 }, () => {
  const { status, stdout, stderr } = reproduce("--json");
  expect([status, stderr]).toEqual([0, ""]);
  const { rows } = JSON.parse(stdout);
  expect(rows.find(({ id }: { id: string }) => id === "sesr-most")).toMatchObject({
    group: "sesr",
    published: 330,
    unit: "x",
    confirmed: true,
    kind: "computed",
    ours: expect.closeTo(330.863, 2),
    ratio: expect.closeTo(1.0026, 3),
    assumptions: expect.any(String),
  });
  expect(rows.find(({ id }: { id: string }) => id === "n78-ms sesr-m5 4")).toMatchObject({ confirmed: false });
});

test("tables for people and for documents", { timeout: 60_000 }, () => {
  const text = reproduce().stdout;
  expect(text).toMatch(/^SESR .*\n\nfigure +published +ours +ratio +how\n/);
  expect(text).toMatch(/\nSESR-M5 x4, 1080p to 8K: time +45\.1 ms \* +[\d.]+ ms +[\d.]+ +estimated; metric 22\.02; /);
  expect(text).toMatch(/\n\* not confirmed: .*\n$/);
  expect(reproduce("--markdown").stdout).toMatch(/^## SESR .*\n\n\| figure \| published \| source \|/);
});

test("not both", () => {
  expect(reproduce("--json", "--markdown")).toEqual({
    status: 2,
    stdout: "",
    stderr: "wasmograd: --markdown: expected without --json\n",
  });
});
