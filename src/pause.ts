/**
 * Lets timers, input, messages and aborts in between two tiles, without the 4 ms that nested browser timeouts cost. A message to oneself
 * waits its turn; `scheduler.yield()` does not: in Chromium it goes before all messages to a worker, which then never hears of an abort.
 */
export function pause(): Promise<void> {
  const { setImmediate } = globalThis as { setImmediate?: (callback: () => void) => unknown };
  if (setImmediate) return new Promise((resolve) => setImmediate(resolve));
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}
