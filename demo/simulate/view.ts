/** Simulate: a network on a device that need not be there; what binds each layer, and when what is busy. */
import "./style.css";
import type { SimulationReport } from "../../src/timing/report.ts";
import type { Timeline } from "../../src/timing/timeline.ts";
import { copyText, download, fillFigures, fillSelect, make, part } from "../shell/dom.ts";
import { duration, megabytes, percent, significant, whole } from "../shell/format.ts";
import { Turns } from "../shell/turns.ts";
import type { Mount } from "../shell/view.ts";
import { gantt, layerTable, sharesBar } from "./figures.ts";
import type { DeviceChoices, ModelFamily, Question, Reply, Request } from "./worker.ts";

/** What the timeline knows. */
const NOTES: Readonly<Record<SimulationReport["mode"], string>> = {
  event:
    "A bar is a run of blocks, from its beginning to its end, waiting between them included. Of each operation the resource that binds is solid.",
  analytic:
    "Closed formulas know for how long a resource is busy within an operation and not when: bars begin with their operation. The resource that binds is solid.",
};

const MARKUP = `
  <div class="intro">
    <h1>A network on a chip that is not here</h1>
    <p>Estimates of time and memory traffic of an int8 network, operation by operation: block by block with all that blocks wait for, or by
    closed formulas. Those of NPUs were checked against other estimators, not against silicon; those of CPUs were fitted to measurements on
    one machine, and Arm cores are projected from it.</p>
  </div>
  <form class="question" data-part="form">
    <label>Network <select name="model"></select></label>
    <label data-part="scale-label">Scale <select name="scale"></select></label>
    <label>Device <select name="device"></select></label>
    <label data-part="mode-label">Mode <select name="mode"></select></label>
    <label data-part="system-label">System <select name="system"></select></label>
    <label data-part="memory-label">Memory <select name="memory"></select></label>
    <label data-part="metric-label">Metric <select name="metric"></select></label>
    <label>Input, height × width <input type="text" name="input" inputmode="numeric" autocomplete="off" spellcheck="false"></label>
  </form>
  <p class="error" role="alert" data-part="error"></p>
  <div class="answer" data-part="answer" hidden>
    <section aria-labelledby="sim-total">
      <h2 id="sim-total" data-part="title"></h2>
      <p class="headline" role="status" data-part="headline"></p>
      <div data-part="shares"></div>
      <dl class="figures" data-part="figures"></dl>
    </section>
    <section aria-labelledby="sim-time">
      <div class="titled">
        <h2 id="sim-time">When what is busy</h2>
        <div class="zoom" role="group" aria-label="Zoom of the timeline">
          <button type="button" data-part="narrower" aria-label="Zoom out">−</button>
          <button type="button" data-part="wider" aria-label="Zoom in">+</button>
        </div>
      </div>
      <div class="scroll gantt" data-part="gantt" tabindex="0" role="group" aria-label="Timeline"></div>
      <p class="quiet" data-part="note"></p>
      <p class="actions"><button type="button" data-part="trace">Download trace</button> <button type="button" data-part="copy">Copy as JSON</button></p>
      <p class="quiet">The trace opens in chrome://tracing and Perfetto.</p>
    </section>
    <section aria-labelledby="sim-layers">
      <h2 id="sim-layers">Layer by layer</h2>
      <div class="scroll" data-part="layers" tabindex="0" role="group" aria-label="Table of layers"></div>
    </section>
  </div>
`;

