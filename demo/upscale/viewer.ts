/** The window onto the pictures: where it looks, how closely, and where the divider is. It says what is to be painted; a worker paints. */
import type { Size } from "../../src/image/types.ts";
import { Divider } from "../shell/divider.ts";
import { make, part } from "../shell/dom.ts";
import type { View } from "./messages.ts";

const LEAST_ZOOM = 1 / 16;
const MOST_ZOOM = 16;
/** Of the window's shorter side, a press of an arrow key. */
const KEY_STEP = 0.1;

const MARKUP = `
  <canvas class="before" aria-hidden="true"></canvas>
  <canvas class="after" aria-hidden="true"></canvas>
`;

export class Viewer {
  readonly #root: HTMLElement;
  readonly #divider: Divider;
  readonly #look: (view: View) => void;
  readonly #zoomed: (text: string, fits: boolean) => void;
  #picture: Size | undefined;
  /** Device pixels of the canvases. */
  #canvas: Size = { width: 1, height: 1 };
  /** The picture's pixel in the middle of the window. */
  #centre = { x: 0, y: 0 };
  /** undefined: as large as the whole picture can be shown. */
  #zoom: number | undefined;

  /**
   * @param look told of every change of what is to be painted
   * @param zoomed told of the zoom as people read it
   */
  constructor(root: HTMLElement, look: (view: View) => void, zoomed: (text: string, fits: boolean) => void) {
    this.#root = root;
    this.#look = look;
    this.#zoomed = zoomed;
    root.innerHTML = MARKUP;
    this.#divider = new Divider(root);
    new ResizeObserver(([entry]) => this.#resize(entry!)).observe(root);
    this.#listen();
  }

  /** For a worker to paint on; once. */
  takeCanvases(): { before: OffscreenCanvas; after: OffscreenCanvas } {
    const take = (name: string): OffscreenCanvas =>
      part<HTMLCanvasElement>(this.#root, name).transferControlToOffscreen();
    return { before: take(".before"), after: take(".after") };
  }

  /** A new result: the whole of it. */
  show(picture: Size): void {
    const same = this.#picture?.width === picture.width && this.#picture.height === picture.height;
    this.#picture = picture;
    if (!same) this.fit();
    else this.#changed();
  }

  label(left: string, right: string): void {
    this.#divider.label(left, right);
  }

  fit(): void {
    this.#zoom = undefined;
    const { width, height } = this.#picture ?? { width: 0, height: 0 };
    this.#centre = { x: width / 2, y: height / 2 };
    this.#changed();
  }

  /** @param zoom device pixels of a pixel of the result @param at stays where it is, in device pixels of the window */
  zoomTo(zoom: number, at = { x: this.#canvas.width / 2, y: this.#canvas.height / 2 }): void {
    const view = this.#view();
    if (!view) return;
    const next = Math.max(LEAST_ZOOM, Math.min(MOST_ZOOM, zoom));
    const [x, y] = [view.x + at.x / view.zoom, view.y + at.y / view.zoom];
    this.#zoom = next;
    this.#centre = { x: x + (this.#canvas.width / 2 - at.x) / next, y: y + (this.#canvas.height / 2 - at.y) / next };
    this.#changed();
  }

  /** To the next power of two above or below. */
  step(direction: 1 | -1, at?: { x: number; y: number }): void {
    const view = this.#view();
    if (!view) return;
    const level = Math.log2(view.zoom);
    this.zoomTo(2 ** (direction > 0 ? Math.floor(level + 1.001) : Math.ceil(level - 1.001)), at);
  }

  #fitting(): number {
    const { width, height } = this.#picture!;
    const ratio = Math.min(this.#canvas.width / width, this.#canvas.height / height);
    // Magnified pixels are squares of one size.
    return ratio >= 1 ? Math.min(4, Math.floor(ratio)) : ratio;
  }

  #view(): View | undefined {
    if (!this.#picture) return undefined;
    const { width, height } = this.#canvas;
    const zoom = this.#zoom ?? this.#fitting();
    const place = (centre: number, window: number, size: number): number => {
      const visible = window / zoom;
      if (visible >= size) return (size - visible) / 2;
      return Math.max(0, Math.min(size - visible, centre - visible / 2));
    };
    const [x, y] = [
      place(this.#centre.x, width, this.#picture.width),
      place(this.#centre.y, height, this.#picture.height),
    ];
    // Whole device pixels, so that a picture that is moved is not sampled anew.
    return { width, height, x: Math.round(x * zoom) / zoom, y: Math.round(y * zoom) / zoom, zoom };
  }

  #changed(): void {
    const view = this.#view();
    if (!view) return;
    this.#centre = { x: view.x + view.width / view.zoom / 2, y: view.y + view.height / view.zoom / 2 };
    this.#root.classList.toggle("fits", this.#zoom === undefined);
    this.#zoomed(`${(100 * view.zoom).toFixed(view.zoom < 0.1 ? 1 : 0)} %`, this.#zoom === undefined);
    this.#look(view);
  }

  #resize({ contentRect, devicePixelContentBoxSize }: ResizeObserverEntry): void {
    const [exact] = devicePixelContentBoxSize ?? [];
    // The exact size is a rounding apart; where it is more, it is of a screen that is only simulated.
    const pixels = (size: number, known: number | undefined): number => {
      const about = size * devicePixelRatio;
      return known !== undefined && Math.abs(known - about) <= 1 ? known : Math.round(about);
    };
    const width = pixels(contentRect.width, exact?.inlineSize);
    const height = pixels(contentRect.height, exact?.blockSize);
    if (width === 0 || height === 0) return;
    this.#canvas = { width, height };
    this.#changed();
  }

  #move(dx: number, dy: number): void {
    const view = this.#view();
    if (!view) return;
    this.#zoom = view.zoom === this.#fitting() ? this.#zoom : view.zoom;
    this.#centre = { x: this.#centre.x - dx / view.zoom, y: this.#centre.y - dy / view.zoom };
    this.#changed();
  }

  #listen(): void {
    const root = this.#root;
    const scale = (): number => this.#canvas.width / root.clientWidth;
    const at = ({ clientX, clientY }: MouseEvent): { x: number; y: number } => {
      const { left, top } = root.getBoundingClientRect();
      return { x: (clientX - left) * scale(), y: (clientY - top) * scale() };
    };
    let from: { x: number; y: number } | undefined;
    root.addEventListener("pointerdown", (event) => {
      if (event.target === this.#divider.input || event.button !== 0) return;
      from = at(event);
      root.setPointerCapture(event.pointerId);
      root.classList.add("dragging");
    });
    root.addEventListener("pointermove", (event) => {
      if (!from) return;
      const to = at(event);
      this.#move(to.x - from.x, to.y - from.y);
      from = to;
    });
    for (const end of ["pointerup", "pointercancel"]) {
      root.addEventListener(end, () => {
        from = undefined;
        root.classList.remove("dragging");
      });
    }
    root.addEventListener("dblclick", (event) => {
      if (this.#zoom === undefined) this.zoomTo(Math.max(1, 2 * this.#fitting()), at(event));
      else this.fit();
    });
    root.addEventListener(
      "wheel",
      (event) => {
        // A plain wheel scrolls the page; a pinch on a trackpad arrives as a wheel with the control key.
        if (!(event.ctrlKey || event.metaKey)) return;
        event.preventDefault();
        const view = this.#view();
        if (view) this.zoomTo(view.zoom * 2 ** (-event.deltaY / 200), at(event));
      },
      { passive: false },
    );
    root.addEventListener("keydown", (event) => {
      if (event.target === this.#divider.input || event.ctrlKey || event.metaKey || event.altKey) return;
      const step = KEY_STEP * Math.min(this.#canvas.width, this.#canvas.height);
      const actions: Readonly<Record<string, () => void>> = {
        ArrowLeft: () => this.#move(step, 0),
        ArrowRight: () => this.#move(-step, 0),
        ArrowUp: () => this.#move(0, step),
        ArrowDown: () => this.#move(0, -step),
        "+": () => this.step(1),
        "=": () => this.step(1),
        "-": () => this.step(-1),
        "0": () => this.fit(),
        "1": () => this.zoomTo(1),
      };
      const action = actions[event.key];
      if (!action) return;
      event.preventDefault();
      action();
    });
  }
}

/** Buttons beside the window; `level` shows the zoom. */
export function zoomButtons(viewer: () => Viewer): { readonly bar: HTMLElement; readonly level: HTMLElement } {
  const level = make("output", { class: "level", "aria-label": "Zoom" });
  const button = (text: string, title: string, action: () => void): HTMLButtonElement => {
    const made = make("button", { type: "button", title }, text);
    made.addEventListener("click", action);
    return made;
  };
  const [out, into] = [
    button("−", "Zoom out", () => viewer().step(-1)),
    button("+", "Zoom in", () => viewer().step(1)),
  ];
  out.setAttribute("aria-label", "Zoom out");
  into.setAttribute("aria-label", "Zoom in");
  const bar = make(
    "div",
    { class: "zoom", role: "group", "aria-label": "Zoom" },
    out,
    level,
    into,
    button("Fit", "The whole picture", () => viewer().fit()),
    button("1:1", "A pixel of the result on each pixel of the screen", () => viewer().zoomTo(1)),
  );
  return { bar, level };
}
