/** Upscale: a picture in, a larger one out, tile by tile before one's eyes. */
import "../shell/pictures.css";
import "./style.css";
import { copyText, download, fillFigures, fillSelect, part } from "../shell/dom.ts";
import { duration, megabytes, percent, pixelRate, whole } from "../shell/format.ts";
import type { Mount } from "../shell/view.ts";
import type { Reply, Request, Settings } from "./messages.ts";
import { Viewer, zoomButtons } from "./viewer.ts";

const EXAMPLE = new URL("../../examples/photo.png", import.meta.url);

const MARKUP = `
  <h1 class="hidden">Upscale a picture</h1>
  <div class="stage">
    <div class="viewer" tabindex="0" role="group" aria-label="Picture" aria-describedby="viewer-help" data-part="viewer" hidden></div>
    <div class="drop" data-part="drop">
      <p class="lead">Drop a picture, paste one, or choose a file.</p>
      <p class="actions">
        <button type="button" class="primary" data-part="choose">Choose a picture</button>
        <button type="button" data-part="example">Try the example</button>
      </p>
      <p class="quiet">It stays on this computer: a small network enlarges it, here, on the processor.</p>
    </div>
    <div class="progress" data-part="bar" role="progressbar" aria-label="Upscaling" aria-valuemin="0" aria-valuemax="100" hidden><span></span></div>
  </div>
  <div class="under" data-part="under">
    <div data-part="zoom"></div>
    <p class="quiet" id="viewer-help">Drag to move, double-click or use + and − to zoom, arrow keys to move.</p>
  </div>
  <aside class="panel" aria-label="Settings and figures">
    <p class="actions">
      <button type="button" class="primary" data-part="run" hidden>Upscale</button>
      <button type="button" data-part="cancel" hidden>Cancel</button>
      <button type="button" class="primary" data-part="save" hidden>Download PNG</button>
      <button type="button" data-part="other" hidden>Another picture</button>
    </p>
    <p class="status" role="status" data-part="status"></p>
  <p class="status quiet" data-part="detail"></p>
    <p class="error" role="alert" data-part="error"></p>
    <form class="settings" data-part="settings">
      <label>Network <select name="model"><option value="sesr-m5">SESR-M5</option></select></label>
      <label>Scale <select name="scale"><option value="2">×2</option></select></label>
      <label>Precision
        <select name="precision"><option value="int8">int8</option><option value="f32">f32</option></select>
      </label>
      <label>Threads <select name="threads"></select></label>
    </form>
    <dl class="figures" data-part="figures"></dl>
    <p class="actions"><button type="button" class="text" data-part="copy" hidden>Copy these figures</button></p>
  </aside>
  <input type="file" accept="image/*" data-part="file" class="hidden" tabindex="-1" aria-label="Picture file">
`;

