/**
 * Stands in for "vitest" where test files run without it: in a page. Registers tests, runs them one after the other with Vitest's own
 * matchers, and keeps a record of the kernels that they called.
 */
import {
  ASYMMETRIC_MATCHERS_OBJECT,
  chai,
  GLOBAL_EXPECT,
  JestAsymmetricMatchers,
  JestChaiExpect,
  JestExtend,
  setState,
} from "@vitest/expect";

for (const plugin of [JestExtend, JestChaiExpect, JestAsymmetricMatchers]) chai.use(plugin);
const globals = globalThis as unknown as Record<symbol, object>;
export const expect = Object.assign((value: unknown, message?: string) => chai.expect(value, message), chai.expect);
Object.assign(expect, globals[ASYMMETRIC_MATCHERS_OBJECT]);
setState({ assertionCalls: 0 }, expect as never);
globals[GLOBAL_EXPECT] = expect;

/** What helpers take of Node: large buffers are compared at once. */
function compare(a: Uint8Array, b: Uint8Array): number {
  const at = a.findIndex((byte, i) => byte !== b[i]);
  return at < 0 ? Math.sign(a.length - b.length) : Math.sign(a[at]! - (b[at] ?? -1));
}
Object.assign(globalThis, { Buffer: globalThis.Buffer ?? { compare } });

type Body = (...values: never[]) => unknown;
interface Test {
  readonly name: string;
  readonly body: () => unknown;
}

const tests: Test[] = [];
let path: readonly string[] = [];

/** The file that the tests registered next belong to. */
export function begin(file: string): void {
  path = [file];
}

/** The last function of a title's arguments: options, where there are any, stand before or behind it. */
const bodyOf = (rest: readonly unknown[]): Body => rest.find((one) => typeof one === "function") as Body;

type Register = (title: string, ...rest: unknown[]) => void;
function withEach(register: Register) {
  const each =
    (rows: readonly unknown[]): Register =>
    (title, ...rest) => {
      const body = bodyOf(rest) as (...values: unknown[]) => unknown;
      for (const [i, row] of rows.entries()) {
        register(`${title} [${i}]`, () => (Array.isArray(row) ? body(...row) : body(row)));
      }
    };
  return Object.assign(register, { each });
}

export const test = withEach((title, ...rest) => {
  tests.push({ name: [...path, title].join(" > "), body: bodyOf(rest) as () => unknown });
});
export const it = test;

/** Runs in its place, which is before the tests that follow. */
export function beforeAll(body: () => unknown): void {
  tests.push({ name: [...path, "before all"].join(" > "), body });
}

export const describe = withEach((title, ...rest) => {
  const outer = path;
  path = [...path, title];
  (bodyOf(rest) as () => void)();
  path = outer;
});

/** How often each kernel was called, and the memories that have been touched since the last test. */
const calls: Record<string, number> = {};
const touched = new Set<WebAssembly.Memory>();

function recorded({ exports }: WebAssembly.Instance, memory: WebAssembly.Memory): WebAssembly.Instance {
  const wrapped = Object.entries(exports).map(([name, value]) => {
    if (typeof value !== "function") return [name, value];
    calls[name] ??= 0;
    const call = (...values: number[]): unknown => {
      calls[name]!++;
      touched.add(memory);
      return value(...values);
    };
    return [name, call];
  });
  return { exports: Object.fromEntries(wrapped) };
}

const instantiate = WebAssembly.instantiate as (
  module: WebAssembly.Module,
  imports: never,
) => Promise<WebAssembly.Instance>;
Object.assign(WebAssembly, {
  async instantiate(module: WebAssembly.Module, imports: { env?: { memory?: WebAssembly.Memory } }) {
    const instance = await instantiate(module, imports as never);
    const memory = imports.env?.memory;
    return memory ? recorded(instance, memory) : instance;
  },
});

/** FNV-1a over 32-bit words. */
function digest(memories: Iterable<WebAssembly.Memory>): string {
  let hash = 0x811c9dc5;
  for (const { buffer } of memories) {
    for (const word of new Uint32Array(buffer)) hash = Math.imul(hash ^ word, 0x01000193);
  }
  return (hash >>> 0).toString(16);
}

export interface SuiteReport {
  /** A test's name, and what all memories that its kernels worked in held after it. */
  readonly tests: readonly (readonly [name: string, memory: string])[];
  /** One line a test. */
  readonly failures: readonly string[];
  /** Kernel -> calls; 0 for exports that no test has called. */
  readonly calls: Readonly<Record<string, number>>;
}

export async function run(): Promise<SuiteReport> {
  const failures: string[] = [];
  const found: [string, string][] = [];
  for (const { name, body } of tests) {
    try {
      await body();
    } catch (error) {
      failures.push(`${name}: ${String((error as Error).message).split("\n")[0]}`);
    }
    found.push([name, digest(touched)]);
    touched.clear();
  }
  return { tests: found, failures, calls };
}
