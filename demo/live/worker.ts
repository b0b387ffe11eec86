/** Enlarges one frame at a time with a network of its own; several such workers take frames in turns. */
import { createUpscaler } from "../../src/upscale/create-upscaler.ts";
import type { Upscaler } from "../../src/upscale/upscaler.ts";
import type { Reply, Request } from "./messages.ts";

const scope = globalThis as unknown as {
  postMessage(reply: Reply, transfer?: Transferable[]): void;
  onmessage: (event: MessageEvent<Request>) => void;
};

let upscaler: Upscaler;
let reader: OffscreenCanvasRenderingContext2D | undefined;
let writer: OffscreenCanvasRenderingContext2D | undefined;

function contextOf(
  kept: OffscreenCanvasRenderingContext2D | undefined,
  width: number,
  height: number,
): OffscreenCanvasRenderingContext2D {
  if (kept?.canvas.width === width && kept.canvas.height === height) return kept;
  return new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true })!;
}

async function enlarge(id: number, frame: ImageBitmap): Promise<void> {
  const start = performance.now();
  const { width, height } = frame;
  reader = contextOf(reader, width, height);
  reader.drawImage(frame, 0, 0);
  const rgba = reader.getImageData(0, 0, width, height).data;
  // Frames are opaque: three channels are a quarter less to do.
  const rgb = new Uint8Array(width * height * 3);
  for (let from = 0, to = 0; from < rgba.length; from += 4) {
    rgb[to++] = rgba[from]!;
    rgb[to++] = rgba[from + 1]!;
    rgb[to++] = rgba[from + 2]!;
  }
  const result = await upscaler.upscale({ width, height, channels: 3, depth: 8, data: rgb });
  writer = contextOf(writer, result.width, result.height);
  const pixels = new ImageData(result.width, result.height);
  for (let from = 0, to = 0; from < result.data.length; to++) {
    pixels.data[to++] = result.data[from++]!;
    pixels.data[to++] = result.data[from++]!;
    pixels.data[to++] = result.data[from++]!;
    pixels.data[to] = 255;
  }
  writer.putImageData(pixels, 0, 0);
  const shown = writer.canvas.transferToImageBitmap();
  const computeMs = performance.now() - start;
  scope.postMessage({ kind: "frame", id, source: frame, frame: shown, computeMs }, [frame, shown]);
}

scope.onmessage = ({ data: request }) => {
  const work =
    request.kind === "frame"
      ? enlarge(request.id, request.frame)
      : createUpscaler({ model: request.model, precision: request.precision, threads: 1 }).then((made) => {
          upscaler = made;
          scope.postMessage({ kind: "ready" });
        });
  work.catch((error: unknown) => {
    scope.postMessage({ kind: "failed", message: error instanceof Error ? error.message : String(error) });
  });
};
