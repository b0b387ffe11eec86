import { describe, expect, test } from "vitest";
import type { Reply, Request } from "../../src/worker/messages.ts";
import { WorkerPool } from "../../src/worker/pool.ts";
import { startThread, type ThreadEvents } from "../../src/worker/thread.ts";

type Sent = Request<string, number>;

/** Threads that do nothing by themselves: the test answers for them. */
class FakeThreads {
  readonly all: { events: ThreadEvents; sent: Sent[]; alive: boolean; ended: boolean }[] = [];
  start = (events: ThreadEvents) => {
    const thread = { events, sent: [] as Sent[], alive: false, ended: false };
    this.all.push(thread);
    return {
      post: (message: object) => void thread.sent.push(message as Sent),
      terminate: () => {
        thread.ended = true;
      },
      keepAlive: (on: boolean) => {
        thread.alive = on;
      },
    };
  };
  reply(thread: number, reply: Reply<string>): void {
    this.all[thread]!.events.message(reply);
  }
  lastId(thread: number): number {
    return (this.all[thread]!.sent.at(-1) as { id: number }).id;
  }
}

function poolOf(size: number) {
  const threads = new FakeThreads();
  const pool = new WorkerPool<string, number, string>(size, threads.start, "setup");
  const parts: string[] = [];
  const start = (task: number) =>
    pool.run({ open: () => ({ task, transfer: [] }), part: (part) => void parts.push(part) });
  return { threads, pool, parts, start, run: (task: number) => start(task).finished };
}

const end = (id: number): Reply<string> => ({ kind: "end", id, memoryBytes: 100 });

describe("a pool", () => {
  test("starts threads as there is something to do, sets them up first, and gives them a task at a time", async () => {
    const { threads, pool, parts, run } = poolOf(2);
    expect(threads.all).toHaveLength(0);
    const done = [run(10), run(11), run(12)];
    expect(threads.all.map(({ sent }) => sent)).toEqual([
      [
        { kind: "setup", setup: "setup" },
        { kind: "task", id: 0, task: 10 },
      ],
      [
        { kind: "setup", setup: "setup" },
        { kind: "task", id: 1, task: 11 },
      ],
    ]);
    threads.reply(1, { kind: "part", id: 1, part: "b" });
    threads.reply(0, { kind: "part", id: 0, part: "a" });
    threads.reply(1, end(1));
    await done[1];
    expect(threads.all[1]!.sent.at(-1)).toEqual({ kind: "task", id: 2, task: 12 });
    expect(threads.all.map(({ alive }) => alive)).toEqual([true, true]);
    threads.reply(0, end(0));
    threads.reply(1, end(2));
    await Promise.all(done);
    expect(parts).toEqual(["b", "a"]);
    // Idle threads do not keep the process alive, and are used again.
    expect(threads.all.map(({ alive }) => alive)).toEqual([false, false]);
    expect(pool.memoryBytes).toBe(200);
    const again = run(13);
    expect(threads.all).toHaveLength(2);
    threads.reply(0, end(3));
    await again;
  });

  test("an error of the thread's code rejects its task, with its code; the thread goes on", async () => {
    const { threads, run } = poolOf(1);
    const [first, second] = [run(1), run(2)];
    threads.reply(0, { kind: "error", id: 0, code: "ERR_OUT_OF_MEMORY", message: "full" });
    await expect(first).rejects.toMatchObject({ code: "ERR_OUT_OF_MEMORY", message: "full" });
    threads.reply(0, end(1));
    await second;
    expect(threads.all).toHaveLength(1);
  });

  test("a thread that fails takes its task with it and is replaced", async () => {
    const { threads, run } = poolOf(1);
    const [first, second] = [run(1), run(2)];
    threads.all[0]!.events.failure("killed");
    await expect(first).rejects.toMatchObject({ code: "ERR_WORKER", message: "a thread failed: killed" });
    expect(threads.all[0]!.ended).toBe(true);
    expect(threads.all[1]!.sent.at(-1)).toEqual({ kind: "task", id: 1, task: 2 });
    threads.reply(1, end(1));
    await second;
  });

  test("where no thread can be started, everything that waits is told", async () => {
    const pool = new WorkerPool<string, number, string>(
      2,
      () => {
        throw new Error("forbidden");
      },
      "",
    );
    const task = { open: () => ({ task: 1, transfer: [] }), part: () => {} };
    const all = await Promise.allSettled([pool.run(task).finished, pool.run(task).finished]);
    for (const { status, reason } of all as PromiseRejectedResult[]) {
      expect([status, reason.code, reason.message]).toEqual([
        "rejected",
        "ERR_WORKER",
        "a thread could not be started: forbidden",
      ]);
    }
  });

  test("cancelled: rejects at once, the thread is told, its late parts are dropped, and it is free when it says so", async () => {
    const { threads, parts, start, run } = poolOf(1);
    const [running, waiting, next] = [start(1), start(2), run(3)];
    for (const { finished, cancel } of [running, waiting]) {
      cancel(new Error("enough"));
      cancel(new Error("more than enough"));
      await expect(finished).rejects.toThrow(/^enough/);
    }
    expect(threads.all[0]!.sent.filter(({ kind }) => kind === "cancel")).toEqual([{ kind: "cancel", id: 0 }]);
    threads.reply(0, { kind: "part", id: 0, part: "late" });
    threads.reply(0, end(0));
    expect(threads.all[0]!.sent.at(-1)).toEqual({ kind: "task", id: 2, task: 3 });
    threads.reply(0, { kind: "part", id: 0, part: "very late" });
    threads.reply(0, end(2));
    await next;
    expect(parts).toEqual([]);
  });

  test("what a receiver of parts throws fails the task and stops the thread", async () => {
    const { threads, pool } = poolOf(1);
    const { finished: failing } = pool.run({
      open: () => ({ task: 1, transfer: [] }),
      part: () => {
        throw new Error("no");
      },
    });
    threads.reply(0, { kind: "part", id: 0, part: "a" });
    await expect(failing).rejects.toThrow("no");
    expect(threads.all[0]!.sent.at(-1)).toEqual({ kind: "cancel", id: 0 });
  });

  test("disposed of: threads end, tasks under way and later ones reject", async () => {
    const { threads, pool, run } = poolOf(1);
    const [running, waiting] = [run(1), run(2)];
    pool.dispose();
    for (const task of [running, waiting, run(3)]) await expect(task).rejects.toMatchObject({ code: "ERR_DISPOSED" });
    expect(threads.all.map(({ ended }) => ended)).toEqual([true]);
    threads.reply(0, end(0));
  });
});

test("a thread whose code is missing reports it once, with a reason", async () => {
  const url = new URL("./missing.js", import.meta.url);
  const reasons: string[] = [];
  const thread = startThread(
    { url, web: () => expect.fail("not in Node") },
    { message: () => expect.fail("no message"), failure: (reason) => void reasons.push(reason) },
  );
  thread.keepAlive(true);
  await expect.poll(() => reasons.length).toBe(1);
  expect(reasons[0]).toMatch(/missing\.js/);
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(reasons).toHaveLength(1);
});
