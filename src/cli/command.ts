import type { CommandSpec, Parsed } from "./options.ts";

/** One command of the command line. */
export interface Command {
  readonly spec: CommandSpec;
  /** Aborted on Ctrl-C; throws to fail. */
  run(parsed: Parsed, signal: AbortSignal): Promise<void>;
}
