/** The package as npm packs it, in a folder where npm would install it, beside the fixtures that use it; without a network. */
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const FIXTURES = fileURLToPath(new URL("fixtures", import.meta.url));

export interface Installed {
  /** With the fixtures and node_modules/wasmograd. */
  readonly folder: string;
  readonly tarball: string;
  remove(): void;
}

/** Runs a program in a folder, with a bare environment. @throws Error with what it printed when it fails */
export function run(command: string, args: readonly string[], cwd: string): string {
  const { PATH, HOME } = process.env;
  const env = { PATH, HOME, NO_UPDATE_NOTIFIER: "1" };
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, env, encoding: "utf8" });
  // Node shows the line that failed, which in a bundle is all of it.
  const printed = `${stdout}${stderr}`.replace(/^(.{300}).*$/gm, "$1 ...");
  if (status !== 0) throw error ?? new Error(`${command} ${args.join(" ")} ended with ${status}\n${printed}`);
  return stdout;
}

export function install(): Installed {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "wasmograd-package-")));
  const modules = join(folder, "node_modules");
  cpSync(FIXTURES, folder, { recursive: true });
  mkdirSync(join(modules, "wasmograd"), { recursive: true });
  const packed = run("npm", ["pack", "--ignore-scripts", "--json", "--pack-destination", folder], ROOT);
  const tarball = join(folder, /"filename":\s*"([^"]+)"/.exec(packed)![1]!);
  run("tar", ["-xzf", tarball, "--strip-components=1", "-C", join(modules, "wasmograd")], folder);
  // Its dependencies, and the types of Node for those who compile against it.
  mkdirSync(join(modules, "@types"));
  for (const name of ["fast-png", "jpeg-js", "nanotar", "@types/node"]) {
    symlinkSync(join(ROOT, "node_modules", name), join(modules, name));
  }
  writeFileSync(join(folder, "package.json"), '{ "private": true, "type": "module" }\n');
  return { folder, tarball, remove: () => rmSync(folder, { recursive: true }) };
}
