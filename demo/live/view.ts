/** Live: a clip, a camera or a video file, enlarged frame by frame; what the workers cannot take in time is dropped and counted. */
import "../shell/pictures.css";
import "./style.css";
import { Divider } from "../shell/divider.ts";
import { fillFigures, fillSelect, part } from "../shell/dom.ts";
import { duration, whole } from "../shell/format.ts";
import type { Mount } from "../shell/view.ts";
import type { Reply, Request } from "./messages.ts";
import { cameraSource, clipSource, type FrameSource, fileSource } from "./sources.ts";

/** Heights of what the network sees; the result has twice that. */
const HEIGHTS = [180, 270, 360, 540] as const;
/** Width over height of the clip that is drawn here. */
const CLIP_ASPECT = 16 / 9;
/** Over which rates are averaged. */
const WINDOW_MS = 2000;

const MARKUP = `
  <h1 class="hidden">Enlarge moving pictures live</h1>
  <div class="stage">
    <div class="viewer" role="group" aria-label="Live picture" data-part="viewer"><canvas class="before" data-part="before" aria-hidden="true"></canvas><canvas class="after" data-part="after" aria-hidden="true"></canvas></div>
  </div>
  <aside class="panel" aria-label="Settings and figures">
    <form class="settings" data-part="settings">
      <label>Source
        <select name="source"><option value="clip">Clip, drawn here</option><option value="camera">Camera</option><option value="file">Video file…</option></select>
      </label>
      <label>Input height <select name="height"></select></label>
      <label>Precision <select name="precision"><option>int8</option><option>f32</option></select></label>
      <label>Workers <select name="workers"></select></label>
    </form>
    <p class="actions">
      <button type="button" class="primary" data-part="start">Start</button>
      <button type="button" data-part="stop" hidden>Stop</button>
    </p>
    <p class="error" role="alert" data-part="error"></p>
    <dl class="figures" data-part="figures"></dl>
    <p class="quiet">Left as the browser enlarges it, right by SESR-M5 ×2. Each worker takes a frame at a time; frames that come while all are busy are dropped.</p>
  </aside>
  <input type="file" accept="video/*" data-part="file" class="hidden" tabindex="-1" aria-label="Video file">
`;

interface FrameWorker {
  readonly worker: Worker;
  /** Not ready yet, or at a frame. */
  busy: boolean;
}

/** Of a frame, even. */
const widthOf = (height: number, aspect: number): number => 2 * Math.round((height * aspect) / 2);

/** Gives a canvas the size of what it will show. */
function size({ canvas }: ImageBitmapRenderingContext, { width, height }: ImageBitmap): void {
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
}

