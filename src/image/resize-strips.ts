/** Resizing pictures strip by strip, in the memory of a given instance of the kernels. */
import { check, checkObject } from "../errors.ts";
import type { KernelInstance } from "../kernels/load.ts";
import type { WasmOptions } from "../kernels/wasm-options.ts";
import { pause } from "../pause.ts";
import { channelToPlane, planeToChannel } from "./color.ts";
import { PlaneResizer } from "./plane-resizer.ts";
import type { Border } from "./resize-axis.ts";
import { checkImage, checkSide, createImage, type Image, type ImageInput, type Region, type Size } from "./types.ts";
import { allocatePixels, allocatePlane } from "./views.ts";

/** The wanted size, or a factor for both axes: output = ceil(scale * input), as MATLAB's imresize(A, scale). */
export type ResizeTo =
  | Size
  | {
      /** Positive and finite. */
      readonly scale: number;
    };

/** Of `resize`. */
export interface ResizeOptions extends WasmOptions {
  /** "symmetric" by default. */
  readonly border?: Border;
  /** Checked between strips of rows; the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** `resize` in the memory of a given instance, which is left as it was; gives way between strips. */
export async function resizeSteadily(
  kernels: KernelInstance,
  image: ImageInput,
  to: ResizeTo,
  options: ResizeOptions = {},
): Promise<Image> {
  const work = resizeInStrips(kernels, image, to, options);
  for (let step = work.next(); ; step = work.next()) {
    if (step.done) return step.value;
    await pause();
    if (options.signal?.aborted) work.return(undefined as never); // frees what the work holds
    options.signal?.throwIfAborted();
  }
}

/** The same at once. */
export function resizeWith(
  kernels: KernelInstance,
  image: ImageInput,
  to: ResizeTo,
  options: Omit<ResizeOptions, "signal" | keyof WasmOptions> = {},
): Image {
  const work = resizeInStrips(kernels, image, to, options);
  for (let step = work.next(); ; step = work.next()) if (step.done) return step.value;
}

/** Yields after each strip but the last; returns the picture. */
function* resizeInStrips(
  kernels: KernelInstance,
  input: ImageInput,
  to: ResizeTo,
  { border = "symmetric" }: ResizeOptions,
): Generator<undefined, Image> {
  const image = checkImage(input);
  checkObject("to", to);
  check(border === "symmetric" || border === "replicate", "ERR_ARGUMENT", () => {
    return `border: expected "symmetric" or "replicate", got ${String(border)}`;
  });
  const scale = "scale" in to ? to.scale : undefined;
  check(scale === undefined || (Number.isFinite(scale) && scale > 0), "ERR_ARGUMENT", () => {
    return `scale: expected a positive number, got ${scale}`;
  });
  const width = "scale" in to ? Math.ceil(to.scale * image.width) : to.width;
  const height = "scale" in to ? Math.ceil(to.scale * image.height) : to.height;
  checkSide(width, "width");
  checkSide(height, "height");
  const output = createImage(width, height, image.channels, image.depth);

  const limit = 2 ** image.depth - 1;
  const resizer = new PlaneResizer(kernels, {
    input: { width: image.width, height: image.height },
    output: { width, height },
    limit,
    border,
    ...(scale === undefined ? {} : { scale }),
  });
  try {
    for (const strip of strips(image, output)) {
      if (strip.y > 0) yield;
      resizeStrip(kernels, resizer, image, output, strip);
    }
  } finally {
    resizer.dispose();
  }
  return output;
}

/** Strips of output rows whose input stays near 4 MB as f32, but high enough that neighbours share little of it. */
function strips(input: Size, output: Size): Region[] {
  const ratio = output.height / input.height;
  const budget = Math.floor((2 ** 20 / input.width) * ratio);
  const height = Math.max(budget, Math.ceil(16 * Math.max(1, ratio)));
  const result: Region[] = [];
  for (let y = 0; y < output.height; y += height) {
    result.push({ x: 0, y, width: output.width, height: Math.min(height, output.height - y) });
  }
  return result;
}

function resizeStrip(kernels: KernelInstance, resizer: PlaneResizer, input: Image, output: Image, strip: Region): void {
  const { memory } = kernels;
  const { channels, depth } = input;
  const need = resizer.inputRegion(strip);
  const rows = { x: 0, y: need.y, width: input.width, height: need.height };
  const held: number[] = [];
  const hold = <T extends { pointer: number }>(view: T): T => {
    held.push(view.pointer);
    return view;
  };
  try {
    const from = hold(allocatePixels(kernels, rows, channels, depth));
    const fromPlane = hold(allocatePlane(kernels, rows));
    const toPlane = hold(allocatePlane(kernels, strip));
    const to = hold(allocatePixels(kernels, strip, channels, depth));
    memory.u8.set(bytes(input, rows), from.pointer);
    for (let channel = 0; channel < channels; channel++) {
      channelToPlane(kernels, rows, from, channel, fromPlane);
      resizer.run(fromPlane, rows, toPlane, strip);
      planeToChannel(kernels, strip, toPlane, to, channel);
    }
    bytes(output, strip).set(memory.u8.subarray(to.pointer, to.pointer + to.rowBytes * strip.height));
  } finally {
    for (const pointer of held) memory.free(pointer);
  }
}

/** The bytes of whole rows of a picture. */
function bytes({ data, width, channels }: Image, { y, height }: Region): Uint8Array {
  const row = width * channels * data.BYTES_PER_ELEMENT;
  return new Uint8Array(data.buffer, data.byteOffset + y * row, height * row);
}
