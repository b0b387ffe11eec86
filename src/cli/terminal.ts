/** What a person sees: tables on stdout, a progress line on stderr when that is a terminal; and what a person presses: Ctrl-C. */
import { pause as yieldToEvents } from "../pause.ts";

/**
 * Columns aligned by spaces; numbers are given as text. The first column is flush left, the rest flush right, but for a last column of
 * sentences.
 */
export function table(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  { lastLeft = false }: { readonly lastLeft?: boolean } = {},
): string {
  const all = [header, ...rows];
  const widths = header.map((_, i) => Math.max(...all.map((row) => row[i]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, i) => {
        const left = i === 0 || (lastLeft && i === header.length - 1);
        return left ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!);
      })
      .join("  ")
      .trimEnd();
  return `${all.map(line).join("\n")}\n`;
}

/** The same in Markdown. */
export function markdownTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (row: readonly string[]): string => `| ${row.join(" | ")} |\n`;
  return [header, header.map((_, i) => (i === 0 ? "---" : "---:")), ...rows].map(line).join("");
}

/** 12345678 -> "12,345,678". */
export function grouped(n: number): string {
  return n.toLocaleString("en-US");
}

export interface ProgressLine {
  /** `fraction` in 0..1. */
  update(fraction: number, text: string): void;
  /** Removes the line. */
  clear(): void;
}

const BAR = 24;

/** A progress bar that rewrites one line of a terminal; silent where stderr is not one. */
export function progressLine(stream: NodeJS.WriteStream = process.stderr): ProgressLine {
  if (!stream.isTTY) return { update() {}, clear() {} };
  return {
    update(fraction, text) {
      const filled = Math.round(fraction * BAR);
      const bar = "█".repeat(filled) + "░".repeat(BAR - filled);
      stream.write(`\r\x1b[K${bar} ${String(Math.floor(fraction * 100)).padStart(3)} %  ${text}`);
    },
    clear() {
      stream.write("\r\x1b[K");
    },
  };
}

/** Lets a pending Ctrl-C in between two stages that compute without a break. @throws the signal's reason when aborted */
export async function pause(signal: AbortSignal): Promise<void> {
  await yieldToEvents();
  signal.throwIfAborted();
}
