/** Mulberry32: a seeded generator of numbers in [0, 1), so that every run sees the same data. */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** `length` integers in [0, limit]. */
export function integers(seed: number, length: number, limit: number): number[] {
  const next = random(seed);
  return Array.from({ length }, () => Math.floor(next() * (limit + 1)));
}
