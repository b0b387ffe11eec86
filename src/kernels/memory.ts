import { WasmogradError } from "../errors.ts";

const PAGE = 65536;
/** One page short of 2 GiB: pointers and all sums of them stay positive int32, as typed-array indices and kernels expect. */
const MAX_PAGES = 32767;
/**
 * Below this lie the static tables of the binaries: of the kernels from 1024 on, of the layers from 8192 on (asconfig.layers.json), of
 * attention from 12288 on (asconfig.attention.json).
 */
const BASE = 16384;
/** Kernels may load up to this many bytes past the end of a buffer (never store): every allocation is followed by slack. */
export const SLACK = 64;
const ALIGN = 64;

/**
 * The linear memory of one kernel instance with a first-fit allocator on the TypeScript side: the binary itself never
 * allocates. Memory grows when needed and, as WebAssembly has no way to shrink it, freed blocks are reused.
 */
export class WasmMemory {
  readonly raw: WebAssembly.Memory;
  readonly #free: { start: number; end: number }[] = [];
  readonly #sizes = new Map<number, number>();
  #end = BASE;
  #i8!: Int8Array<ArrayBuffer>;
  #u8!: Uint8Array<ArrayBuffer>;
  #i16!: Int16Array<ArrayBuffer>;
  #i32!: Int32Array<ArrayBuffer>;
  #f32!: Float32Array<ArrayBuffer>;

  constructor() {
    this.raw = new WebAssembly.Memory({ initial: 1, maximum: MAX_PAGES });
  }

  /** Bytes of linear memory held at present (the high-water mark, as memory never shrinks). */
  get byteLength(): number {
    return this.raw.buffer.byteLength;
  }

  /** Whole-memory views; growing detaches them, so take them anew from here rather than keep them. */
  get i8(): Int8Array<ArrayBuffer> {
    this.#refresh();
    return this.#i8;
  }
  get u8(): Uint8Array<ArrayBuffer> {
    this.#refresh();
    return this.#u8;
  }
  get i16(): Int16Array<ArrayBuffer> {
    this.#refresh();
    return this.#i16;
  }
  get i32(): Int32Array<ArrayBuffer> {
    this.#refresh();
    return this.#i32;
  }
  get f32(): Float32Array<ArrayBuffer> {
    this.#refresh();
    return this.#f32;
  }

  #refresh(): void {
    const buffer = this.raw.buffer as ArrayBuffer;
    if (this.#i8?.buffer === buffer) return;
    this.#i8 = new Int8Array(buffer);
    this.#u8 = new Uint8Array(buffer);
    this.#i16 = new Int16Array(buffer);
    this.#i32 = new Int32Array(buffer);
    this.#f32 = new Float32Array(buffer);
  }

  /**
   * Reserves `bytes` (aligned to 64, with readable slack behind); contents are unspecified.
   * @throws WasmogradError ERR_OUT_OF_MEMORY when memory cannot grow
   */
  allocate(bytes: number): number {
    const size = Math.ceil((bytes + SLACK) / ALIGN) * ALIGN;
    const hole = this.#free.findIndex((h) => h.end - h.start >= size);
    let pointer: number;
    if (hole >= 0) {
      const h = this.#free[hole]!;
      pointer = h.start;
      h.start += size;
      if (h.start === h.end) this.#free.splice(hole, 1);
    } else {
      pointer = this.#end;
      this.#growTo(pointer + size);
      this.#end = pointer + size;
    }
    this.#sizes.set(pointer, size);
    return pointer;
  }

  /** Gives a block back; neighbours merge, and a block at the end lowers the mark from which new blocks are cut. */
  free(pointer: number): void {
    const size = this.#sizes.get(pointer);
    if (size === undefined) throw new WasmogradError("ERR_ARGUMENT", `pointer: ${pointer} is not an allocated block`);
    this.#sizes.delete(pointer);
    this.#free.push({ start: pointer, end: pointer + size });
    this.#free.sort((a, b) => a.start - b.start);
    for (let i = this.#free.length - 1; i > 0; i--) {
      const left = this.#free[i - 1]!;
      const right = this.#free[i]!;
      if (left.end !== right.start) continue;
      left.end = right.end;
      this.#free.splice(i, 1);
    }
    const last = this.#free.at(-1);
    if (last?.end === this.#end) {
      this.#end = last.start;
      this.#free.pop();
    }
  }

  #growTo(end: number): void {
    const missing = end - this.byteLength;
    if (missing <= 0) return;
    try {
      this.raw.grow(Math.ceil(missing / PAGE));
    } catch (cause) {
      throw new WasmogradError("ERR_OUT_OF_MEMORY", `WebAssembly memory cannot grow to ${end} bytes`, { cause });
    }
  }
}
