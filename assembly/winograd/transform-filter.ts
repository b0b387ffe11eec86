/**
 * The right factors of int8 filters, packed as the products of gemm-4x8.ts and gemm-4x4.ts read them.
 *
 *   to[o / lanes][p][c / 2][o % lanes][c % 2] = sum_t F[p][t] * weights[o][t][c]        as int16
 *
 * Layout   weights OHWI int8, `ic` channels a tap, of which those from `channel` on, `channels` of them, are taken. F as sparse rows:
 *          plane p has the entries [starts[p], starts[p + 1]) of `taps` (u8) and `coefficients` (i32). `to` holds zeros where there is no
 *          channel or output of the last pair or panel.
 * Bounds   the factors fit int16 by the algorithm (src/winograd/growth.ts); sums are int32.
 * Aliasing none.
 * Test     test/kernels/winograd-filter.test.ts
 */
export function s8_winograd_filter(
  weights: usize,
  oc: i32,
  taps: i32,
  ic: i32,
  channel: i32,
  channels: i32,
  planes: i32,
  starts: usize,
  used: usize,
  coefficients: usize,
  lanes: i32,
  to: usize,
): void {
  const planeStep = <usize>((channels + 1) >> 1) * <usize>(lanes << 2);
  for (let o = 0; o < oc; o++) {
    const panel = to + <usize>((o / lanes) * planes) * planeStep + ((<usize>(o % lanes)) << 2);
    for (let c = 0; c < channels; c++) {
      const from = weights + <usize>(o * taps * ic + channel + c);
      let at = panel + <usize>(c >> 1) * <usize>(lanes << 2) + ((<usize>(c & 1)) << 1);
      let i = load<i32>(starts);
      for (let p = 0; p < planes; p++, at += planeStep) {
        const end = load<i32>(starts + ((<usize>p + 1) << 2));
        let sum = 0;
        for (; i < end; i++) {
          const w = <i32>load<i8>(from + <usize>(<i32>load<u8>(used + <usize>i) * ic));
          sum += load<i32>(coefficients + ((<usize>i) << 2)) * w;
        }
        store<i16>(at, <i16>sum);
      }
    }
  }
}
