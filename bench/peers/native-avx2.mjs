// Makes the installed onnxruntime-node run its AVX2 kernels on processors with AVX-512, by one constant of its detection of the processor, or
// undoes that: how much of its speed is VNNI, which WebAssembly cannot reach. usage: node bench/peers/native-avx2.mjs on|off
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const LIBRARY = "node_modules/onnxruntime-node/bin/napi-v6/linux/x64/libonnxruntime.so.1";
/** test r10d, AVX512F; je +14, in onnxruntime 1.30.0: with an empty mask the jump is always taken. */
const DETECTION = Buffer.from("41f7c200000100740e", "hex");
const DISABLED = Buffer.from("41f7c200000000740e", "hex");

const [wanted] = process.argv.slice(2);
if (wanted !== "on" && wanted !== "off") {
  console.error("usage: node bench/peers/native-avx2.mjs on|off");
  process.exit(2);
}
const [from, to] = wanted === "on" ? [DETECTION, DISABLED] : [DISABLED, DETECTION];
const file = fileURLToPath(new URL(LIBRARY, import.meta.url));
const bytes = readFileSync(file);
const at = bytes.indexOf(from);
if (at < 0 && bytes.includes(to)) console.log("nothing to do");
else if (at < 0 || bytes.includes(from, at + 1)) {
  console.error(`${file}: expected the detection once, as in onnxruntime 1.30.0, got ${at < 0 ? "none" : "several"}`);
  process.exit(1);
} else {
  to.copy(bytes, at);
  writeFileSync(file, bytes);
  console.log(`onnxruntime-node runs ${wanted === "on" ? "without" : "with"} AVX-512`);
}
