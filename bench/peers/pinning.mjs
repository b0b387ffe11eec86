/** One core for everything that is timed, so that the scheduler moves nobody. */
import { spawnSync } from "node:child_process";
import { availableParallelism } from "node:os";

/** The core to use, or null where there is no taskset. */
export function coreToUse(asked) {
  const { error } = spawnSync("taskset", ["--version"], { stdio: "ignore" });
  return error ? null : (asked ?? availableParallelism() - 1);
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
