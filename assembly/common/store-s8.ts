/** Stores the first `count` bytes (all sixteen from 16 on) and nothing behind them. */
@inline
export function store_s8(p: usize, v: v128, count: i32): void {
  if (count >= 16) v128.store(p, v);
  else store_s8_part(p, v, count);
}

/** Not inlined: the last channels of a pixel. */
function store_s8_part(p: usize, v: v128, count: i32): void {
  if (count & 8) {
    v128.store64_lane(p, v, 0);
    v = i64x2.shuffle(v, v, 1, 1);
    p += 8;
  }
  if (count & 4) {
    v128.store32_lane(p, v, 0);
    v = i32x4.shuffle(v, v, 1, 1, 1, 1);
    p += 4;
  }
  if (count & 2) {
    v128.store16_lane(p, v, 0);
    v = i16x8.shuffle(v, v, 1, 1, 1, 1, 1, 1, 1, 1);
    p += 2;
  }
  if (count & 1) v128.store8_lane(p, v, 0);
}
