/**
 * Whether a Web Worker still lives. One that was ended by somebody else, or ended itself, sends no event; but a lock that it holds is free
 * then. Where there are no locks (pages without https), and before a thread that is starting holds its own, such an end goes unnoticed.
 */

/** What a thread is told and tells, apart from everything else: the name of its lock, which it holds. */
export interface LifeMessage {
  readonly lock: string;
}

export function isLifeMessage(data: unknown): data is LifeMessage {
  return typeof (data as LifeMessage | null)?.lock === "string";
}

const locks = (): LockManager | undefined => globalThis.navigator?.locks;

/** A name that no other thread has; undefined where there are no locks. */
export function newLock(): LifeMessage | undefined {
  return locks() && { lock: `wasmograd ${crypto.randomUUID()}` };
}

/** The thread's side: takes the lock and keeps it. Frames of no origin are refused it. */
export function holdLock({ lock }: LifeMessage, held: () => void): void {
  locks()
    ?.request(lock, () => {
      held();
      return new Promise(() => {});
    })
    .catch(() => {});
}

/** The other side, once the thread holds the lock: waits for it, until `signal` is aborted. */
export function whenReleased({ lock }: LifeMessage, signal: AbortSignal, released: () => void): void {
  locks()
    ?.request(lock, { signal }, released)
    .catch(() => {});
}
