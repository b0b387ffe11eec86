/**
 * Where the output transform puts its results, four pixels x four channels at a time: `row`, neighbours in row y of the tile, from tiles of
 * 4 x 4, and `wideRow`, that for eight channels; `block`, the 2 x 2 pixels of a tile of that size. Classes without state: the driver picks one at compile time.
 */
import { ConvParams } from "../common/conv-params";
import { epilogue_f32_2x2x4, epilogue_f32_4x4_tail, epilogue_f32_4x8 } from "../common/epilogue-f32";
import { epilogue_s8_2x2x4, epilogue_s8_4x4_tail, epilogue_s8_4x8_whole, is_whole_s8 } from "../common/epilogue-s8";

/** Requantises and stores. */
@unmanaged
export class StoreS8 {
  /** Whether `wideRow` may be used. */
  @inline is_whole(p: ConvParams, ox: i32, oc: i32): bool {
    return is_whole_s8(p, ox, p.ow, oc);
  }


  @inline row(p: ConvParams, tile: i32, oy: i32, ox: i32, oc: i32, y: i32, a: v128, b: v128, c: v128, d: v128): void {
    epilogue_s8_4x4_tail(p, oy, ox, p.ow, oc, a, b, c, d);
  }


  @inline wideRow(
    p: ConvParams,
    tile: i32,
    oy: i32,
    ox: i32,
    oc: i32,
    y: i32,
    a0: v128,
    a1: v128,
    a2: v128,
    a3: v128,
    b0: v128,
    b1: v128,
    b2: v128,
    b3: v128,
  ): void {
    epilogue_s8_4x8_whole(p, oy, ox, oc, a0, a1, a2, a3, b0, b1, b2, b3);
  }


  @inline block(p: ConvParams, tile: i32, oy: i32, ox: i32, oc: i32, a: v128, b: v128, c: v128, d: v128): void {
    epilogue_s8_2x2x4(p, oy, ox, oc, a, b, c, d);
  }
}

/** Activation, residual, clamp, store. */
@unmanaged
export class StoreF32 {
  /** Whether `wideRow` may be used. */
  @inline is_whole(p: ConvParams, ox: i32, oc: i32): bool {
    return p.oc - oc >= 8;
  }


  @inline row(p: ConvParams, tile: i32, oy: i32, ox: i32, oc: i32, y: i32, a: v128, b: v128, c: v128, d: v128): void {
    epilogue_f32_4x4_tail(p, oy, ox, p.ow, oc, a, b, c, d);
  }


  @inline wideRow(
    p: ConvParams,
    tile: i32,
    oy: i32,
    ox: i32,
    oc: i32,
    y: i32,
    a0: v128,
    a1: v128,
    a2: v128,
    a3: v128,
    b0: v128,
    b1: v128,
    b2: v128,
    b3: v128,
  ): void {
    epilogue_f32_4x8(p, oy, ox, p.ow, oc, a0, a1, a2, a3, b0, b1, b2, b3);
  }


  @inline block(p: ConvParams, tile: i32, oy: i32, ox: i32, oc: i32, a: v128, b: v128, c: v128, d: v128): void {
    epilogue_f32_2x2x4(p, oy, ox, oc, a, b, c, d);
  }
}

/** Of the sums [tiles][pixels of a tile][channels], the first of four pixels. `fours`: fours of pixels a tile. */
@inline
export function sums_at(p: ConvParams, tile: i32, fours: i32, y: i32, oc: i32): usize {
  return p.sums + (<usize>((tile * fours + y) << 2) * sums_step(p) + ((<usize>oc) << 2));
}

/** Bytes between pixels of the sums. */
@inline
export function sums_step(p: ConvParams): usize {
  return (<usize>((p.oc + 7) & ~7)) << 2;
}


@inline
function add(p: ConvParams, to: usize, a: v128, b: v128, c: v128, d: v128): void {
  const step = sums_step(p),
    shift = p.resultShift;
  v128.store(to, i32x4.add(v128.load(to), i32x4.shr_s(a, shift)));
  to += step;
  v128.store(to, i32x4.add(v128.load(to), i32x4.shr_s(b, shift)));
  to += step;
  v128.store(to, i32x4.add(v128.load(to), i32x4.shr_s(c, shift)));
  to += step;
  v128.store(to, i32x4.add(v128.load(to), i32x4.shr_s(d, shift)));
}

/** Divides by the scale, exactly, and adds to the int32 sums: for blocks of channels. */
@unmanaged
export class AddToSums {
  /** Whether `wideRow` may be used. */
  @inline is_whole(p: ConvParams, ox: i32, oc: i32): bool {
    return false;
  }


  @inline row(p: ConvParams, tile: i32, oy: i32, ox: i32, oc: i32, y: i32, a: v128, b: v128, c: v128, d: v128): void {
    add(p, sums_at(p, tile, 4, y, oc), a, b, c, d);
  }


  @inline wideRow(
    p: ConvParams,
    tile: i32,
    oy: i32,
    ox: i32,
    oc: i32,
    y: i32,
    a0: v128,
    a1: v128,
    a2: v128,
    a3: v128,
    b0: v128,
    b1: v128,
    b2: v128,
    b3: v128,
  ): void {
    // Never: the sums are stored four channels at a time.
    unreachable();
  }


  @inline block(p: ConvParams, tile: i32, oy: i32, ox: i32, oc: i32, a: v128, b: v128, c: v128, d: v128): void {
    add(p, sums_at(p, tile, 1, 0, oc), a, b, c, d);
  }
}
