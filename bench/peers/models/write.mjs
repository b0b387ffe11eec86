/** Writes what the contestants read: the models of a case, and what wasmograd computes from it. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { DTYPES } from "../cases.mjs";
import { open } from "../contestants/wasmograd.mjs";
import { graphOf } from "../graph.mjs";
import { peerNamed } from "../peers.mjs";
import { onnxF32, onnxQdq, onnxQLinear } from "./onnx.mjs";
import { onnxAttentionF32, onnxAttentionFused, onnxAttentionQdq } from "./onnx-attention.mjs";
import { tflite } from "./tflite.mjs";
import { tfliteAttention } from "./tflite-attention.mjs";

function models(c) {
  const [int8, f32] = DTYPES.map((dtype) => graphOf(c, dtype));
  if (c.kind === "attention") {
    return {
      "f32.onnx": onnxAttentionF32(f32),
      "f32.tflite": tfliteAttention(f32),
      "int8.qdq.onnx": onnxAttentionQdq(int8),
      "int8.tflite": tfliteAttention(int8),
      ...(c.k === "k" && c.v === "v" && { "fused.onnx": onnxAttentionFused(f32) }),
    };
  }
  return {
    "f32.onnx": onnxF32(f32),
    "f32.tflite": tflite(f32),
    "int8.qlinear.onnx": onnxQLinear(int8),
    "int8.qdq.onnx": onnxQdq(int8),
    "int8.tflite": tflite(int8),
  };
}

/** Our own output, NHWC; int8 results and f32 by direct convolution, as "auto" gives them. */
async function expected(contestant, c, dtype) {
  const variant = peerNamed("wasmograd").variants.find((v) => v.dtype === dtype && v.name === "auto");
  const prepared = await contestant.prepare({ case: c, variant, graph: graphOf(c, dtype), model: undefined });
  const output = await prepared.run();
  await prepared.dispose();
  return new Uint8Array(output.buffer, output.byteOffset, output.byteLength);
}

/**
 * @returns {Promise<Partial<Record<"int8" | "f32", string>>>} by data type: why wasmograd cannot compute the case. Then nobody is timed, as
 *   nothing could be said about their outputs.
 */
export async function writeCase(c, folder) {
  for (const [name, bytes] of Object.entries(models(c))) writeFileSync(join(folder, name), bytes);
  const contestant = await open();
  const failures = {};
  for (const dtype of DTYPES) {
    try {
      writeFileSync(join(folder, `expected.${dtype}`), await expected(contestant, c, dtype));
    } catch (error) {
      failures[dtype] = `wasmograd: ${error.message}`;
    }
  }
  return failures;
}
