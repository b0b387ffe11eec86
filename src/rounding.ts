/** Rounds to the nearest integer, halves to even, as Python's `round` and IEEE do; exact for |x| < 2^51. */
export function roundHalfEven(x: number): number {
  const magic = 6755399441055744; // 1.5 * 2^52: the addition itself rounds to an integer, halves to even
  return x + magic - magic;
}
