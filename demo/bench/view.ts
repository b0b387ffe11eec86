/** Bench: what this machine can do at most, and what the kernels make of it. */
import "./style.css";
import { SUITES, type Suite } from "../../src/bench/suite.ts";
import { copyText, make, part } from "../shell/dom.ts";
import { percent, significant } from "../shell/format.ts";
import { onTheme } from "../shell/theme.ts";
import type { Mount } from "../shell/view.ts";
import { chart } from "./chart.ts";
import { type BenchDocument, layersOf, parseReport } from "./report.ts";
import type { Reply } from "./worker.ts";

const NAMES: Readonly<Record<Suite, string>> = {
  all: "int8 and f32, about 40 s",
  int8: "int8, about 25 s",
  f32: "f32, about 20 s",
};

const MARKUP = `
  <div class="intro">
    <h1>This machine</h1>
    <p>How many multiply-accumulates a second one thread does at most, the roofline, and how many each convolution kernel does.
    Winograd may pass the roofline: it counts as the direct convolution that it replaces.</p>
  </div>
  <form class="controls" data-part="form">
    <label>Kernels <select name="suite"></select></label>
    <p class="actions">
      <button type="submit" class="primary" data-part="start">Measure</button>
      <button type="button" data-part="cancel" hidden>Cancel</button>
      <button type="button" data-part="open">Open a report…</button>
    </p>
  </form>
  <div class="progress" data-part="bar" role="progressbar" aria-label="Measuring" aria-valuemin="0" aria-valuemax="100" hidden><span></span></div>
  <p role="status" class="quiet status" data-part="status">Nothing else should be running meanwhile.</p>
  <p class="error" role="alert" data-part="error"></p>
  <div class="results" data-part="results" hidden>
    <p class="machine" data-part="machine"></p>
    <section data-part="int8"><h2>int8, GMAC/s</h2><div class="box"></div></section>
    <section data-part="f32"><h2>f32, GMAC/s</h2><div class="box"></div></section>
    <details><summary>All figures</summary><div class="scroll" data-part="table" tabindex="0" role="group" aria-label="Table of all figures"></div></details>
    <p class="actions"><button type="button" data-part="copy">Copy as JSON</button></p>
    <p class="quiet">GMAC/s: 10⁹ multiply-accumulates of the direct convolution a second, one thread. Kernels of one layer and the roofline are timed alternately;
    figures are medians. Layers are named by kernel, height × width, channels in → out; dw is depthwise.</p>
  </div>
  <input type="file" accept="application/json,.json" data-part="file" class="hidden" tabindex="-1" aria-label="Report file">
`;

export const mount: Mount = (section) => {
  section.innerHTML = MARKUP;
  const at = <E extends HTMLElement = HTMLElement>(name: string): E => part<E>(section, `[data-part=${name}]`);
  const select = part<HTMLSelectElement>(section, "[name=suite]");
  select.append(...SUITES.map((suite) => make("option", { value: suite }, NAMES[suite])));
  const [status, error, bar] = [at("status"), at("error"), at("bar")];
  const file = at<HTMLInputElement>("file");
  let worker: Worker | undefined;
  let shown: BenchDocument | undefined;
  let free: (() => void)[] = [];

  function plot(): void {
    for (const one of free) one();
    free = [];
    if (!shown || section.hidden) return;
    const { roofline } = shown;
    for (const [dtype, rate, idiom] of [
      ["int8", roofline.dotI16x8, "int8 kernels, roofline of i32x4.dot_i16x8_s and add"],
      ["f32", roofline.f32MulAdd, "f32 kernels, roofline of f32x4.mul and add"],
    ] as const) {
      const layers = layersOf(shown, dtype);
      at(dtype).hidden = rate === null || layers.length === 0;
      if (rate !== null && layers.length > 0) free.push(chart(part(at(dtype), ".box"), layers, rate, idiom));
    }
  }

  function show(report: BenchDocument): void {
    shown = report;
    at("results").hidden = false;
    at("machine").textContent = Object.entries(report.machine)
      .map(([key, value]) => `${key}: ${value}`)
      .join(" · ");
    at("table").replaceChildren(table(report));
    plot();
  }

  function end(text: string): void {
    worker?.terminate();
    worker = undefined;
    bar.hidden = true;
    at("start").hidden = false;
    at("cancel").hidden = true;
    select.disabled = false;
    status.textContent = text;
  }

  function start(): void {
    error.textContent = "";
    worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
    worker.postMessage({ suite: select.value });
    bar.hidden = false;
    at("start").hidden = true;
    at("cancel").hidden = false;
    at("cancel").focus();
    select.disabled = true;
    status.textContent = "Warming up";
    worker.onerror = ({ message }) => {
      end("");
      error.textContent = `the worker failed: ${message || "its code could not be loaded"}`;
    };
    worker.onmessage = ({ data: reply }: MessageEvent<Reply>) => {
      if (reply.kind === "progress") {
        bar.setAttribute("aria-valuenow", String(Math.floor(100 * reply.fraction)));
        part<HTMLElement>(bar, "span").style.transform = `scaleX(${reply.fraction})`;
        status.textContent = `${percent(reply.fraction)}, timing ${reply.name.replaceAll("x", "×").replace("->", " → ")}`;
      } else if (reply.kind === "done") {
        end("");
        const machine = { runtime: navigator.userAgent, processors: navigator.hardwareConcurrency };
        show({ machine, ...reply.report });
        at("copy").focus();
      } else {
        end("");
        error.textContent = reply.message;
      }
    };
  }

  at("form").addEventListener("submit", (event) => {
    event.preventDefault();
    if (!worker) start();
  });
  at("cancel").addEventListener("click", () => {
    end("Cancelled; nothing was kept.");
    at("start").focus();
  });
  at("open").addEventListener("click", () => file.click());
  file.addEventListener("change", async () => {
    const [chosen] = file.files ?? [];
    file.value = "";
    if (!chosen) return;
    error.textContent = "";
    try {
      show(parseReport(await chosen.text()));
    } catch (cause) {
      error.textContent = `${chosen.name}: ${(cause as Error).message}`;
    }
  });
  const copy = at<HTMLButtonElement>("copy");
  copy.addEventListener("click", () => void copyText(copy, JSON.stringify(shown)));
  onTheme(plot);
  return { show: plot };
};

function table({ kernels }: BenchDocument): HTMLElement {
  const head = ["Kernel", "Shape", "Median ms", "Spread", "GMAC/s", "Of roofline", "Over direct"];
  const rows = kernels.map(({ name, shape, medianMs, spread, gmacPerS, ofRoofline, overDirect }) => {
    const cells = [
      name,
      shape.replace("->", " → "),
      significant(medianMs),
      `± ${percent(spread)}`,
      gmacPerS.toFixed(1),
      percent(ofRoofline),
      `${overDirect.toFixed(2)}×`,
    ];
    return make("tr", {}, ...cells.map((cell, i) => make("td", i > 1 ? { class: "number" } : {}, cell)));
  });
  return make(
    "table",
    { class: "plain" },
    make(
      "thead",
      {},
      make("tr", {}, ...head.map((name, i) => make("th", { scope: "col", ...(i > 1 && { class: "number" }) }, name))),
    ),
    make("tbody", {}, ...rows),
  );
}