export const mount: Mount = (section) => {
  section.innerHTML = MARKUP;
  const [viewerBox, drop, bar, under] = ["viewer", "drop", "bar", "under"].map((name) => at(name));
  /** Read out by screen readers, so it changes with the state and no oftener. */
  const status = at("status");
  const detail = at("detail");
  const error = at("error");
  const file = at<HTMLInputElement>("file");
  const form = at<HTMLFormElement>("settings");
  const threads = part<HTMLSelectElement>(form, "[name=threads]");
  const [run, cancel, save, other, copy] = ["run", "cancel", "save", "other", "copy"].map((name) =>
    at<HTMLButtonElement>(name),
  ) as [HTMLButtonElement, HTMLButtonElement, HTMLButtonElement, HTMLButtonElement, HTMLButtonElement];

  function at<E extends HTMLElement = HTMLElement>(name: string): E {
    return part<E>(section, `[data-part=${name}]`);
  }

  const processors = navigator.hardwareConcurrency || 1;
  const counts = [...new Set([...Array.from({ length: Math.min(processors, 8) }, (_, i) => i + 1), processors])];
  fillSelect(
    threads,
    counts.map((n) => ({ value: String(n), text: n === processors ? `${n}, all` : String(n) })),
  );
  threads.value = String(processors);

  const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
  const post = (request: Request, transfer: Transferable[] = []): void => worker.postMessage(request, transfer);
  const viewer: Viewer = new Viewer(
    viewerBox!,
    (view) => post({ kind: "view", view }),
    (text, fits) => {
      buttons.level.textContent = fits ? `${text}, fit` : text;
    },
  );
  const buttons = zoomButtons(() => viewer);
  at("zoom").append(buttons.bar);

  /** Of the newest picture or run; replies to older ones are late. */
  let id = 0;
  let name = "picture";
  let size = { width: 0, height: 0 };
  let state: "empty" | "reading" | "running" | "cancelled" | "done" = "empty";
  let figures: (readonly [string, string])[] = [];

  const settings = (): Settings => {
    const value = (field: string): string => part<HTMLSelectElement>(form, `[name=${field}]`).value;
    return {
      model: value("model"),
      scale: Number(value("scale")) as Settings["scale"],
      precision: value("precision") as Settings["precision"],
      threads: Number(value("threads")),
    };
  };

  function become(next: typeof state): void {
    const focused = document.activeElement;
    state = next;
    detail.textContent = "";
    drop!.hidden = next !== "empty";
    viewerBox!.hidden = next === "empty";
    under!.classList.toggle("idle", next === "empty");
    section.dataset.state = next;
    bar!.hidden = next !== "running" && next !== "reading";
    run.hidden = next !== "cancelled";
    cancel.hidden = next !== "running";
    save.hidden = next !== "done";
    other.hidden = next === "empty";
    copy.hidden = next !== "done";
    viewerBox!.classList.toggle("running", next === "running" || next === "reading" || next === "cancelled");
    // What had the focus may be gone now.
    if (focused === cancel && cancel.hidden) (next === "done" ? save : run).focus();
    else if (drop!.contains(focused) && drop!.hidden) viewerBox!.focus();
  }

  function setProgress(fraction: number): void {
    bar!.setAttribute("aria-valuenow", String(Math.floor(fraction * 100)));
    part<HTMLElement>(bar!, "span").style.transform = `scaleX(${fraction})`;
  }

  function open(blob: Blob, title: string): void {
    id++;
    name = title.replace(/\.[^.]*$/, "") || "picture";
    error.textContent = "";
    fillFigures(at("figures"), []);
    become("reading");
    setProgress(0);
    status.textContent = "Reading the file";
    performance.mark("picture-given");
    post({ kind: "open", id, file: blob });
  }

  function start(): void {
    const chosen = settings();
    become("running");
    setProgress(0);
    status.textContent = "Upscaling";
    error.textContent = "";
    post({ kind: "run", id: ++id, settings: chosen });
    const { width, height } = size;
    viewer.label("Bicubic", `${chosen.model.toUpperCase()}, ${chosen.precision}`);
    viewer.show({ width: width * chosen.scale, height: height * chosen.scale });
  }

  function fail(message: string): void {
    become(size.width > 0 ? "cancelled" : "empty");
    status.textContent = "";
    error.textContent = message;
  }

  let first = false;
  worker.onerror = ({ message }) => fail(`the worker failed: ${message || "its code could not be loaded"}`);
  worker.onmessage = ({ data: reply }: MessageEvent<Reply>) => {
    if (reply.kind === "ready") {
      const models = [...new Set(reply.models.map(({ model }) => model))];
      fillSelect(
        part<HTMLSelectElement>(form, "[name=model]"),
        models.map((model) => ({ value: model, text: model.toUpperCase() })),
      );
      const offered = (): void => {
        const { model } = settings();
        fillSelect(
          part<HTMLSelectElement>(form, "[name=scale]"),
          reply.models.flatMap((one) =>
            one.model === model ? [{ value: `${one.scale}`, text: `×${one.scale}` }] : [],
          ),
        );
      };
      offered();
      part(form, "[name=model]").addEventListener("change", offered);
      section.dataset.ready = "";
      return;
    }
    if (reply.kind === "saving") {
      if (state === "done") detail.textContent = percent(reply.fraction);
      return;
    }
    if (reply.kind === "saved") {
      save.disabled = false;
      detail.textContent = "";
      status.textContent = `PNG of ${megabytes(reply.file.size)}`;
      download(reply.file, `${name}-x${settings().scale}.png`);
      return;
    }
    // What is left of a picture that has been replaced.
    if (reply.id !== id && reply.id !== 0) return;
    switch (reply.kind) {
      case "opened":
        performance.mark("picture-opened");
        size = reply.size;
        first = true;
        start();
        break;
      case "progress":
        if (state !== "running") return;
        if (first) {
          first = false;
          performance.mark("first-tile");
        }
        setProgress(reply.fraction);
        detail.textContent = `${percent(reply.fraction)}, tile ${Math.min(reply.tilesDone + 1, reply.tiles)} of ${reply.tiles}, ${duration(reply.elapsedMs)}`;
        break;
      case "done": {
        const { elapsedMs, memoryBytes } = reply;
        become("done");
        status.textContent = "Done";
        const form = (of: typeof size): string => `${whole(of.width)} × ${whole(of.height)}`;
        figures = [
          ["Picture", form(size)],
          ["Result", form(reply.size)],
          ["Time", duration(elapsedMs)],
          ["Speed", `${pixelRate(reply.size.width * reply.size.height, elapsedMs)} of the result`],
          ["Threads used", String(reply.threads)],
          ["WebAssembly memory", megabytes(memoryBytes)],
        ];
        fillFigures(at("figures"), figures);
        section.dispatchEvent(new CustomEvent("used", { bubbles: true }));
        break;
      }
      case "cancelled":
        performance.mark("cancelled");
        if (state === "running") become("cancelled");
        break;
      case "failed":
        save.disabled = false;
        fail(reply.message);
        break;
    }
  };

  const accept = (files: Iterable<File> | undefined): boolean => {
    for (const one of files ?? []) {
      if (one.type !== "" && !one.type.startsWith("image/")) continue;
      open(one, one.name);
      return true;
    }
    return false;
  };

  const choose = (): void => file.click();
  at("choose").addEventListener("click", choose);
  other.addEventListener("click", choose);
  file.addEventListener("change", () => {
    accept(file.files ?? undefined);
    file.value = "";
  });
  at("example").addEventListener("click", async () => {
    try {
      const response = await fetch(EXAMPLE);
      if (!response.ok) throw new Error(`the server said ${response.status}`);
      open(await response.blob(), "photo.png");
    } catch (cause) {
      fail(`the example could not be loaded: ${(cause as Error).message}`);
    }
  });
  form.addEventListener("change", () => {
    if (size.width > 0 && state !== "empty" && state !== "reading") start();
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  run.addEventListener("click", start);
  cancel.addEventListener("click", () => {
    performance.mark("cancel-asked");
    post({ kind: "cancel" });
    become("cancelled");
    status.textContent = "Cancelled";
  });
  save.addEventListener("click", () => {
    save.disabled = true;
    status.textContent = "Writing the PNG";
    post({ kind: "save" });
  });
  copy.addEventListener("click", () => {
    const { model, precision, scale } = settings();
    const lines = [
      ["Network", `${model} ×${scale}, ${precision}`] as const,
      ...figures,
      ["Browser", navigator.userAgent] as const,
    ];
    void copyText(copy, lines.map(([key, value]) => `${key}: ${value}`).join("\n"));
  });

  let depth = 0;
  const over = (on: boolean): void => {
    section.classList.toggle("over", on);
  };
  addEventListener("dragenter", () => over(++depth > 0));
  addEventListener("dragleave", () => over(--depth > 0));
  addEventListener("dragover", (event) => event.preventDefault());
  addEventListener("drop", (event) => {
    event.preventDefault();
    depth = 0;
    over(false);
    if (section.hidden) return;
    if (!accept(event.dataTransfer?.files)) error.textContent = "That is not a picture file.";
  });
  addEventListener("paste", (event) => {
    if (!section.hidden) accept(event.clipboardData?.files);
  });

  become("empty");
  const canvases = viewer.takeCanvases();
  post({ kind: "start", ...canvases, settings: settings() }, [canvases.before, canvases.after]);
  return {};
};
