/** What the page and the worker that holds the pictures say to each other. Every picture and every run has a number, in one sequence. */
import type { Size } from "../../src/image/types.ts";

export interface Settings {
  readonly model: string;
  readonly scale: 2 | 4;
  readonly precision: "int8" | "f32";
  readonly threads: number;
}

/** What of the result is on the screen: a canvas of `width` x `height` device pixels whose top left shows the result's pixel (x, y). */
export interface View extends Size {
  readonly x: number;
  readonly y: number;
  /** Device pixels of a pixel of the result. */
  readonly zoom: number;
}

export type Request =
  | {
      readonly kind: "start";
      readonly before: OffscreenCanvas;
      readonly after: OffscreenCanvas;
      readonly settings: Settings;
    }
  | { readonly kind: "open"; readonly id: number; readonly file: Blob }
  | { readonly kind: "run"; readonly id: number; readonly settings: Settings }
  | { readonly kind: "cancel" }
  | { readonly kind: "view"; readonly view: View }
  | { readonly kind: "save" };

export type Reply =
  | { readonly kind: "ready"; readonly models: readonly { readonly model: string; readonly scale: number }[] }
  | { readonly kind: "opened"; readonly id: number; readonly size: Size }
  | {
      readonly kind: "progress";
      readonly id: number;
      readonly fraction: number;
      readonly tilesDone: number;
      readonly tiles: number;
      readonly elapsedMs: number;
    }
  | {
      readonly kind: "done";
      readonly id: number;
      readonly size: Size;
      readonly elapsedMs: number;
      readonly threads: number;
      readonly memoryBytes: number;
    }
  | { readonly kind: "cancelled"; readonly id: number }
  | { readonly kind: "failed"; readonly id: number; readonly message: string }
  | { readonly kind: "saving"; readonly fraction: number }
  | { readonly kind: "saved"; readonly file: Blob };