export const mount: Mount = (section) => {
  section.innerHTML = MARKUP;
  const at = <E extends HTMLElement = HTMLElement>(name: string): E => part<E>(section, `[data-part=${name}]`);
  const box = at("viewer");
  // A frame and its enlargement are shown together: the source itself would be some frames ahead.
  const before = at<HTMLCanvasElement>("before").getContext("bitmaprenderer")!;
  const after = at<HTMLCanvasElement>("after").getContext("bitmaprenderer")!;
  const form = at<HTMLFormElement>("settings");
  const field = (name: string): HTMLSelectElement => part<HTMLSelectElement>(form, `[name=${name}]`);
  const error = at("error");
  const file = at<HTMLInputElement>("file");
  const divider = new Divider(box);
  divider.label("Browser's scaling", "SESR-M5 ×2");

  fillSelect(
    field("height"),
    HEIGHTS.map((h) => ({ value: `${h}`, text: `${h}` })),
  );
  field("height").value = "270";
  const processors = navigator.hardwareConcurrency || 1;
  const most = Math.max(1, Math.min(8, processors));
  fillSelect(
    field("workers"),
    Array.from({ length: most }, (_, i) => ({ value: `${i + 1}`, text: `${i + 1}` })),
  );
  // One processor is left to the page and to what decodes the film.
  field("workers").value = String(Math.max(1, most - 1));

  let source: FrameSource | undefined;
  let workers: FrameWorker[] = [];
  let running = false;
  let opening = 0;
  let sent = 0;
  let newest = 0;
  let dropped = 0;
  /** When frames came, whether they were taken or not. */
  let offered: number[] = [];
  const grabbed = new Map<number, number>();
  let shown: { readonly at: number; readonly latency: number; readonly compute: number }[] = [];
  let timer = 0;

  const inputSize = (): { width: number; height: number } => {
    const height = Number(field("height").value);
    return { width: widthOf(height, source?.aspect ?? CLIP_ASPECT), height };
  };

  function use(next: FrameSource): void {
    source?.close();
    source?.element.remove();
    source = next;
    next.element.setAttribute("aria-hidden", "true");
    box.prepend(next.element);
    box.style.aspectRatio = String(next.aspect);
    box.classList.add("still");
  }

  function useClip(): void {
    const height = Number(field("height").value);
    use(clipSource(widthOf(height, CLIP_ASPECT), height));
  }

  function employ(): void {
    for (const { worker } of workers) worker.terminate();
    grabbed.clear();
    workers = Array.from({ length: Number(field("workers").value) }, () => {
      const one: FrameWorker = {
        worker: new Worker(new URL("./worker.ts", import.meta.url), { type: "module" }),
        busy: true,
      };
      one.worker.onmessage = ({ data }: MessageEvent<Reply>) => receive(one, data);
      one.worker.onerror = ({ message }) => fail(`a worker failed: ${message || "its code could not be loaded"}`);
      const precision = field("precision").value as "int8" | "f32";
      one.worker.postMessage({ kind: "start", model: "sesr-m5", precision } satisfies Request);
      return one;
    });
  }

  function receive(one: FrameWorker, reply: Reply): void {
    if (reply.kind === "failed") {
      fail(reply.message);
      return;
    }
    one.busy = false;
    if (reply.kind === "ready") return;
    const start = grabbed.get(reply.id);
    grabbed.delete(reply.id);
    if (!running || start === undefined || reply.id < newest) {
      // Another worker was quicker with a later frame.
      if (running) dropped++;
      reply.source.close();
      reply.frame.close();
      return;
    }
    newest = reply.id;
    size(before, reply.source);
    size(after, reply.frame);
    before.transferFromImageBitmap(reply.source);
    after.transferFromImageBitmap(reply.frame);
    box.classList.remove("still");
    const now = performance.now();
    shown.push({ at: now, latency: now - start, compute: reply.computeMs });
  }

  async function take(): Promise<void> {
    offered.push(performance.now());
    const free = workers.find(({ busy }) => !busy);
    if (!free || !source) {
      dropped++;
      return;
    }
    free.busy = true;
    const id = ++sent;
    grabbed.set(id, performance.now());
    const { width, height } = inputSize();
    try {
      const frame = await createImageBitmap(source.element, {
        resizeWidth: width,
        resizeHeight: height,
        resizeQuality: "high",
      });
      free.worker.postMessage({ kind: "frame", id, frame } satisfies Request, [frame]);
    } catch {
      // A video that is just being changed has no frame.
      free.busy = false;
      grabbed.delete(id);
    }
  }

  const middle = (values: number[]): number => values.sort((a, b) => a - b)[values.length >> 1] ?? 0;

  function report(): void {
    const now = performance.now();
    shown = shown.filter((frame) => now - frame.at < WINDOW_MS);
    offered = offered.filter((time) => now - time < WINDOW_MS);
    const { width, height } = inputSize();
    const rate = (times: readonly number[]): string =>
      times.length > 1 ? ((1000 * (times.length - 1)) / (times.at(-1)! - times[0]!)).toFixed(1) : "–";
    fillFigures(at("figures"), [
      ["Frames a second", `${rate(shown.map((one) => one.at))} of ${rate(offered)}`],
      ["Frames dropped", whole(dropped)],
      ["Frames enlarged", whole(newest)],
      ["A frame takes a worker", shown.length > 0 ? duration(middle(shown.map((one) => one.compute))) : "–"],
      ["From source to screen", shown.length > 0 ? duration(middle(shown.map((one) => one.latency))) : "–"],
      ["Size", `${width} × ${height} to ${2 * width} × ${2 * height}`],
    ]);
  }

  function start(): void {
    if (!source) return;
    error.textContent = "";
    dropped = 0;
    sent = 0;
    newest = 0;
    shown = [];
    offered = [];
    employ();
    running = true;
    at("start").hidden = true;
    at("stop").hidden = false;
    source.start(() => void take());
    clearInterval(timer);
    timer = window.setInterval(report, 500);
    report();
  }

  function stop(): void {
    running = false;
    source?.stop();
    clearInterval(timer);
    for (const { worker } of workers) worker.terminate();
    workers = [];
    at("start").hidden = false;
    at("stop").hidden = true;
  }

  function fail(message: string): void {
    stop();
    error.textContent = message;
  }

  async function change(make: () => Promise<FrameSource>): Promise<void> {
    const turn = ++opening;
    stop();
    error.textContent = "";
    try {
      const next = await make();
      if (turn !== opening) {
        next.close();
        return;
      }
      use(next);
      start();
    } catch (cause) {
      field("source").value = "clip";
      useClip();
      error.textContent = `${(cause as Error).message}; here is the clip instead`;
    }
  }

  field("source").addEventListener("change", () => {
    const { value } = field("source");
    if (value === "camera") void change(cameraSource);
    else if (value === "file") file.click();
    else {
      opening++;
      stop();
      useClip();
    }
  });
  file.addEventListener("change", () => {
    const [chosen] = file.files ?? [];
    if (chosen) void change(() => fileSource(chosen));
    file.value = "";
  });
  file.addEventListener("cancel", () => {
    field("source").value = "clip";
  });
  for (const name of ["height", "precision", "workers"]) {
    field(name).addEventListener("change", () => {
      const on = running;
      stop();
      if (source?.element instanceof HTMLCanvasElement) useClip();
      if (on) start();
    });
  }
  form.addEventListener("submit", (event) => event.preventDefault());
  at("start").addEventListener("click", () => {
    start();
    at("stop").focus();
  });
  at("stop").addEventListener("click", () => {
    stop();
    at("start").focus();
  });

  useClip();
  report();
  return {
    hide() {
      stop();
      // A camera is on only while one sees what it sees.
      if (source?.name === "Camera") {
        field("source").value = "clip";
        useClip();
      }
    },
  };
};
