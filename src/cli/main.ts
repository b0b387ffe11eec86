#!/usr/bin/env node
import { readFileSync } from "node:fs";
import type { Command } from "./command.ts";
import { commandHelp, exitStatus, parseCommand, UsageError } from "./options.ts";

/** Each is loaded when it is asked for: a command should not wait for the others' modules. */
const COMMANDS: Readonly<Record<string, () => Promise<{ readonly command: Command }>>> = {
  upscale: () => import("./commands/upscale.ts"),
  evaluate: () => import("./commands/evaluate.ts"),
  classify: () => import("./commands/classify.ts"),
  detect: () => import("./commands/detect.ts"),
  models: () => import("./commands/models.ts"),
  inspect: () => import("./commands/inspect.ts"),
  compact: () => import("./commands/compact.ts"),
  devices: () => import("./commands/devices.ts"),
  simulate: () => import("./commands/simulate.ts"),
  reproduce: () => import("./commands/reproduce.ts"),
  scale: () => import("./commands/scale.ts"),
  search: () => import("./commands/search.ts"),
  bench: () => import("./commands/bench.ts"),
  verify: () => import("./commands/verify.ts"),
};

/** Exit status of a process that a SIGINT ended. */
const INTERRUPTED = 130;

function version(): string {
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}

async function help(): Promise<string> {
  const commands = await Promise.all(Object.values(COMMANDS).map(async (load) => (await load()).command));
  const width = Math.max(...commands.map(({ spec }) => spec.name.length)) + 2;
  const lines = commands.map(({ spec }) => `  ${spec.name.padEnd(width)}${spec.summary.split("\n")[0]}`);
  return `Usage: wasmograd COMMAND [options]\n\nCommands:\n${lines.join("\n")}\n\nwasmograd COMMAND --help tells more.\n`;
}

async function run(args: readonly string[], signal: AbortSignal): Promise<void> {
  const [name, ...rest] = args;
  if (name === undefined) throw new UsageError("expected a command; see wasmograd --help");
  if (name === "--help" || name === "-h" || name === "help") {
    process.stdout.write(await help());
  } else if (name === "--version" || name === "-v") {
    process.stdout.write(`${version()}\n`);
  } else {
    const load = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
    if (!load) throw new UsageError(`expected one of the commands ${Object.keys(COMMANDS).join(", ")}, got ${name}`);
    const { command } = await load();
    signal.throwIfAborted();
    const parsed = parseCommand(command.spec, rest);
    if (parsed.flag("help")) process.stdout.write(commandHelp(command.spec));
    else await command.run(parsed, signal);
  }
}

const controller = new AbortController();
process.once("SIGINT", () => controller.abort());
// A reader that closes the pipe early (head) is no failure of ours.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(0);
  process.stderr.write(`wasmograd: cannot write the output (${error.code})\n`);
  process.exit(1);
});

try {
  await run(process.argv.slice(2), controller.signal);
} catch (error) {
  if (controller.signal.aborted) {
    process.stderr.write("wasmograd: interrupted\n");
    process.exitCode = INTERRUPTED;
  } else {
    const message = error instanceof Error ? error.message : String(error);
    process.stderr.write(`wasmograd: ${message.split("\n")[0]}\n`);
    process.exitCode = exitStatus(error);
  }
}
