/**
 * Tasks spread over a few threads, first come, first served; threads are started when there is something to do and kept. A thread that
 * fails takes its task with it and is replaced for the next one.
 */
import { WasmogradError } from "../errors.ts";
import type { Reply, Request } from "./messages.ts";
import type { Thread, ThreadEvents } from "./thread.ts";

/** Something for one thread to do. */
export interface PoolTask<Task, Part> {
  /** Made when a thread is free for it; the buffers are handed over. */
  readonly open: () => { readonly task: Task; readonly transfer: readonly ArrayBuffer[] };
  /** Told of each partial result, in order. What it throws fails the task. */
  readonly part: (part: Part) => void;
}

export interface PoolRun {
  readonly finished: Promise<void>;
  /** Rejects `finished` now, and stops the thread soon; without effect when it is over. */
  readonly cancel: (reason: unknown) => void;
}

interface Running<Task, Part> {
  readonly id: number;
  readonly task: PoolTask<Task, Part>;
  readonly resolve: () => void;
  readonly reject: (reason: unknown) => void;
  /** Rejected already; what the thread still sends of it is dropped. */
  over: boolean;
}

interface Slot<Task, Part> {
  thread: Thread;
  current: Running<Task, Part> | undefined;
  memoryBytes: number;
}

export class WorkerPool<Setup, Task, Part> {
  readonly size: number;
  readonly #start: (events: ThreadEvents) => Thread;
  readonly #setup: Setup;
  readonly #slots: Slot<Task, Part>[] = [];
  readonly #queue: Running<Task, Part>[] = [];
  #ids = 0;
  #disposed = false;

  /** @param setup what each thread is told before its first task */
  constructor(size: number, start: (events: ThreadEvents) => Thread, setup: Setup) {
    this.size = size;
    this.#start = start;
    this.#setup = setup;
  }

  /** Bytes of WebAssembly memory that the threads hold, as of their last task. */
  get memoryBytes(): number {
    return this.#slots.reduce((sum, slot) => sum + slot.memoryBytes, 0);
  }

  /**
   * Runs a task when a thread is free. `finished` rejects with WasmogradError ERR_WORKER when the thread fails, with ERR_DISPOSED, with what
   * the thread's code threw, or with the reason of `cancel`.
   */
  run(task: PoolTask<Task, Part>): PoolRun {
    let running!: Running<Task, Part>;
    const finished = new Promise<void>((resolve, reject) => {
      running = { id: this.#ids++, task, resolve, reject, over: false };
    });
    if (this.#disposed) {
      this.#reject(running, disposed());
    } else {
      this.#queue.push(running);
      this.#pump();
    }
    return { finished, cancel: (reason) => this.#drop(running, reason) };
  }

  /** Gives what is queued to idle threads, and starts threads while there are fewer than `size`. */
  #pump(): void {
    while (this.#queue.length > 0) {
      const slot = this.#slots.find(({ current }) => !current) ?? this.#grow();
      if (!slot) return;
      const running = this.#queue.shift()!;
      slot.current = running;
      try {
        const { task, transfer } = running.task.open();
        slot.thread.keepAlive(true);
        this.#post(slot, { kind: "task", id: running.id, task }, transfer);
      } catch (error) {
        slot.current = undefined;
        this.#reject(running, error);
      }
    }
  }

  #post(slot: Slot<Task, Part>, message: Request<Setup, Task>, transfer: readonly ArrayBuffer[] = []): void {
    slot.thread.post(message, transfer);
  }

  #grow(): Slot<Task, Part> | undefined {
    if (this.#slots.length >= this.size) return undefined;
    const slot = { current: undefined, memoryBytes: 0 } as unknown as Slot<Task, Part>;
    try {
      slot.thread = this.#start({
        message: (data) => this.#receive(slot, data as Reply<Part>),
        failure: (reason) => this.#fail(slot, reason),
      });
      this.#post(slot, { kind: "setup", setup: this.#setup });
    } catch (cause) {
      // No thread can be started here at all.
      const error = new WasmogradError("ERR_WORKER", `a thread could not be started: ${(cause as Error).message}`, {
        cause,
      });
      for (const running of this.#queue.splice(0)) this.#reject(running, error);
      return undefined;
    }
    this.#slots.push(slot);
    return slot;
  }

  #receive(slot: Slot<Task, Part>, reply: Reply<Part>): void {
    const running = slot.current;
    if (!running || reply.id !== running.id) return;
    if (reply.kind === "part") {
      if (running.over) return;
      try {
        running.task.part(reply.part);
      } catch (error) {
        this.#drop(running, error);
      }
      return;
    }
    slot.current = undefined;
    slot.thread.keepAlive(false);
    if (reply.kind === "end") {
      slot.memoryBytes = reply.memoryBytes;
      if (!running.over) running.resolve();
    } else {
      const { code, message } = reply;
      this.#reject(running, code ? new WasmogradError(code, message) : new Error(message));
    }
    this.#pump();
  }

  #fail(slot: Slot<Task, Part>, reason: string): void {
    slot.thread.terminate();
    const at = this.#slots.indexOf(slot);
    if (at >= 0) this.#slots.splice(at, 1);
    if (slot.current) this.#reject(slot.current, new WasmogradError("ERR_WORKER", `a thread failed: ${reason}`));
    slot.current = undefined;
    this.#pump();
  }

  /** Rejects a task now; a thread that is at it is told to stop. */
  #drop(running: Running<Task, Part>, reason: unknown): void {
    const queued = this.#queue.indexOf(running);
    if (queued >= 0) this.#queue.splice(queued, 1);
    const slot = this.#slots.find(({ current }) => current === running);
    if (slot && !running.over) this.#post(slot, { kind: "cancel", id: running.id });
    this.#reject(running, reason);
  }

  #reject(running: Running<Task, Part>, reason: unknown): void {
    if (!running.over) running.reject(reason);
    running.over = true;
  }

  /** Ends the threads; tasks under way are rejected with ERR_DISPOSED. */
  dispose(): void {
    this.#disposed = true;
    const slots = this.#slots.splice(0);
    for (const { thread } of slots) thread.terminate();
    const open = [...this.#queue.splice(0), ...slots.flatMap(({ current }) => (current ? [current] : []))];
    for (const running of open) this.#reject(running, disposed());
  }
}

function disposed(): WasmogradError {
  return new WasmogradError("ERR_DISPOSED", "these threads were disposed of");
}
