/** What a pool and its threads say to each other. Every task has a number; parts and results name it. */
import type { ErrorCode } from "../errors.ts";

/** To the thread. `setup` comes first and once. */
export type Request<Setup, Task> =
  | { readonly kind: "setup"; readonly setup: Setup }
  | { readonly kind: "task"; readonly id: number; readonly task: Task }
  | { readonly kind: "cancel"; readonly id: number };

/** From the thread. `end` closes a task that is done or was cancelled, `error` one that failed. */
export type Reply<Part> =
  | { readonly kind: "part"; readonly id: number; readonly part: Part }
  | { readonly kind: "end"; readonly id: number; readonly memoryBytes: number }
  | { readonly kind: "error"; readonly id: number; readonly code: ErrorCode | undefined; readonly message: string };
