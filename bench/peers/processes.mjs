/** Contestants in child processes of Node, each with a heap and a compiler of its own. */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { pinned } from "./pinning.mjs";

const CHILD = fileURLToPath(new URL("child.mjs", import.meta.url));

/** Next message of a child, or its death. */
function answer(child) {
  return new Promise((resolve, reject) => {
    const settle = (end) => (value) => {
      child.off("message", onMessage).off("exit", onExit).off("error", onError);
      end(value);
    };
    const onMessage = settle(({ result, error }) => (error === undefined ? resolve(result) : reject(new Error(error))));
    const onExit = settle((status) => reject(new Error(`its process ended with status ${status}`)));
    const onError = settle((error) => reject(new Error(`its process failed: ${error.message}`)));
    child.once("message", onMessage).once("exit", onExit).once("error", onError);
  });
}

/**
 * A script that answers messages, in a process of its own.
 * @returns {Promise<import("./measure.mjs").Contestant & { runtime: { node: string, v8: string } }>}
 */
export async function startScript(script, scriptArguments, { node, core }) {
  const [command, args] = pinned(core, node, [script, ...scriptArguments]);
  const child = spawn(command, args, { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  const runtime = await answer(child);
  return {
    runtime,
    call(method, argument) {
      const answered = answer(child);
      child.send({ method, argument });
      return answered;
    },
    close: async () => child.disconnect(),
  };
}

/**
 * Somewhere to run contestants.
 * @returns {Promise<import("./measure.mjs").Place>}
 */
export async function nodePlace({ node, core, folder }) {
  const children = [];
  const start = async (peerName) => {
    const child = await startScript(CHILD, [peerName, folder], { node, core });
    children.push(child);
    return child;
  };
  return {
    canRun: () => true,
    start,
    runtime: () => {
      const { node: version, v8 } = children[0].runtime;
      return { name: "Node", version: version.slice(1), v8, file: `node${version.slice(1).split(".")[0]}` };
    },
    close: async () => {
      for (const child of children) if (child) await child.close().catch(() => {});
    },
  };
}
