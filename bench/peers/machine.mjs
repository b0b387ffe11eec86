/** Where and with what it was measured. */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { cpus } from "node:os";
import { fileURLToPath } from "node:url";

const REPOSITORY = fileURLToPath(new URL("../..", import.meta.url));
/** Instructions that decide what native libraries can do. */
const TELLING_FLAGS = ["avx2", "avx512f", "avx_vnni", "avx512_vnni"];

function cpuFlags() {
  const path = "/proc/cpuinfo";
  if (!existsSync(path)) return null;
  const flags = new Set(/^flags\s*:(.*)$/m.exec(readFileSync(path, "utf8"))?.[1].trim().split(" "));
  return TELLING_FLAGS.filter((flag) => flags.has(flag));
}

function git(...args) {
  return spawnSync("git", args, { cwd: REPOSITORY, encoding: "utf8" }).stdout?.trim() ?? "";
}

/** Commit of the working tree, marked when files that are measured differ from it. */
function commit() {
  const hash = git("rev-parse", "--short=12", "HEAD");
  if (hash === "") return null;
  const changed = git("status", "--porcelain", "--", "src", "assembly", "bench/peers");
  return changed === "" ? hash : `${hash} with changes`;
}

export function machine(runtime, core) {
  return {
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    cores: cpus().length,
    flags: cpuFlags(),
    pinnedTo: core,
    runtime: `${runtime.name} ${runtime.version}`,
    v8: runtime.v8,
    date: new Date().toISOString().slice(0, 10),
    commit: commit(),
  };
}

/** @param {readonly import("./peers.mjs").Peer[]} peers */
export function versions(peers) {
  const version = (folder) => JSON.parse(readFileSync(`${folder}/package.json`, "utf8")).version;
  const found = (peer) =>
    version(peer.kind === "ours" ? REPOSITORY : `${REPOSITORY}bench/peers/node_modules/${peer.package}`);
  return Object.fromEntries(peers.map((peer) => [peer.name, found(peer)]));
}
