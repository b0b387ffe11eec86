/** The two canvases of the viewer: the picture enlarged by interpolation, and by the network as far as it has come. */
import { resize } from "../../src/image/resize.ts";
import { createImage, type Image, type Region } from "../../src/image/types.ts";
import type { View } from "./messages.ts";
import { paint, paintNearest, shown } from "./sampling.ts";

/** Input pixels around a part that its bicubic interpolation needs. */
const MARGIN = 4;

interface Layer {
  readonly canvas: OffscreenCanvas;
  readonly context: OffscreenCanvasRenderingContext2D;
  pixels: ImageData;
}

function layerOf(canvas: OffscreenCanvas): Layer {
  return { canvas, context: canvas.getContext("2d")!, pixels: new ImageData(1, 1) };
}

/** What there is to see. */
export interface Scene {
  readonly input: Image;
  readonly scale: number;
  readonly result?: Image;
  /** Parts of the result that are finished; the whole when it is. */
  readonly finished: readonly Region[];
  /** More is to come: drawn quickly, as the processors have better things to do. */
  readonly running: boolean;
}

export class Screen {
  readonly #before: Layer;
  readonly #after: Layer;
  #view: View | undefined;
  #scene: Scene | undefined;
  /** Counts what makes a drawing stale. */
  #version = 0;
  #drawing = false;

  constructor(before: OffscreenCanvas, after: OffscreenCanvas) {
    this.#before = layerOf(before);
    this.#after = layerOf(after);
  }

  look(view: View): void {
    this.#view = view;
    this.#refresh();
  }

  show(scene: Scene | undefined): void {
    this.#scene = scene;
    this.#refresh();
  }

  /** Adds a part that has just been finished, quickly; `show` draws it well when all is done. */
  add(scene: Scene, region: Region): void {
    this.#scene = scene;
    const view = this.#view;
    const { pixels, context } = this.#after;
    if (!view || !scene.result || pixels.width !== view.width || pixels.height !== view.height) return;
    const target = shown(region, view);
    if (target.width === 0 || target.height === 0) return;
    paintNearest(scene.result, region, view, pixels.data);
    context.putImageData(pixels, 0, 0, target.x, target.y, target.width, target.height);
  }

  #refresh(): void {
    this.#version++;
    if (!this.#drawing) void this.#drawUntilFresh();
  }

  async #drawUntilFresh(): Promise<void> {
    this.#drawing = true;
    for (let drawn = -1; drawn !== this.#version; ) {
      drawn = this.#version;
      await this.#draw();
    }
    this.#drawing = false;
  }

  /** Both canvases change together: a divider between two different places would look like a defect. */
  async #draw(): Promise<void> {
    const [view, scene] = [this.#view, this.#scene];
    if (!view || !scene) {
      for (const { canvas, context } of [this.#before, this.#after])
        context.clearRect(0, 0, canvas.width, canvas.height);
      return;
    }
    const before = new ImageData(view.width, view.height);
    const after = new ImageData(view.width, view.height);
    const draw = scene.running ? paintNearest : paint;
    const { picture, region, at } = scene.running ? magnified(scene, view) : await interpolated(scene, view);
    draw(picture, region, at, before.data);
    // More may have been finished meanwhile.
    const latest = this.#scene?.input === scene.input && this.#scene.scale === scene.scale ? this.#scene : scene;
    if (latest.result) for (const part of latest.finished) draw(latest.result, part, view, after.data);
    set(this.#before, before);
    set(this.#after, after);
  }
}

function set(layer: Layer, pixels: ImageData): void {
  const { canvas, context } = layer;
  if (canvas.width !== pixels.width || canvas.height !== pixels.height) {
    canvas.width = pixels.width;
    canvas.height = pixels.height;
  }
  layer.pixels = pixels;
  context.putImageData(pixels, 0, 0);
}

interface Shown {
  readonly picture: Image;
  readonly region: Region;
  readonly at: View;
}

/** The input itself as if it were as large as the result. */
function magnified({ input, scale }: Scene, view: View): Shown {
  const at = { ...view, x: view.x / scale, y: view.y / scale, zoom: view.zoom * scale };
  return { picture: input, region: { x: 0, y: 0, width: input.width, height: input.height }, at };
}

/** What stands for the bicubic enlargement in a view: the visible part of it, or where that is reduced again the input itself. */
async function interpolated(scene: Scene, view: View): Promise<Shown> {
  const { input, scale } = scene;
  if (view.zoom * scale <= 1) return magnified(scene, view);
  const [left, right] = part(view.x, view.width / view.zoom, scale, input.width);
  const [top, bottom] = part(view.y, view.height / view.zoom, scale, input.height);
  const crop = cropped(input, { x: left, y: top, width: right - left, height: bottom - top });
  const picture = await resize(crop, { scale });
  const at = { ...view, x: view.x - left * scale, y: view.y - top * scale };
  return { picture, region: { x: 0, y: 0, width: picture.width, height: picture.height }, at };
}

/** Input columns or rows [begin, end) from which `length` of the result from `start` on are interpolated. */
function part(start: number, length: number, scale: number, limit: number): [number, number] {
  const begin = Math.max(0, Math.min(limit - 1, Math.floor(start / scale) - MARGIN));
  const end = Math.max(begin + 1, Math.min(limit, Math.ceil((start + length) / scale) + MARGIN));
  return [begin, end];
}

function cropped(image: Image, { x, y, width, height }: Region): Image {
  const { channels, data } = image;
  const crop = createImage(width, height, channels);
  for (let row = 0; row < height; row++) {
    const from = ((y + row) * image.width + x) * channels;
    crop.data.set(data.subarray(from, from + width * channels), row * width * channels);
  }
  return crop;
}
