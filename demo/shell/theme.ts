/** Light or dark: as the system says until the switch is used. */
import { part } from "./dom.ts";

const KEY = "theme";
const dark = matchMedia("(prefers-color-scheme: dark)");
const listeners = new Set<() => void>();

type Theme = "light" | "dark";

function chosen(): Theme | undefined {
  try {
    const value = localStorage.getItem(KEY);
    return value === "light" || value === "dark" ? value : undefined;
  } catch {
    // Storage may be forbidden; the choice then lasts as long as the page.
    return undefined;
  }
}

const system = (): Theme => (dark.matches ? "dark" : "light");

function remember(theme: Theme): void {
  try {
    if (theme === system()) localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, theme);
  } catch {}
}

/** Calls when colours change: for what is drawn on a canvas. Returns a function that ends it. */
export function onTheme(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** The colour of a custom property, as canvases take it. */
export function colour(property: string): string {
  const probe = document.createElement("span");
  probe.style.color = `var(${property})`;
  document.body.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}

export function startTheme(): void {
  const button = part(document, "[data-part=theme]");
  const label = part(document, "[data-part=theme-label]");
  let theme = chosen() ?? system();
  const apply = (): void => {
    document.documentElement.dataset.theme = theme;
    label.textContent = `Switch to ${theme === "dark" ? "light" : "dark"} theme`;
    button.title = label.textContent;
    for (const listener of listeners) listener();
  };
  button.addEventListener("click", () => {
    theme = theme === "dark" ? "light" : "dark";
    remember(theme);
    apply();
  });
  dark.addEventListener("change", () => {
    theme = chosen() ?? system();
    apply();
  });
  apply();
}
