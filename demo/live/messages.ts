/** What the page and a frame worker say to each other: a frame at a time. */
export type Request =
  | { readonly kind: "start"; readonly model: string; readonly precision: "int8" | "f32" }
  | { readonly kind: "frame"; readonly id: number; readonly frame: ImageBitmap };

export type Reply =
  | { readonly kind: "ready" }
  | {
      readonly kind: "frame";
      readonly id: number;
      /** What came, so that both can be shown together. */
      readonly source: ImageBitmap;
      readonly frame: ImageBitmap;
      readonly computeMs: number;
    }
  | { readonly kind: "failed"; readonly message: string };
