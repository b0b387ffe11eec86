/**
 * The worker that holds the pictures. It reads the file, runs the upscaler, whose own threads are workers of this worker, paints both
 * canvases and writes the PNG, so that the page's thread only ever moves a divider.
 */
import type { Image, Region } from "../../src/image/types.ts";
import { shippedModels } from "../../src/upscale/create-network.ts";
import { createUpscaler } from "../../src/upscale/create-upscaler.ts";
import type { Upscaler } from "../../src/upscale/upscaler.ts";
import { decode } from "./decode.ts";
import type { Reply, Request, Settings } from "./messages.ts";
import { encodePng } from "./png.ts";
import { type Scene, Screen } from "./screen.ts";

/** Between two reports to the page, unless one is the first or the last. */
const REPORT_MS = 40;

const scope = globalThis as unknown as {
  postMessage(reply: Reply): void;
  onmessage: (event: MessageEvent<Request>) => void;
};
const post = (reply: Reply): void => scope.postMessage(reply);

let screen: Screen;
let input: Image | undefined;
let result: Image | undefined;
let newest = 0;
let running: { readonly controller: AbortController; readonly finished: Promise<void> } | undefined;
let kept: { readonly key: string; readonly upscaler: Promise<Upscaler> } | undefined;

/** The upscaler of the last settings is kept, with its threads. */
function upscalerFor(settings: Settings): Promise<Upscaler> {
  const key = JSON.stringify(settings);
  if (kept?.key !== key) {
    void kept?.upscaler.then((upscaler) => upscaler.dispose()).catch(() => {});
    kept = { key, upscaler: createUpscaler(settings) };
    kept.upscaler.catch(() => {
      kept = undefined;
    });
  }
  return kept.upscaler;
}

const message = (error: unknown): string => (error instanceof Error ? error.message : String(error));

async function stop(): Promise<void> {
  running?.controller.abort(new DOMException("cancelled", "AbortError"));
  await running?.finished;
}

async function open(id: number, file: Blob): Promise<void> {
  newest = id;
  await stop();
  input = undefined;
  result = undefined;
  screen.show(undefined);
  try {
    const picture = await decode(file);
    if (id !== newest) return;
    input = picture;
    post({ kind: "opened", id, size: { width: picture.width, height: picture.height } });
  } catch (error) {
    post({ kind: "failed", id, message: message(error) });
  }
}

async function run(id: number, settings: Settings): Promise<void> {
  newest = id;
  await stop();
  const picture = input;
  if (!picture || id !== newest) return;
  const controller = new AbortController();
  const finished = upscale(id, picture, settings, controller.signal);
  running = { controller, finished };
  await finished;
  if (running.finished === finished) running = undefined;
}

async function upscale(id: number, picture: Image, settings: Settings, signal: AbortSignal): Promise<void> {
  const { scale } = settings;
  const finished: Region[] = [];
  result = undefined;
  screen.show({ input: picture, scale, finished, running: true });
  try {
    const upscaler = await upscalerFor(settings);
    const start = performance.now();
    let reported = Number.NEGATIVE_INFINITY;
    const output = await upscaler.upscale(picture, {
      signal,
      onProgress: ({ fraction, tilesDone, tiles, region, picture: partial, elapsedMs }) => {
        join(finished, region);
        const scene: Scene = { input: picture, scale, result: partial, finished, running: true };
        screen.add(scene, region);
        if (elapsedMs - reported < REPORT_MS && fraction < 1) return;
        reported = elapsedMs;
        post({ kind: "progress", id, fraction, tilesDone, tiles, elapsedMs });
      },
    });
    const elapsedMs = performance.now() - start;
    const { width, height } = output;
    result = output;
    screen.show({ input: picture, scale, result, finished: [{ x: 0, y: 0, width, height }], running: false });
    const threads = upscaler.threadsFor(picture);
    post({ kind: "done", id, size: { width, height }, elapsedMs, threads, memoryBytes: upscaler.memoryBytes });
  } catch (error) {
    if (signal.aborted) post({ kind: "cancelled", id });
    else post({ kind: "failed", id, message: message(error) });
  }
}

/** Strips of a tile follow each other downwards. */
function join(regions: Region[], region: Region): void {
  const above = regions.findIndex(({ x, y, width, height }) => {
    return x === region.x && width === region.width && y + height === region.y;
  });
  if (above < 0) regions.push(region);
  else regions[above] = { ...regions[above]!, height: regions[above]!.height + region.height };
}

scope.onmessage = ({ data: request }) => {
  switch (request.kind) {
    case "start":
      screen = new Screen(request.before, request.after);
      // So that the first picture finds the kernels compiled and the weights packed.
      void upscalerFor(request.settings).then(
        () => post({ kind: "ready", models: shippedModels() }),
        (error) => post({ kind: "failed", id: 0, message: message(error) }),
      );
      break;
    case "open":
      void open(request.id, request.file);
      break;
    case "run":
      void run(request.id, request.settings);
      break;
    case "cancel":
      void stop();
      break;
    case "view":
      screen.look(request.view);
      break;
    case "save":
      if (result) {
        void encodePng(result, (fraction) => post({ kind: "saving", fraction })).then(
          (file) => post({ kind: "saved", file }),
          (error) => post({ kind: "failed", id: newest, message: message(error) }),
        );
      }
      break;
  }
};
