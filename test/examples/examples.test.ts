import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const example = (name: string): string => fileURLToPath(new URL(`../../examples/${name}`, import.meta.url));

test.each([
  ["upscale.mjs", /100 %\n\d+x\d+ -> upscaled\.png, \d+x\d+\n$/],
  ["conv.mjs", /0 of 3 x 200704 outputs differ\n$/],
  ["winograd.mjs", /46 products, 3\.13 times fewer.*\n.*\n.*\n.*13824 direct, 4416 counted here; same: true\n$/],
  ["classify.mjs", /^(?:[a-z]+: \d+\.\d %\n){3}$/],
  ["own-network.mjs", /int8 against f32: [2-9]\d\.\d dB\n$/],
])("examples/%s runs as printed in the documentation", (name, output) => {
  const folder = mkdtempSync(join(tmpdir(), "wasmograd-example-"));
  const { status, stdout, stderr } = spawnSync(process.execPath, [example(name)], { cwd: folder, encoding: "utf8" });
  rmSync(folder, { recursive: true });
  expect(stderr).toBe("");
  expect(stdout).toMatch(output);
  expect(status).toBe(0);
});
