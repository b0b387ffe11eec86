/** Which function of the binary belongs to an export, and which functions it calls. */

/** An unsigned LEB128 number. */
function leb(bytes: Uint8Array, at: number): { readonly value: number; readonly next: number } {
  let [value, shift] = [0, 0];
  for (let i = at; ; i++, shift += 7) {
    value += (bytes[i]! & 0x7f) * 2 ** shift;
    if (bytes[i]! < 0x80) return { value, next: i + 1 };
  }
}

const EXPORT_SECTION = 7;
const FUNCTION = 0;

/** Exported functions and their indices, read from the export section. */
export function exportedFunctions(wasm: Uint8Array): Map<string, number> {
  const found = new Map<string, number>();
  for (let at = 8; at < wasm.length; ) {
    const id = wasm[at]!;
    const size = leb(wasm, at + 1);
    if (id === EXPORT_SECTION) {
      let { value: left, next } = leb(wasm, size.next);
      for (; left > 0; left--) {
        const length = leb(wasm, next);
        const nameEnd = length.next + length.value;
        const name = new TextDecoder().decode(wasm.subarray(length.next, nameEnd));
        const index = leb(wasm, nameEnd + 1);
        if (wasm[nameEnd] === FUNCTION) found.set(name, index.value);
        next = index.next;
      }
    }
    at = size.next + size.value;
  }
  return found;
}

export interface NamedFunction {
  readonly index: number;
  readonly name: string;
}

/**
 * A function and those that it calls, directly or not, named as in the text form that the compiler writes beside the binary: functions stand
 * there in the order of their indices.
 */
export function withCallees(wat: string, index: number): NamedFunction[] {
  const bodies = wat.split(/^ \(func \$/m).slice(1);
  const names = bodies.map((body) => /^\S+/.exec(body)![0]);
  const indices = new Map(names.map((name, i) => [name, i]));
  const found: NamedFunction[] = [];
  const open = [index];
  const seen = new Set(open);
  for (let i = open.shift(); i !== undefined; i = open.shift()) {
    found.push({ index: i, name: names[i]! });
    for (const [, callee] of bodies[i]!.matchAll(/\bcall \$([^\s()]+)/g)) {
      const to = indices.get(callee!)!;
      if (seen.has(to)) continue;
      seen.add(to);
      open.push(to);
    }
  }
  return found;
}
