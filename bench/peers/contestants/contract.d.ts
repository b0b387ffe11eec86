/** What a contestant's module exports: `open`. One runs in each process or page. */
import type { Case } from "../cases.mjs";
import type { Graph } from "../graph.mjs";
import type { Variant } from "../peers.mjs";

/** The surroundings that differ between Node and the page. */
export interface Host {
  /** Bytes of a file that the parent has written, a model or an expected result, in a buffer of their own. */
  readFile(name: string): Promise<Uint8Array>;
  onnxruntimeWeb(): Promise<unknown>;
  onnxruntimeNode(): Promise<unknown>;
  tfjs(): Promise<unknown>;
  litert(): Promise<unknown>;
}

export type Values = Float32Array | Int8Array | Uint8Array;

/** One layer or network made ready. */
export interface Prepared {
  /** From JavaScript's input data to an output that JavaScript can read, in an array of its own, every time. */
  run(): Values | Promise<Values>;
  /** Order of the output's values. */
  readonly layout: "NHWC" | "NCHW";
  /** What an int8 case's output holds: our int8, int8 + 128, or real values. f32 cases: "real". */
  readonly encoding: "int8" | "uint8" | "real";
  /** What was chosen, where there is something to be said. */
  readonly detail?: string;
  dispose(): void | Promise<void>;
}

export interface Contestant {
  /** @throws Error when it cannot run the case; its message becomes the reason in the results */
  prepare(task: { case: Case; variant: Variant; graph: Graph; model: Uint8Array | undefined }): Promise<Prepared>;
}

export type Open = (host: Host, peerName: string) => Promise<Contestant>;
