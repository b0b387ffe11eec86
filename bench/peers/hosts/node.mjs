/** The libraries as Node loads them, and files from the parent's folder. */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { openLitertInNode } from "./litert-in-node.mjs";

const require = createRequire(import.meta.url);

/** @returns {import("../contestants/contract.js").Host} */
export function nodeHost(folder) {
  return {
    readFile: async (name) => new Uint8Array(await readFile(join(folder, name))),
    async onnxruntimeWeb() {
      const ort = await import("onnxruntime-web");
      ort.env.wasm.numThreads = 1;
      ort.env.logLevel = "error";
      return ort;
    },
    onnxruntimeNode: async () => require("onnxruntime-node"),
    async tfjs() {
      const tf = require("@tensorflow/tfjs-core");
      require("@tensorflow/tfjs-backend-cpu");
      const { setWasmPaths } = require("@tensorflow/tfjs-backend-wasm");
      const root = dirname(require.resolve("@tensorflow/tfjs-backend-wasm/package.json"));
      setWasmPaths(`${join(root, "dist")}/`);
      if (!(await tf.setBackend("wasm"))) throw new Error("the WebAssembly back end is not available");
      return tf;
    },
    litert: openLitertInNode,
  };
}
