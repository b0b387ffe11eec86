/**
 * s8_table     y = table[x + 128]: any function of an int8 value, tabulated
 *
 * Layout   NHWC without gaps. `tables` is one table of 256 int8, or (perChannel) one a channel, [channels][256].
 * Tile     eight values by one load, each looked up by itself. Measured beside sixteen i8x16.swizzle of a table in pieces, which on x86
 *          take a saturating addition and a shuffle each: 0.44 against 0.46 ns a value (Node 20, Zen 4), one after the other 0.78.
 * Aliasing the output may be the input.
 * Tails    nothing is read or written outside.
 * Test     test/kernels/layers/table.test.ts
 */

/** Byte of the table for the lowest byte of `x`, which has its sign bit flipped. */
@inline
function at(table: usize, x: u32): u8 {
  return load<u8>(table + <usize>(x & 255));
}

function look_up(from: usize, to: usize, count: i32, table: usize): void {
  for (; count >= 8; count -= 8, from += 8, to += 8) {
    const word = load<u64>(from) ^ 0x8080808080808080;
    const low = <u32>word,
      high = <u32>(word >> 32);
    store<u8>(to, at(table, low));
    store<u8>(to, at(table, low >> 8), 1);
    store<u8>(to, at(table, low >> 16), 2);
    store<u8>(to, at(table, low >> 24), 3);
    store<u8>(to, at(table, high), 4);
    store<u8>(to, at(table, high >> 8), 5);
    store<u8>(to, at(table, high >> 16), 6);
    store<u8>(to, at(table, high >> 24), 7);
  }
  for (; count > 0; count--, from++, to++) store<u8>(to, at(table, load<u8>(from) ^ 128));
}

function look_up_channels(from: usize, to: usize, pixels: i32, channels: i32, tables: usize): void {
  for (let pixel = 0; pixel < pixels; pixel++) {
    let table = tables,
      c = channels;
    for (; c >= 4; c -= 4, from += 4, to += 4, table += 1024) {
      const word = load<u32>(from) ^ 0x80808080;
      store<u8>(to, load<u8>(table + <usize>(word & 255)));
      store<u8>(to, load<u8>(table + <usize>((word >> 8) & 255), 256), 1);
      store<u8>(to, load<u8>(table + <usize>((word >> 16) & 255), 512), 2);
      store<u8>(to, load<u8>(table + <usize>(word >> 24), 768), 3);
    }
    for (; c > 0; c--, from++, to++, table += 256) store<u8>(to, at(table, load<u8>(from) ^ 128));
  }
}

export function s8_table(from: usize, to: usize, pixels: i32, channels: i32, tables: usize, perChannel: i32): void {
  if (perChannel) look_up_channels(from, to, pixels, channels, tables);
  else look_up(from, to, pixels * channels, tables);
}
