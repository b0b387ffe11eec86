/** Random numbers, the same for a seed everywhere: Mulberry32, and what is made of its values. */
export interface RandomSource {
  /** Inside (0, 1), neither end. */
  uniform(): number;
  /** Mean 0, variance 1. */
  normal(): number;
  /** Mean 0, mean magnitude 1. */
  laplace(): number;
}

/** `seed` is taken modulo 2^32. */
export function randomSource(seed: number): RandomSource {
  let state = seed >>> 0;
  const uniform = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (((t ^ (t >>> 14)) >>> 0) + 0.5) / 2 ** 32;
  };
  let spare: number | undefined;
  return {
    uniform,
    // Box and Muller: two at a time.
    normal() {
      if (spare !== undefined) {
        const kept = spare;
        spare = undefined;
        return kept;
      }
      const radius = Math.sqrt(-2 * Math.log(uniform()));
      const angle = 2 * Math.PI * uniform();
      spare = radius * Math.sin(angle);
      return radius * Math.cos(angle);
    },
    laplace() {
      const x = uniform() - 0.5;
      return -Math.sign(x) * Math.log(1 - 2 * Math.abs(x));
    },
  };
}
