#!/usr/bin/env node
import { readFileSync } from "node:fs";
import type { Command } from "./command.ts";
import { command as bench } from "./commands/bench.ts";
import { command as classify } from "./commands/classify.ts";
import { command as detect } from "./commands/detect.ts";
import { command as evaluate } from "./commands/evaluate.ts";
import { command as inspect } from "./commands/inspect.ts";
import { command as models } from "./commands/models.ts";
import { command as scale } from "./commands/scale.ts";
import { command as upscale } from "./commands/upscale.ts";
import { command as verify } from "./commands/verify.ts";
import { commandHelp, exitStatus, parseCommand, UsageError } from "./options.ts";

const COMMANDS: readonly Command[] = [upscale, evaluate, classify, detect, models, inspect, scale, bench, verify];

/** Exit status of a process that a SIGINT ended. */
const INTERRUPTED = 130;

function version(): string {
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}

function help(): string {
  const width = Math.max(...COMMANDS.map(({ spec }) => spec.name.length)) + 2;
  const lines = COMMANDS.map(({ spec }) => `  ${spec.name.padEnd(width)}${spec.summary.split("\n")[0]}`);
  return `Usage: wasmograd COMMAND [options]\n\nCommands:\n${lines.join("\n")}\n\nwasmograd COMMAND --help tells more.\n`;
}

async function run(args: readonly string[], signal: AbortSignal): Promise<void> {
  const [name, ...rest] = args;
  if (name === undefined) throw new UsageError("expected a command; see wasmograd --help");
  if (name === "--help" || name === "-h" || name === "help") {
    process.stdout.write(help());
  } else if (name === "--version" || name === "-v") {
    process.stdout.write(`${version()}\n`);
  } else {
    const command = COMMANDS.find(({ spec }) => spec.name === name);
    if (!command) {
      const names = COMMANDS.map(({ spec }) => spec.name).join(", ");
      throw new UsageError(`expected one of the commands ${names}, got ${name}`);
    }
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
