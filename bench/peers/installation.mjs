/** Installs the peers when they are missing or the lock file has changed since. */
import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const FOLDER = fileURLToPath(new URL(".", import.meta.url));
const LOCK = `${FOLDER}package-lock.json`;
/** The lock file that was installed from. */
const STAMP = `${FOLDER}node_modules/.installed-lock.json`;

function isInstalled() {
  return existsSync(STAMP) && readFileSync(STAMP, "utf8") === readFileSync(LOCK, "utf8");
}

export function install() {
  if (isInstalled()) return;
  console.error("installing the peers (about 600 MB, once)");
  // Their own scripts would download more: GPU libraries, a browser.
  const options = ["ci", "--ignore-scripts", "--no-audit", "--no-fund"];
  const { status, error } = spawnSync("npm", options, { cwd: FOLDER, stdio: ["ignore", "ignore", "inherit"] });
  if (error) throw new Error(`npm: ${error.message}`);
  if (status !== 0) throw new Error(`npm ci: ended with status ${status}`);
  copyFileSync(LOCK, STAMP);
}
