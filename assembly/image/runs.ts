/** Copies `bytes` exactly, the widest moves first; for short runs much cheaper than memory.copy, which is a call. */
@inline
export function copy(src: usize, dst: usize, bytes: usize): void {
  for (; bytes >= 16; bytes -= 16, src += 16, dst += 16) v128.store(dst, v128.load(src));
  if (bytes & 8) {
    store<u64>(dst, load<u64>(src));
    src += 8;
    dst += 8;
  }
  if (bytes & 4) {
    store<u32>(dst, load<u32>(src));
    src += 4;
    dst += 4;
  }
  if (bytes & 2) {
    store<u16>(dst, load<u16>(src));
    src += 2;
    dst += 2;
  }
  if (bytes & 1) store<u8>(dst, load<u8>(src));
}

/** Deals `block` runs of each of `pixels` source pixels to `block` destination rows. */
export function copy_runs(pixels: i32, block: i32, run: usize, src: usize, dst: usize, dstRowBytes: usize): void {
  for (let x = 0; x < pixels; x++, dst += run) {
    let row = dst;
    for (let dy = 0; dy < block; dy++, src += run, row += dstRowBytes) copy(src, row, run);
  }
}
