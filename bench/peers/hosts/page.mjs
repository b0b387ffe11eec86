/** The libraries as a page loads them: everything from the local server, nothing from the network. */

const PACKAGES = "/bench/peers/node_modules";

/** A classic script; resolves when it has run. */
function script(src) {
  return new Promise((resolve, reject) => {
    const element = Object.assign(document.createElement("script"), { src, onload: resolve });
    element.onerror = () => reject(new Error(`script: cannot load ${src}`));
    document.head.append(element);
  });
}

/** @returns {import("../contestants/contract.js").Host} */
export function pageHost() {
  return {
    async readFile(name) {
      const response = await fetch(`/work/${name}`);
      if (!response.ok) throw new Error(`${name}: the server answered ${response.status}`);
      return new Uint8Array(await response.arrayBuffer());
    },
    async onnxruntimeWeb() {
      const ort = await import(`${PACKAGES}/onnxruntime-web/dist/ort.wasm.bundle.min.mjs`);
      ort.env.wasm.numThreads = 1;
      ort.env.wasm.wasmPaths = `${PACKAGES}/onnxruntime-web/dist/`;
      ort.env.logLevel = "error";
      return ort;
    },
    onnxruntimeNode: async () => {
      throw new Error("onnxruntime-node is native: not in a page");
    },
    async tfjs() {
      const scoped = `${PACKAGES}/@tensorflow`;
      await script(`${scoped}/tfjs-core/dist/tf-core.min.js`);
      await script(`${scoped}/tfjs-backend-cpu/dist/tf-backend-cpu.min.js`);
      await script(`${scoped}/tfjs-backend-wasm/dist/tf-backend-wasm.min.js`);
      const { tf } = globalThis;
      tf.wasm.setWasmPaths(`${scoped}/tfjs-backend-wasm/dist/`);
      tf.env().set("WASM_HAS_MULTITHREAD_SUPPORT", false);
      if (!(await tf.setBackend("wasm"))) throw new Error("the WebAssembly back end is not available");
      return tf;
    },
    async litert() {
      const litert = await import(`${PACKAGES}/@litertjs/core/dist/index.js`);
      await litert.loadLiteRt(`${PACKAGES}/@litertjs/core/wasm/`);
      return litert;
    },
  };
}
