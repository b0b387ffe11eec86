/** Makes the page work without a network, in two steps: what upscaling needs soon after the start, the rest when the page has been used. */

export function startOffline(): void {
  if (import.meta.env.MODE === "development" || !("serviceWorker" in navigator)) return;
  const register = (): void => {
    // Where it cannot be had (a private window, an origin without TLS) the page simply needs its host.
    void navigator.serviceWorker.register(new URL("sw.js", document.baseURI)).catch(() => {});
  };
  const rest = async (): Promise<void> => {
    const { active } = await navigator.serviceWorker.ready;
    active?.postMessage("rest");
  };
  if (document.readyState === "complete") register();
  else addEventListener("load", register, { once: true });
  addEventListener("used", () => void rest(), { once: true });
  addEventListener("hashchange", () => void rest(), { once: true });
}
