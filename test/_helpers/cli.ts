/** The built command line, run as a process in a folder of its own. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect } from "vitest";

export const MAIN = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));
export const PHOTO = fileURLToPath(new URL("../../examples/photo.png", import.meta.url));

export interface Finished {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandLine {
  readonly folder: string;
  /** A path in it. */
  at(name: string): string;
  cli(...args: string[]): Finished;
  /** The JSON document that a command prints. */
  // biome-ignore lint/suspicious/noExplicitAny: documents of several commands, looked into by the assertions
  json(...args: string[]): any;
}

/** To be called once a test file; the folder goes when its tests are done. */
export function commandLine(): CommandLine {
  const folder = mkdtempSync(join(tmpdir(), "wasmograd-cli-"));
  beforeAll(() => {
    expect(existsSync(MAIN), "npm run build comes first").toBe(true);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const cli = (...args: string[]) => spawnSync(process.execPath, [MAIN, ...args], { encoding: "utf8", cwd: folder });
  return {
    folder,
    at: (name) => join(folder, name),
    cli,
    json: (...args) => {
      const { status, stdout, stderr } = cli(...args, "--json");
      expect(stderr).toBe("");
      expect(status).toBe(0);
      return JSON.parse(stdout);
    },
  };
}
