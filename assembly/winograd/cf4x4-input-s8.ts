/**
 * Input transform of the complex F(4x4,3x3), V = B^T d B, for one 6x6 tile of int8.
 *
 * One dimension, points 0, 1, -1, i, -i, inf, with the point i carried as its real part R and imaginary part S:
 *   p = d2+d4, q = d1+d3:  t0 = d0-d4, t1 = p+q, t2 = p-q, tR = d4-d2, tS = d3-d1, t5 = d5-d1
 * applied to columns, then rows. Real entries are stored as they are. Of each conjugate pair one member a + ib is kept, as the three
 * left factors a+b, a, b of the three-multiplication complex product.
 *
 * Planes   0..15: rows 0,1,2,5 x columns 0,1,2,5. From 16, three planes a pair: (0|1|2|5, i), then (i, 0|1|2|5), (i,i), (i,-i).
 * Layout   tile: rows `rowStride` bytes apart, pixels `pixelStride` bytes apart; to: int16, planes `plane` bytes apart.
 *          Works on `channels` rounded up to 8; lanes beyond hold whatever follows (their weights are zero).
 * Range    gain 16: |V| <= 16 * 128 = 2048, the sums a+b included, so int16 never overflows.
 */

@inline
function load_s8(pointer: usize): v128 {
  return v128.load8x8_s(pointer);
}

/** Six inputs -> six outputs in workspace, `step` bytes apart, in the order 0, 1, 2, R, S, 5. */
@inline
function column(d0: v128, d1: v128, d2: v128, d3: v128, d4: v128, d5: v128, to: usize): void {
  const p = i16x8.add(d2, d4),
    q = i16x8.add(d1, d3);
  v128.store(to, i16x8.sub(d0, d4));
  v128.store(to, i16x8.add(p, q), 96);
  v128.store(to, i16x8.sub(p, q), 192);
  v128.store(to, i16x8.sub(d4, d2), 288);
  v128.store(to, i16x8.sub(d3, d1), 384);
  v128.store(to, i16x8.sub(d5, d1), 480);
}

/** A row of a real vertical point: four real planes and one pair. */
@inline
function real_row(from: usize, real: usize, pair: usize, plane: usize): void {
  const d1 = v128.load(from, 16),
    d2 = v128.load(from, 32),
    d3 = v128.load(from, 48),
    d4 = v128.load(from, 64);
  const p = i16x8.add(d2, d4),
    q = i16x8.add(d1, d3);
  v128.store(real, i16x8.sub(v128.load(from), d4));
  v128.store(real + plane, i16x8.add(p, q));
  v128.store(real + plane * 2, i16x8.sub(p, q));
  v128.store(real + plane * 3, i16x8.sub(v128.load(from, 80), d1));
  const a = i16x8.sub(d4, d2),
    b = i16x8.sub(d3, d1);
  v128.store(pair, i16x8.add(a, b));
  v128.store(pair + plane, a);
  v128.store(pair + plane * 2, b);
}


@inline
function store_pair(to: usize, plane: usize, a: v128, b: v128): void {
  v128.store(to, i16x8.add(a, b));
  v128.store(to + plane, a);
  v128.store(to + plane * 2, b);
}

export function cf4x4_input_s8(
  tile: usize,
  rowStride: usize,
  pixelStride: usize,
  channels: i32,
  to: usize,
  plane: usize,
  workspace: usize,
): void {
  for (let c = 0; c < channels; c += 8, tile += 8, to += 16) {
    let from = tile;
    let column_to = workspace;
    for (let x = 0; x < 6; x++) {
      let r = from;
      const d0 = load_s8(r);
      r += rowStride;
      const d1 = load_s8(r);
      r += rowStride;
      const d2 = load_s8(r);
      r += rowStride;
      const d3 = load_s8(r);
      r += rowStride;
      const d4 = load_s8(r);
      r += rowStride;
      const d5 = load_s8(r);
      column(d0, d1, d2, d3, d4, d5, column_to);
      from += pixelStride;
      column_to += 16;
    }
    const pairs = to + plane * 16;
    real_row(workspace, to, pairs, plane);
    real_row(workspace + 96, to + plane * 4, pairs + plane * 3, plane);
    real_row(workspace + 192, to + plane * 8, pairs + plane * 6, plane);
    real_row(workspace + 480, to + plane * 12, pairs + plane * 9, plane);
    // Rows R (288) and S (384) together: the pairs (i, 0|1|2|5) and the corner block.
    const rowR = workspace + 288,
      rowS = workspace + 384;
    let pair = pairs + plane * 12;
    store_pair(
      pair,
      plane,
      i16x8.sub(v128.load(rowR), v128.load(rowR, 64)),
      i16x8.sub(v128.load(rowS), v128.load(rowS, 64)),
    );
    pair += plane * 3;
    const pR = i16x8.add(v128.load(rowR, 32), v128.load(rowR, 64));
    const qR = i16x8.add(v128.load(rowR, 16), v128.load(rowR, 48));
    const pS = i16x8.add(v128.load(rowS, 32), v128.load(rowS, 64));
    const qS = i16x8.add(v128.load(rowS, 16), v128.load(rowS, 48));
    store_pair(pair, plane, i16x8.add(pR, qR), i16x8.add(pS, qS));
    pair += plane * 3;
    store_pair(pair, plane, i16x8.sub(pR, qR), i16x8.sub(pS, qS));
    pair += plane * 3;
    store_pair(
      pair,
      plane,
      i16x8.sub(v128.load(rowR, 80), v128.load(rowR, 16)),
      i16x8.sub(v128.load(rowS, 80), v128.load(rowS, 16)),
    );
    pair += plane * 3;
    const rr = i16x8.sub(v128.load(rowR, 64), v128.load(rowR, 32)),
      rs = i16x8.sub(v128.load(rowR, 48), v128.load(rowR, 16));
    const sr = i16x8.sub(v128.load(rowS, 64), v128.load(rowS, 32)),
      ss = i16x8.sub(v128.load(rowS, 48), v128.load(rowS, 16));
    store_pair(pair, plane, i16x8.sub(rr, ss), i16x8.add(rs, sr));
    store_pair(pair + plane * 3, plane, i16x8.add(rr, ss), i16x8.sub(sr, rs));
  }
}
