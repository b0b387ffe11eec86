// The service worker: files of one build, taken from its cache before the network is asked. The build fills in the two lists.
const VERSION = "__VERSION__";
/** What upscaling in int8 needs. */
const CORE = __CORE__;
/** All other files; fetched when the page has been used. */
const REST = __REST__;

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(VERSION).then((cache) => cache.addAll(CORE)));
  self.skipWaiting();
});

self.addEventListener("activate", (event) => {
  const others = async () => {
    for (const name of await caches.keys())
      if (name !== VERSION && name.startsWith("wasmograd-")) await caches.delete(name);
    await self.clients.claim();
  };
  event.waitUntil(others());
});

self.addEventListener("message", (event) => {
  if (event.data !== "rest") return;
  const fill = async () => {
    const cache = await caches.open(VERSION);
    const present = new Set((await cache.keys()).map(({ url }) => url));
    await cache.addAll(REST.filter((path) => !present.has(new URL(path, self.registration.scope).href)));
  };
  event.waitUntil(fill().catch(() => {}));
});

self.addEventListener("fetch", (event) => {
  const { method, url } = event.request;
  if (method !== "GET" || !url.startsWith(self.registration.scope)) return;
  const answer = async () => {
    const cache = await caches.open(VERSION);
    // What hosts vary by, such as the origin, changes nothing of these files.
    return (await cache.match(event.request, { ignoreSearch: true, ignoreVary: true })) ?? fetch(event.request);
  };
  event.respondWith(answer());
});
