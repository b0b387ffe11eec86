/** One core for everything that is timed, so that the scheduler moves nobody. */
import { spawnSync } from "node:child_process";

/** The core to use, by default the last of those that this process may use; null where there is no taskset. */
export function coreToUse(asked) {
  const { error, stdout } = spawnSync("taskset", ["-c", "-p", String(process.pid)], { encoding: "utf8" });
  if (error) return null;
  // "pid 7's current affinity list: 0-3,5"
  const last = /(\d+)\s*$/.exec(stdout)?.[1];
  return asked ?? (last === undefined ? null : Number(last));
}

/** A command as it is to be started. */
export function pinned(core, command, args) {
  return core === null ? [command, args] : ["taskset", ["-c", String(core), command, ...args]];
}

/** Pins this process and what it will start (a browser, which nobody else can start pinned). */
export function pinThisProcess(core) {
  if (core === null) return;
  const { status } = spawnSync("taskset", ["-a", "-c", "-p", String(core), String(process.pid)], { stdio: "ignore" });
  if (status !== 0) throw new Error(`taskset: cannot pin to core ${core}`);
}
