/** Numbers as people read them. */

const WHOLE = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

/** 8294400 -> "8,294,400" */
export const whole = (value: number): string => WHOLE.format(value);

/** Three significant digits without an exponent: 0.0123, 1.23, 12.3, 123, 1,234. */
export function significant(value: number): string {
  if (value === 0) return "0";
  const digits = Math.max(0, Math.min(6, 2 - Math.floor(Math.log10(Math.abs(value)))));
  return digits === 0 ? whole(value) : value.toFixed(digits);
}

/** 64 ms, 1.24 s */
export function duration(ms: number): string {
  return ms < 1000 ? `${significant(ms)} ms` : `${significant(ms / 1000)} s`;
}

/** 48.2 MB (10^6 bytes) */
export const megabytes = (bytes: number): string => `${significant(bytes / 1e6)} MB`;

/** 12.4 Mpixel/s */
export const pixelRate = (pixels: number, ms: number): string => `${significant(pixels / ms / 1000)} Mpixel/s`;

export const percent = (fraction: number): string => `${(100 * fraction).toFixed(fraction < 0.1 ? 1 : 0)} %`;
