/** LiteRT.js on the CPU (XNNPACK in WebAssembly). */

/** @type {import("./contract.js").Open} */
export async function open(host) {
  const { loadAndCompile, Tensor } = await host.litert();
  return {
    async prepare({ case: c, graph, model }) {
      const compiled = await loadAndCompile(model, { accelerator: "wasm", cpuOptions: { numThreads: 1 } });
      const { shape, quantization } = graph.tensors[graph.input];
      const dims = c.kind === "attention" ? shape.slice(1) : [1, ...shape];
      const data = quantization
        ? Float32Array.from(graph.data, (q) => (q - quantization.zeroPoint) * quantization.scale)
        : graph.data;
      const run = async () => {
        const input = new Tensor(data, dims);
        const [output] = await compiled.run([input]);
        const values = output.toTypedArray(); // a copy
        output.delete();
        input.delete();
        return values;
      };
      return { run, layout: "NHWC", encoding: "real", dispose: () => compiled.delete() };
    },
  };
}
