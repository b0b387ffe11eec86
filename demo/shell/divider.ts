/** A divider over two pictures of one thing, to be dragged or moved by the arrow keys; the box gets `--split`, which clips its layers. */
import { make } from "./dom.ts";

export class Divider {
  /** The range input that is the divider; what it lies over should leave its pointer events alone. */
  readonly input: HTMLInputElement;
  readonly #left = make("span", { class: "tag left" });
  readonly #right = make("span", { class: "tag right" });

  constructor(box: HTMLElement) {
    this.input = make("input", {
      class: "split",
      type: "range",
      min: "0",
      max: "100",
      step: "0.5",
      value: "50",
      "aria-label": "Divider between the two pictures",
    });
    box.append(this.#left, this.#right, make("span", { class: "divider", "aria-hidden": "true" }), this.input);
    const place = (): void => {
      const { value } = this.input;
      box.style.setProperty("--split", `${value}%`);
      const share = Math.round(Number(value));
      this.input.setAttribute("aria-valuetext", `${share} % left picture, ${100 - share} % right picture`);
    };
    this.input.addEventListener("input", place);
    place();
  }

  label(left: string, right: string): void {
    this.#left.textContent = left;
    this.#right.textContent = right;
  }
}
