/**
 * Output transform of the complex F(4x4,3x3), 16 Y = A^T M A, for one tile and four output channels.
 *
 * Per pair the accumulated k1, k2, k3 recombine as Re = k1 - k3, Im = k1 + k2. In one dimension, R and S doubled:
 *   s = m1+m2, t = m1-m2:  y0 = m0+s+R, y1 = t-S, y2 = s-R, y3 = t+S+m5
 * The doublings are in the filter (pairs are packed times two), so none is left here. The corner block of P = M(i,i) and
 * Q = M(i,-i) folds back as RR = Pr+Qr, SR = Pi+Qi, RS = Pi-Qi, SS = Qr-Pr.
 *
 * `column_pass` does the vertical half into `workspace` ([4 rows][6 columns] vectors); the caller runs the horizontal half row by row. All arithmetic is modulo 2^32, so intermediate sums may wrap: the result is exact whenever 16 Y fits int32.
 *
 * Layout   m: products of the tile and four channels, planes `plane` bytes apart in the order of cf4x4-input-s8.ts.
 *          `bias`: pointer to 16 times the bias of the four channels, or 0; added at the point (1, 1), from where A^T . A carries it to every output once.
 */

@inline
function store_column(m0: v128, m1: v128, m2: v128, r: v128, s: v128, m5: v128, to: usize): void {
  const sum = i32x4.add(m1, m2),
    difference = i32x4.sub(m1, m2);
  v128.store(to, i32x4.add(i32x4.add(m0, sum), r));
  v128.store(to, i32x4.sub(difference, s), 96);
  v128.store(to, i32x4.sub(sum, r), 192);
  v128.store(to, i32x4.add(i32x4.add(difference, s), m5), 288);
}

/** Real part of the pair whose first plane is at `k`. */
@inline
function real_part(k: usize, plane: usize): v128 {
  return i32x4.sub(v128.load(k), v128.load(k + plane * 2));
}

/** Imaginary part of the pair whose first plane is at `k`. */
@inline
function imaginary_part(k: usize, plane: usize): v128 {
  return i32x4.add(v128.load(k), v128.load(k + plane));
}

export function cf4x4_column_pass(m: usize, plane: usize, bias: usize, workspace: usize): void {
  const pairs = m + plane * 16;
  let vertical = pairs + plane * 12; // pairs (i, 0|1|2|5)
  let real = m;
  for (let column = 0; column < 4; column++) {
    let m1 = v128.load(real + plane * 4);
    if (bias && column == 1) m1 = i32x4.add(m1, v128.load(bias));
    store_column(
      v128.load(real),
      m1,
      v128.load(real + plane * 8),
      real_part(vertical, plane),
      imaginary_part(vertical, plane),
      v128.load(real + plane * 12),
      workspace + ((<usize>(column == 3 ? 5 : column)) << 4),
    );
    real += plane;
    vertical += plane * 3;
  }
  const p = pairs + plane * 24,
    q = pairs + plane * 27;
  store_column(
    real_part(pairs, plane),
    real_part(pairs + plane * 3, plane),
    real_part(pairs + plane * 6, plane),
    i32x4.add(real_part(p, plane), real_part(q, plane)),
    i32x4.add(imaginary_part(p, plane), imaginary_part(q, plane)),
    real_part(pairs + plane * 9, plane),
    workspace + 48,
  );
  store_column(
    imaginary_part(pairs, plane),
    imaginary_part(pairs + plane * 3, plane),
    imaginary_part(pairs + plane * 6, plane),
    i32x4.sub(imaginary_part(p, plane), imaginary_part(q, plane)),
    i32x4.sub(real_part(q, plane), real_part(p, plane)),
    imaginary_part(pairs + plane * 9, plane),
    workspace + 64,
  );
}
