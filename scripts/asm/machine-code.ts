/**
 * Reads what `node --print-wasm-code` prints (x64): functions, their natural loops, and in the innermost of them what decides the speed of a
 * kernel: instructions, SIMD multiplications and moves to or from the stack.
 */

export interface Instruction {
  /** Bytes from the function's start. */
  readonly offset: number;
  readonly text: string;
}

export interface MachineFunction {
  /** In the module's index space. */
  readonly index: number;
  readonly instructions: readonly Instruction[];
}

export interface HotLoop {
  readonly begin: number;
  readonly code: readonly Instruction[];
  readonly instructions: number;
  readonly multiplies: number;
  /** Moves between registers and the stack: what did not fit into registers. */
  readonly spills: number;
}

const HEADER = "--- WebAssembly code ---";
const LINE = /^0x[0-9a-f]+ +([0-9a-f]+) +[0-9a-f]+ +(\S.*)$/;

/** All WebAssembly functions of a listing; wrappers and stubs have no index and are left out. */
export function parseListing(text: string): MachineFunction[] {
  const functions: MachineFunction[] = [];
  for (const part of text.split(HEADER).slice(1)) {
    const index = /^index: (\d+)$/m.exec(part)?.[1];
    if (index === undefined || !/^kind: wasm function$/m.test(part)) continue;
    const instructions = part.split("\n").flatMap((line) => {
      const [, offset, code] = LINE.exec(line) ?? [];
      return offset === undefined ? [] : [{ offset: Number.parseInt(offset, 16), text: code!.trimEnd() }];
    });
    functions.push({ index: Number(index), instructions });
  }
  return functions;
}

interface Block {
  readonly begin: number;
  readonly code: readonly Instruction[];
  readonly next: readonly number[];
}

const JUMP = /^j(\w+) .*<\+0x([0-9a-f]+)>/;

/** Where an instruction may go: a target, and whether the next instruction is another possibility. */
function flow(text: string): { readonly target?: number; readonly falls: boolean } {
  const [, kind, target] = JUMP.exec(text) ?? [];
  if (target !== undefined) return { target: Number.parseInt(target, 16), falls: kind !== "mp" };
  return { falls: !/^(ret|jmp|int3|ud2)/.test(text) };
}

function blocksOf(instructions: readonly Instruction[]): Block[] {
  const known = new Set(instructions.map(({ offset }) => offset));
  const leaders = new Set<number>();
  for (const [i, { text }] of instructions.entries()) {
    const { target, falls } = flow(text);
    if (target !== undefined && known.has(target)) leaders.add(target);
    const after = instructions[i + 1];
    if (after && (target !== undefined || !falls)) leaders.add(after.offset);
  }
  const groups: Instruction[][] = [];
  for (const instruction of instructions) {
    if (groups.length === 0 || leaders.has(instruction.offset)) groups.push([]);
    groups.at(-1)!.push(instruction);
  }
  const numbers = new Map(groups.map((code, i) => [code[0]!.offset, i]));
  return groups.map((code, i) => {
    const { target, falls } = flow(code.at(-1)!.text);
    const next = target === undefined ? undefined : numbers.get(target);
    return {
      begin: code[0]!.offset,
      code,
      next: [...(next === undefined ? [] : [next]), ...(falls && i + 1 < groups.length ? [i + 1] : [])],
    };
  });
}

/** Blocks that run at all: padding before a loop falls into it, but nothing leads there. */
function reachable(blocks: readonly Block[]): Set<number> {
  const found = new Set<number>();
  const open = [0];
  for (let b = open.pop(); b !== undefined; b = open.pop()) {
    if (found.has(b)) continue;
    found.add(b);
    open.push(...blocks[b]!.next);
  }
  return found;
}

/** For each block the blocks that every way from the entry to it passes. */
function dominators(blocks: readonly Block[], before: readonly (readonly number[])[]): Set<number>[] {
  const all = blocks.map((_, i) => i);
  const found = blocks.map((_, i) => new Set(i === 0 ? [0] : all));
  for (let changed = true; changed; ) {
    changed = false;
    for (const i of all.slice(1)) {
      const [first, ...rest] = before[i]!.map((b) => found[b]!);
      const common = new Set([...(first ?? [])].filter((b) => rest.every((set) => set.has(b))));
      common.add(i);
      if (common.size !== found[i]!.size) changed = true;
      found[i] = common;
    }
  }
  return found;
}

/** Natural loops, by their headers: loops that share one are one. */
function naturalLoops(blocks: readonly Block[]): Map<number, Set<number>> {
  const before: number[][] = blocks.map(() => []);
  for (const i of reachable(blocks)) for (const n of blocks[i]!.next) before[n]!.push(i);
  const dominating = dominators(blocks, before);
  const loops = new Map<number, Set<number>>();
  for (const [i, { next }] of blocks.entries()) {
    for (const header of next.filter((n) => dominating[i]!.has(n))) {
      const body = loops.get(header) ?? new Set([header]);
      const open = [i];
      for (let b = open.pop(); b !== undefined; b = open.pop()) {
        if (body.has(b)) continue;
        body.add(b);
        open.push(...before[b]!);
      }
      loops.set(header, body);
    }
  }
  return loops;
}

const MULTIPLY = /^v?(pmaddwd|pmull[wd]|pmulhrsw|mulp[sd]|fn?madd\w*)\b/;
const SPILL = /^(REX\.W )?v?mov\w* .*\[(rbp|rsp)[-+\]]/;

const countOf = (code: readonly Instruction[], pattern: RegExp): number =>
  code.filter(({ text }) => pattern.test(text)).length;

/**
 * The innermost loops that multiply vectors, most multiplications first. Blocks that call are left out: they are V8's stack checks, out of
 * line, and save every register around a call that hardly ever happens.
 */
export function hotLoops({ instructions }: MachineFunction): HotLoop[] {
  const blocks = blocksOf(instructions);
  const loops = naturalLoops(blocks);
  const innermost = [...loops].filter(([header, body]) => [...loops.keys()].every((h) => h === header || !body.has(h)));
  return innermost
    .map(([header, body]) => {
      const code = [...body]
        .sort((a, b) => a - b)
        .map((b) => blocks[b]!.code)
        .filter((part) => countOf(part, /^call\b/) === 0)
        .flat();
      return {
        begin: blocks[header]!.begin,
        code,
        instructions: countOf(code, /^(?!nop)/),
        multiplies: countOf(code, MULTIPLY),
        spills: countOf(code, SPILL),
      };
    })
    .filter(({ multiplies }) => multiplies > 0)
    .sort((a, b) => b.multiplies - a.multiplies || a.begin - b.begin);
}
