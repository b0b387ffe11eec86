import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));

test("weights/README.md is what the weights' facts and the measured figures say", () => {
  const args = ["--import", "tsx", "scripts/model-cards.ts", "--check"];
  expect(() => execFileSync(process.execPath, args, { cwd: root, stdio: "pipe" })).not.toThrow();
});
