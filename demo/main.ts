/** The page: five views behind the hash, each loaded when it is first looked at; the theme; what makes it work offline. */
import { startOffline } from "./offline/register.ts";
import { part } from "./shell/dom.ts";
import { startTheme } from "./shell/theme.ts";
import type { Mount, View } from "./shell/view.ts";

const VIEWS: Readonly<
  Record<string, { readonly title: string; readonly load: () => Promise<{ readonly mount: Mount }> }>
> = {
  upscale: { title: "Upscale", load: () => import("./upscale/view.ts") },
  live: { title: "Live", load: () => import("./live/view.ts") },
  lab: { title: "Lab", load: () => import("./lab/view.ts") },
  bench: { title: "Bench", load: () => import("./bench/view.ts") },
  simulate: { title: "Simulate", load: () => import("./simulate/view.ts") },
};
const FIRST = "upscale";

const main = part(document, "#main");
const open = new Map<string, { readonly section: HTMLElement; readonly view: Promise<View> }>();
let current: string | undefined;

/** "#lab?m=4" is the view "lab"; what follows is the view's own. */
function wanted(): string {
  const name = location.hash.slice(1).split("?", 1)[0]!;
  return name in VIEWS ? name : FIRST;
}

async function route(): Promise<void> {
  if (location.hash === "#main") return;
  const name = wanted();
  if (name === current) return;
  if (current !== undefined) {
    const { section, view } = open.get(current)!;
    section.hidden = true;
    void view.then(({ hide }) => hide?.());
  }
  current = name;
  const { title, load } = VIEWS[name]!;
  document.title = `${title} · wasmograd`;
  for (const link of document.querySelectorAll<HTMLAnchorElement>("nav a")) {
    if (link.hash === `#${name}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  let entry = open.get(name);
  if (!entry) {
    const section = document.createElement("section");
    section.className = `view ${name}`;
    main.append(section);
    entry = { section, view: load().then(({ mount }) => mount(section)) };
    open.set(name, entry);
    entry.view.catch(() => {
      section.textContent = "This view could not be loaded. Is the connection gone? Reload the page to try again.";
      section.classList.add("notice");
      open.delete(name);
    });
  }
  entry.section.hidden = false;
  const view = await entry.view;
  if (current === name) view.show?.();
}

addEventListener("hashchange", () => void route());
startTheme();
void route();
startOffline();
