/** onnxruntime-web (its WebAssembly back end) and onnxruntime-node (native): one programming interface. */
import { nhwcToNchw } from "../models/layouts.mjs";

const SESSION_OPTIONS = {
  "onnxruntime-web": { executionProviders: ["wasm"], graphOptimizationLevel: "all" },
  "onnxruntime-node": {
    executionProviders: ["cpu"],
    graphOptimizationLevel: "all",
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
  },
};

/** uint8 is int8 shifted by 128. */
const shifted = (values) => Uint8Array.from(values, (q) => q + 128);

/** @type {import("./contract.js").Open} */
export async function open(host, peerName) {
  const ort = await (peerName === "onnxruntime-web" ? host.onnxruntimeWeb() : host.onnxruntimeNode());
  return {
    async prepare({ case: c, graph, model }) {
      const session = await ort.InferenceSession.create(model, SESSION_OPTIONS[peerName]);
      const { shape } = graph.tensors[graph.input];
      const int8 = graph.dtype === "int8";
      // Tokens stay as they are, [1, tokens, channels].
      const tokens = c.kind === "attention";
      const dims = tokens ? shape : [1, shape[2], shape[0], shape[1]];
      const values = tokens ? graph.data : nhwcToNchw(graph.data, shape);
      const [type, data] = int8 ? ["uint8", shifted(values)] : ["float32", values];
      return {
        run: async () => (await session.run({ x: new ort.Tensor(type, data, dims) })).y.data,
        layout: tokens ? "NHWC" : "NCHW",
        encoding: int8 ? "uint8" : "real",
        dispose: () => session.release(),
      };
    },
  };
}