export const mount: Mount = (section) => {
  section.innerHTML = MARKUP;
  const at = <E extends HTMLElement = HTMLElement>(name: string): E => part<E>(section, `[data-part=${name}]`);
  const form = at<HTMLFormElement>("form");
  const field = (name: string): HTMLSelectElement => part<HTMLSelectElement>(form, `select[name=${name}]`);
  const input = part<HTMLInputElement>(form, "[name=input]");
  const error = at("error");
  const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
  let families: readonly ModelFamily[] = [];
  let devices: readonly DeviceChoices[] = [];
  let id = 0;
  let report: SimulationReport | undefined;
  let timeline: Timeline | undefined;
  const [rows, bars] = [new Turns(), new Turns()];
  let zoom = 1;
  let timer = 0;

  const familyOf = (model: string): ModelFamily | undefined => families.find(({ ids }) => ids.includes(model));

  function offer(name: "mode" | "system" | "memory" | "metric", choices: readonly string[]): void {
    fillSelect(
      field(name),
      choices.map((value) => ({ value, text: value })),
    );
    at(`${name}-label`).hidden = choices.length < 2;
  }

  function offerOfModel(): void {
    const scales = familyOf(field("model").value)?.scales ?? [];
    fillSelect(
      field("scale"),
      scales.map((scale) => ({ value: String(scale), text: `×${scale}` })),
    );
    at("scale-label").hidden = scales.length < 2;
  }

  function offerOfDevice(): void {
    const choices = devices.find((one) => one.id === field("device").value);
    offer("mode", choices?.modes ?? []);
    offer("system", choices?.systems ?? []);
    offer("memory", choices?.memories ?? []);
    offer("metric", choices?.metrics ?? []);
  }

  /** "224 x 224" -> [224, 224]; empty: the network's own. @throws Error */
  function inputSize(): Question["input"] {
    const text = input.value.trim();
    if (text === "") return undefined;
    const found = /^(\d{1,5})\s*[x×*, ]\s*(\d{1,5})$/i.exec(text);
    if (!found) throw new Error(`input: expected height × width such as 224 × 224, got "${text}"`);
    return [Number(found[1]), Number(found[2])];
  }

  function ask(): void {
    try {
      const size = inputSize();
      const given = (name: "system" | "memory" | "metric") =>
        field(name).value === "" ? {} : { [name]: field(name).value };
      const scale = field("scale").value;
      const question: Question = {
        model: field("model").value,
        ...(scale !== "" && { scale: Number(scale) as 2 | 3 | 4 }),
        device: field("device").value,
        mode: field("mode").value as SimulationReport["mode"],
        options: { ...given("system"), ...given("memory"), ...given("metric") },
        ...(size && { input: size }),
      };
      worker.postMessage({ kind: "question", id: ++id, question } satisfies Request);
    } catch (cause) {
      fail((cause as Error).message);
    }
  }

  function fail(message: string): void {
    error.textContent = message;
    at("answer").hidden = true;
  }

  function plot(): void {
    const box = at("gantt");
    if (!report || !timeline || box.clientWidth === 0) return;
    const { element, steps } = gantt({ report, timeline }, Math.max(box.clientWidth, 520) * zoom);
    box.replaceChildren(element);
    void bars.run(steps);
  }

  function show(next: SimulationReport, size: readonly [number, number]): void {
    report = next;
    timeline = undefined;
    const { total, clockHz, network, device, layers, mode } = report;
    error.textContent = "";
    at("answer").hidden = false;
    at("title").textContent = `${network} on ${device}`;
    at("headline").replaceChildren(
      make("strong", {}, duration(total.ms)),
      ` an inference of ${size[0]} × ${size[1]}, `,
      make("strong", {}, `${significant(total.fps)} a second`),
      `, at ${percent(total.utilisation)} of the peak. ${mode === "event" ? "Simulated block by block." : "Estimated by closed formulas."}`,
    );
    at("shares").replaceChildren(sharesBar(report));
    fillFigures(at("figures"), [
      ["Clock", `${whole(clockHz / 1e6)} MHz`],
      ["Cycles", whole(total.cycles)],
      ["Multiply-accumulates", `${significant(total.macs / 1e6)} million`],
      ["DRAM moved", megabytes(total.dramBytes)],
      ["Flash read", megabytes(total.flashBytes)],
      ["SRAM moved", megabytes(total.sramBytes)],
      ["SRAM in use at most", total.sramPeakBytes === null ? "not modelled" : megabytes(total.sramPeakBytes)],
      ["Operations", String(layers.length)],
    ]);
    at("note").textContent = NOTES[mode];
    const { element, steps } = layerTable(report);
    at("layers").replaceChildren(element);
    void rows.run(steps);
  }

  worker.onerror = ({ message }) => fail(`the worker failed: ${message || "its code could not be loaded"}`);
  worker.onmessage = ({ data: reply }: MessageEvent<Reply>) => {
    if (reply.kind === "ready") {
      ({ families, devices } = reply);
      field("model").replaceChildren(
        ...families.map(({ name, ids }) =>
          make("optgroup", { label: name }, ...ids.map((one) => make("option", { value: one }, one))),
        ),
      );
      field("model").value = "sesr-m5";
      fillSelect(
        field("device"),
        devices.map(({ id: one }) => ({ value: one, text: one })),
      );
      field("device").value = "ethos-u55-256";
      offerOfModel();
      offerOfDevice();
      ask();
    } else if (reply.kind === "trace") {
      download(reply.file, reply.name);
    } else if (reply.id === id) {
      if (reply.kind === "failed") fail(reply.message);
      else if (reply.kind === "report") {
        if (input.value.trim() === "") input.placeholder = reply.input.join(" × ");
        show(reply.report, reply.input);
      } else {
        timeline = reply.timeline;
        plot();
      }
    }
  };

  field("model").addEventListener("change", () => {
    input.value = "";
    offerOfModel();
  });
  field("device").addEventListener("change", offerOfDevice);
  form.addEventListener("change", ask);
  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = window.setTimeout(ask, 300);
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  const rescale = (factor: number): void => {
    zoom = Math.max(1, Math.min(32, zoom * factor));
    plot();
  };
  at("wider").addEventListener("click", () => rescale(2));
  at("narrower").addEventListener("click", () => rescale(0.5));
  at("trace").addEventListener("click", () => worker.postMessage({ kind: "trace" } satisfies Request));
  const copy = at<HTMLButtonElement>("copy");
  copy.addEventListener("click", () => void copyText(copy, JSON.stringify(report)));
  new ResizeObserver(plot).observe(at("gantt"));
  return { show: plot };
};
