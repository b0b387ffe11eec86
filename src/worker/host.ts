import { builtin } from "../builtin.ts";

/** The few things of Node that threads need. */
export interface NodeHost {
  readonly threads: {
    readonly Worker: new (url: URL, options: { readonly execArgv: readonly string[] }) => NodeWorker;
    /** null in the main thread. */
    readonly parentPort: NodePort | null;
  };
  readonly os: { availableParallelism(): number };
}

export interface NodePort {
  postMessage(message: object, transfer: readonly ArrayBuffer[]): void;
  on(event: "message", listener: (data: unknown) => void): void;
}

export interface NodeWorker extends NodePort {
  on(event: "message", listener: (data: unknown) => void): void;
  on(event: "error" | "messageerror", listener: (error: Error) => void): void;
  on(event: "exit", listener: (status: number) => void): void;
  terminate(): unknown;
  ref(): void;
  unref(): void;
}

/** undefined in a browser. */
export function nodeHost(): NodeHost | undefined {
  const threads = builtin<NodeHost["threads"]>("node:worker_threads");
  const os = builtin<NodeHost["os"]>("node:os");
  return threads && os && { threads, os };
}

/** Processors that this process may use; 1 where that is not known. */
export function availableThreads(): number {
  return nodeHost()?.os.availableParallelism() ?? globalThis.navigator?.hardwareConcurrency ?? 1;
}
