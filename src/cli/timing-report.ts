/** What `wasmograd simulate` says of tiles and of changes, and how tiles are asked for. */
import type { TilesReport } from "../timing/report.ts";
import type { WhatIfReport } from "../timing/what-if.ts";
import { type Parsed, UsageError } from "./options.ts";
import { grouped, table } from "./terminal.ts";

/** --tile WIDTHxHEIGHT, as sizes of pictures are written, in input pixels. @returns [height, width] @throws UsageError */
export function tileOption(parsed: Parsed): readonly [height: number, width: number] | undefined {
  const text = parsed.text("tile");
  if (text === undefined) return undefined;
  const match = /^([1-9]\d*)x([1-9]\d*)$/.exec(text);
  if (!match) throw new UsageError(`--tile: expected WIDTHxHEIGHT in input pixels such as 400x300, got ${text}`);
  return [Number(match[2]), Number(match[1])];
}

const change = (ratio: number): string => {
  const percent = 100 * (ratio - 1);
  return `${percent < 0 ? "" : "+"}${percent.toFixed(1)} %`;
};

export function tilesText({ height, width, halo, count, sizes, untiled, overUntiled }: TilesReport): string {
  const { top, bottom, left, right } = halo;
  const margin =
    top === bottom && left === right && top === left
      ? `${top}`
      : `${top} above, ${bottom} below, ${left} left, ${right} right`;
  const rows = sizes.map(({ height: h, width: w, count: n, ms }) => [`${w}x${h}`, grouped(n), ms.toFixed(3)]);
  const cost =
    untiled && overUntiled
      ? `in one piece ${untiled.ms.toFixed(3)} ms: tiles change the time by ${change(overUntiled.ms)}, ` +
        `the MACs by ${change(overUntiled.macs)}, the DRAM's traffic by ${change(overUntiled.dramBytes)}\n`
      : "in one piece the device cannot run it\n";
  return (
    `\n${grouped(count)} tiles of ${width} wide, ${height} high, margins of ${margin} pixels; all figures above are sums over them\n` +
    table(["with margins, WxH", "tiles", "ms each"], rows) +
    cost
  );
}

export function whatIfText({ network, device, baseline, rows }: WhatIfReport, input: readonly number[]): string {
  const mb = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
  const lines = rows.map(({ change: words, ms, deltaMs, ratio, dramBytes, error }) =>
    ms === null
      ? ["-", "-", "-", "-", `${words}: ${error}`]
      : [ms.toFixed(3), `${deltaMs! < 0 ? "" : "+"}${deltaMs!.toFixed(3)}`, change(ratio!), mb(dramBytes!), words],
  );
  const unchanged = [baseline.ms.toFixed(3), "", "", mb(baseline.dramBytes), "as it is"];
  return (
    `${network} on ${input.join("x")}, ${device}: one thing changed at a time\n\n` +
    table(["ms", "change", "", "DRAM", "if"], [unchanged, ...lines], { lastLeft: true })
  );
}
