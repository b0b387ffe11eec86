/** What the page knows of a view. */
export interface View {
  /** It is on the screen (again). */
  readonly show?: () => void;
  /** It is not any more; what it computes may go on. */
  readonly hide?: () => void;
}

/** Fills the view's section, once. */
export type Mount = (section: HTMLElement) => View;
