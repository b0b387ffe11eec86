/** Repeatable numbers: the same weights and inputs for everybody, in Node and in the page. */

/** Numbers in [0, 1) by a linear congruential generator; their upper bits, which are used, are good enough for timing and comparing. */
function uniform(seed) {
  let state = Math.imul(seed, 2654435761) >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Reals in [low, high). */
export function reals(length, seed, low, high) {
  const next = uniform(seed);
  return Float32Array.from({ length }, () => low + (high - low) * next());
}

/** Integers from `low` to `high`, both included. */
export function integers(length, seed, low, high) {
  const next = uniform(seed);
  return Array.from({ length }, () => low + Math.floor((high - low + 1) * next()));
}
