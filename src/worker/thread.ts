/** Node's worker threads and Web Workers as one. Neither needs SharedArrayBuffer, so pages need no special headers. */
import { nodeHost } from "./host.ts";
import { holdLock, isLifeMessage, newLock, whenReleased } from "./life.ts";

export interface Thread {
  post(message: object, transfer: readonly ArrayBuffer[]): void;
  terminate(): void;
  /** Node: whether the thread keeps the process alive. */
  keepAlive(on: boolean): void;
}

export interface ThreadEvents {
  readonly message: (data: unknown) => void;
  /** The thread could not be started, threw outside of all handlers, or ended; at most once. */
  readonly failure: (reason: string) => void;
}

/** Where the code of a thread is; `web` is written out by the caller, as bundlers look for `new Worker(new URL(...))`. */
export interface ThreadCode {
  readonly url: URL;
  readonly web: () => Worker;
}

export function startThread(code: ThreadCode, events: ThreadEvents): Thread {
  let over = false;
  const failure = (reason: string): void => {
    if (!over) events.failure(reason);
    over = true;
  };
  const node = nodeHost();
  if (node) {
    // The options that the process was started with (a script on the command line, a loader) are not for our code.
    const worker = new node.threads.Worker(code.url, { execArgv: [] });
    worker.unref();
    worker.on("message", events.message);
    worker.on("messageerror", ({ message }) => failure(message));
    worker.on("error", ({ message }) => failure(message));
    worker.on("exit", (status) => failure(`exited with status ${status}`));
    return {
      post: (message, transfer) => worker.postMessage(message, transfer),
      terminate: () => {
        over = true;
        void worker.terminate();
      },
      keepAlive: (on) => (on ? worker.ref() : worker.unref()),
    };
  }
  const worker = code.web();
  const ended = new AbortController();
  worker.onmessage = ({ data }) => {
    if (isLifeMessage(data)) whenReleased(data, ended.signal, () => failure("it was ended"));
    else events.message(data);
  };
  worker.onmessageerror = () => failure("a message could not be read");
  worker.onerror = ({ message }) => failure(message || "its code could not be loaded");
  const life = newLock();
  if (life) worker.postMessage(life);
  return {
    post: (message, transfer) => worker.postMessage(message, [...transfer]),
    terminate: () => {
      over = true;
      ended.abort();
      worker.terminate();
    },
    keepAlive: () => {},
  };
}

/** The thread's own side. */
export interface Port {
  post(message: object, transfer: readonly ArrayBuffer[]): void;
  listen(handler: (data: unknown) => void): void;
}

export function ownPort(): Port {
  const parent = nodeHost()?.threads.parentPort;
  if (parent) {
    return {
      post: (message, transfer) => parent.postMessage(message, transfer),
      listen: (handler) => parent.on("message", handler),
    };
  }
  const scope = globalThis as unknown as {
    postMessage(message: object, options: { transfer: ArrayBuffer[] }): void;
    onmessage: (event: MessageEvent) => void;
  };
  return {
    post: (message, transfer) => scope.postMessage(message, { transfer: [...transfer] }),
    listen: (handler) => {
      scope.onmessage = ({ data }) => {
        if (isLifeMessage(data)) holdLock(data, () => scope.postMessage(data, { transfer: [] }));
        else handler(data);
      };
    },
  };
}
