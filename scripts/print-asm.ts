// Prints V8's machine code of a kernel's hot loops and counts instructions, SIMD multiplications and spills.
// usage: npm run asm -- KERNEL [--node PATH] [--json]; build first, x64 only
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { exportedFunctions, withCallees } from "./asm/binary.ts";
import { hotLoops, parseListing } from "./asm/machine-code.ts";

const BINARIES = ["kernels", "layers", "attention"].map((name) =>
  fileURLToPath(new URL(`../build/${name}.wasm`, import.meta.url)),
);
const FLAGS = ["--no-liftoff", "--no-wasm-lazy-compilation", "--print-wasm-code"];
const LISTING_BYTES = 2 ** 29;

/** Compiles the binary in the child: instantiating is enough. */
const CHILD = `
const module = new WebAssembly.Module(require("node:fs").readFileSync(process.argv[1]));
new WebAssembly.Instance(module, { env: { memory: new WebAssembly.Memory({ initial: 1 }) } });
`;

function fail(message: string, status: number): never {
  process.stderr.write(`asm: ${message}\n`);
  process.exit(status);
}

function readBuilt(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch {
    return fail(`${path} is not there; run npm run build first`, 1);
  }
}

function readArguments() {
  try {
    const options = { node: { type: "string" }, json: { type: "boolean" } } as const;
    return parseArgs({ options, allowPositionals: true });
  } catch (error) {
    return fail((error as Error).message, 2);
  }
}

const { values, positionals } = readArguments();
const [kernel, ...rest] = positionals;
const node = values.node ?? process.execPath;
const exported = BINARIES.flatMap((binary) =>
  [...exportedFunctions(readBuilt(binary))].map(([name, index]) => ({ name, index, binary })),
);
const found = exported.find(({ name }) => name === kernel);
const names = exported.map(({ name }) => name).sort();
if (found === undefined || rest.length > 0) {
  fail(`KERNEL: expected one of ${names.join(", ")}, got ${positionals.join(" ") || "none"}`, 2);
}
const { index, binary } = found;

const child = spawnSync(node, [...FLAGS, "-e", CHILD, binary], { encoding: "utf8", maxBuffer: LISTING_BYTES });
if (child.error || child.status !== 0) fail(`--node: ${node}: ${child.error?.message ?? child.stderr.trim()}`, 1);
const listed = new Map(parseListing(child.stdout).map((f) => [f.index, f]));
if (!listed.has(index)) fail(`${node} printed no machine code of ${kernel}`, 1);
const version = spawnSync(node, ["--version"], { encoding: "utf8" }).stdout.trim();

const functions = withCallees(readBuilt(binary.replace(/wasm$/, "wat")).toString(), index)
  .filter((f) => listed.has(f.index))
  .map((f) => ({ ...f, loops: hotLoops(listed.get(f.index)!) }))
  .filter(({ loops }) => loops.length > 0);
if (values.json) {
  process.stdout.write(`${JSON.stringify({ kernel, node: version, functions })}\n`);
} else {
  if (functions.length === 0) process.stdout.write(`${kernel}: no loop multiplies vectors\n`);
  for (const { name, loops } of functions) {
    for (const { begin, code, instructions, multiplies, spills } of loops) {
      process.stdout.write(`\n${name} +0x${begin.toString(16)}, node ${version}\n`);
      for (const { offset, text } of code) process.stdout.write(`  ${offset.toString(16).padStart(5)}  ${text}\n`);
      process.stdout.write(`${instructions} instructions, ${multiplies} multiplies, ${spills} spills\n`);
    }
  }
}
