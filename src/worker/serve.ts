/** The loop of a thread: setup once, then a task at a time, which `cancel` stops where it pauses. */
import { WasmogradError } from "../errors.ts";
import type { Reply, Request } from "./messages.ts";
import { ownPort } from "./thread.ts";

/** What a thread can do, made from the pool's setup. */
export interface Service<Task, Part> {
  /** Hands over parts as they are finished; stops soon after the signal is aborted, with or without an error. */
  run(task: Task, signal: AbortSignal, part: (part: Part, transfer: readonly ArrayBuffer[]) => void): Promise<void>;
  readonly memoryBytes: number;
}

export function serve<Setup, Task, Part>(start: (setup: Setup) => Promise<Service<Task, Part>>): void {
  const port = ownPort();
  const post = (reply: Reply<Part>, transfer: readonly ArrayBuffer[] = []): void => port.post(reply, transfer);
  let service: Promise<Service<Task, Part>> | undefined;
  let current: { readonly id: number; readonly controller: AbortController } | undefined;

  const run = async (id: number, task: Task): Promise<void> => {
    const controller = new AbortController();
    current = { id, controller };
    try {
      const ready = await service!;
      try {
        await ready.run(task, controller.signal, (part, transfer) => post({ kind: "part", id, part }, transfer));
      } catch (error) {
        if (!controller.signal.aborted) throw error;
      }
      post({ kind: "end", id, memoryBytes: ready.memoryBytes });
    } catch (error) {
      const code = error instanceof WasmogradError ? error.code : undefined;
      post({ kind: "error", id, code, message: error instanceof Error ? error.message : String(error) });
    }
  };

  port.listen((data) => {
    const request = data as Request<Setup, Task>;
    if (request.kind === "setup") {
      service = start(request.setup);
      // It is reported with the first task.
      service.catch(() => {});
    } else if (request.kind === "task") {
      void run(request.id, request.task);
    } else if (current?.id === request.id) {
      current.controller.abort();
    }
  });
}
