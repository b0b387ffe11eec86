/** Lab: a Winograd algorithm from points of one's own, exactly; and a proof by trying in the visitor's own browser. */
import "./style.css";
import { CATALOGUE } from "../../src/winograd/catalogue.ts";
import { copyText, fillFigures, make, part } from "../shell/dom.ts";
import { significant, whole } from "../shell/format.ts";
import type { Mount } from "../shell/view.ts";
import { bitChart, matrices, printed, tile } from "./figures.ts";
import type { LabReport, Question } from "./report.ts";
import type { Reply, Request } from "./worker.ts";

const START = "f4x4-3x3-complex";
/** After the last key, before an algorithm is derived. */
const PAUSE_MS = 250;
const OFFER = "Six layers of random and extreme int8 data, by the algorithm and directly, compared value by value.";

const MARKUP = `
  <div class="intro">
    <h1>Winograd, from the points up</h1>
    <p>A convolution of tiles with fewer multiplications follows from a list of points. Choose them; everything below is derived
    from them in exact arithmetic.</p>
  </div>
  <form class="question" data-part="question">
    <label>Known algorithm <select name="known"></select></label>
    <label class="points">Points, inf being infinity <input type="text" name="points" spellcheck="false" autocomplete="off" autocapitalize="off"></label>
    <label>Outputs m <input type="number" name="m" min="1" max="8"></label>
    <label>Taps r <input type="number" name="r" min="1" max="8"></label>
  </form>
  <p class="error" role="alert" data-part="error"></p>
  <div class="answer" data-part="answer" hidden>
    <section aria-labelledby="lab-result">
      <h2 id="lab-result" data-part="title"></h2>
      <p class="headline" data-part="headline"></p>
      <div class="verify">
        <p class="actions"><button type="button" class="primary" data-part="verify">Verify in this browser</button></p>
        <p role="status" data-part="verdict" class="quiet">${OFFER}</p>
      </div>
      <dl class="figures" data-part="figures"></dl>
    </section>
    <div class="column">
    <section aria-labelledby="lab-tile">
      <h2 id="lab-tile">The transformed tile</h2>
      <p class="quiet" data-part="tile-note"></p>
      <div class="scroll" data-part="tile" tabindex="0" role="group" aria-label="The transformed tile"></div>
      <ul class="key"><li class="square real">real, one product</li><li class="square pair">complex, three products</li><li class="square conjugate">conjugate of one that is there: none</li></ul>
    </section>
    <section aria-labelledby="lab-bits">
      <h2 id="lab-bits">How wide the values get</h2>
      <p class="quiet">Worst case over all int8 data of both factors of each product, in bits. Kernels multiply int16.</p>
      <div class="scroll" data-part="bits" tabindex="0" role="group" aria-label="Chart of bits"></div>
      <ul class="key"><li class="square input">input</li><li class="square filter">filter</li></ul>
    </section>
    </div>
    <section class="wide" aria-labelledby="lab-matrices">
      <h2 id="lab-matrices">Matrices</h2>
      <p class="quiet">Y = Aᵀ [ (G g Gᵀ) · (Bᵀ d B) ] A, with d the inputs, g the filter, Y the outputs.</p>
      <div class="matrices" data-part="rational"></div>
      <h3 data-part="integer-title"></h3>
      <div class="matrices" data-part="integer"></div>
    </section>
    <section class="wide" aria-labelledby="lab-products">
      <h2 id="lab-products">Products</h2>
      <details><summary data-part="products-title"></summary><div class="scroll" data-part="products" tabindex="0" role="group" aria-label="Table of products"></div></details>
      <p class="actions"><button type="button" class="text" data-part="copy">Copy everything as JSON</button></p>
    </section>
  </div>
`;

export const mount: Mount = (section) => {
  section.innerHTML = MARKUP;
  const at = <E extends HTMLElement = HTMLElement>(name: string): E => part<E>(section, `[data-part=${name}]`);
  const form = at<HTMLFormElement>("question");
  const field = <E extends HTMLInputElement | HTMLSelectElement = HTMLInputElement>(name: string): E =>
    part<E>(form, `[name=${name}]`);
  const known = field<HTMLSelectElement>("known");
  const verifyButton = at<HTMLButtonElement>("verify");
  const verdict = at("verdict");
  const error = at("error");

  const titles = CATALOGUE.map(({ id, title }) =>
    make("option", { value: id }, title.replace(/(\d)x(?=\d)/g, "$1×").replace(/,(?=\d)/, ", ")),
  );
  known.append(...titles, make("option", { value: "own" }, "Points of your own"));

  const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
  const post = (request: Request): void => worker.postMessage(request);
  let id = 0;
  let report: LabReport | undefined;
  let timer = 0;

  const question = (): Question => ({
    points: field("points").value,
    m: field("m").valueAsNumber,
    r: field("r").valueAsNumber,
  });

  function ask(): void {
    verdict.textContent = "";
    post({ kind: "derive", id: ++id, question: question() });
  }

  function take(name: string): void {
    const entry = CATALOGUE.find((one) => one.id === name);
    if (!entry) return;
    field("points").value = entry.points.replaceAll(",", ", ");
    field("m").value = String(entry.m);
    field("r").value = String(entry.r);
  }

  function show(next: LabReport): void {
    report = next;
    const { summary, points, products, exact, diagonal, form: place } = next;
    const { operations, input, filter } = summary;
    error.textContent = "";
    at("answer").hidden = false;
    at("title").textContent = `${summary.title} with ${points.map(printed).join(", ")}`;
    const direct = summary.outputs * summary.taps;
    at("headline").replaceChildren(
      make("strong", {}, String(summary.products)),
      ` products where direct convolution takes ${direct}: `,
      make("strong", {}, `${summary.reduction.toFixed(2)} times`),
      ` fewer. ${exact ? "The identity holds for all data" : "The identity FAILS"}; in int16 it ${summary.exactness.startsWith("exact") ? `is ${summary.exactness}` : summary.exactness}.`,
    );
    const steps = ({ adds, shifts, constants }: typeof operations.input): string =>
      `${adds} additions, ${shifts} shifts${constants > 0 ? `, ${constants} products by constants` : ""}`;
    fillFigures(at("figures"), [
      ["Input transform, a tile", steps(operations.input)],
      ["Filter transform, once", steps(operations.filter)],
      ["Output transform, a tile", steps(operations.output)],
      ["Scale of the integer result", whole(summary.scale)],
      ["Input: gain, bits", `${input.gain}, ${input.bits}`],
      ["Filter: gain, bits", `${filter.gain}, ${filter.bits}`],
      ["Widest on the way, bits", String(next.intermediateBits)],
      ["Largest product", whole(summary.largestProduct)],
      ["Channels without wrapping", whole(summary.channels.noWrap)],
      ["f32: bound on rounding over a plain sum", `${significant(next.amplification)} times`],
    ]);
    const conjugates = next.tile.flat().filter(({ kind }) => kind === "conjugate").length;
    at("tile-note").textContent =
      conjugates > 0
        ? `${points.length} × ${points.length} values, a pair of points each. The data are real, so ${conjugates} are conjugates of others; a complex product takes three real ones.`
        : `${points.length} × ${points.length} values, a pair of points each; all are real.`;
    at("tile").replaceChildren(tile(next));
    part(section, ".key").hidden = conjugates === 0;
    at("bits").replaceChildren(bitChart(next));
    at("rational").replaceChildren(...matrices(next.rational));
    at("integer-title").textContent = `In integers, with the diagonal ${diagonal.map(printed).join(", ")} ${place}`;
    at("integer").replaceChildren(...matrices(next.integer));
    at("products-title").textContent = `All ${products.length}, with gains, bits and channels`;
    at("products").replaceChildren(productTable(next));
    verdict.textContent = OFFER;
    verdict.className = "quiet";
    verifyButton.disabled = false;
  }

  worker.onmessage = ({ data: reply }: MessageEvent<Reply>) => {
    if (reply.id !== id) return;
    if (reply.kind === "report") show(reply.report);
    else if (reply.kind === "failed") {
      error.textContent = reply.message;
      at("answer").hidden = true;
    } else {
      const { outputs, different, multiplications, directMultiplications, layers } = reply.found;
      if (!reply.last) {
        verdict.textContent = `${layers} of 6 layers, ${whole(outputs)} values`;
        return;
      }
      const equal = different === 0;
      verdict.className = equal ? "good" : "bad";
      verdict.textContent =
        (equal
          ? `All ${whole(outputs)} outputs are equal, bit for bit. `
          : `${whole(different)} of ${whole(outputs)} outputs differ. `) +
        `Counted while running: ${whole(multiplications)} products, directly ${whole(directMultiplications)}` +
        (equal
          ? `, ${(directMultiplications / multiplications).toFixed(2)} times fewer.`
          : ". Transformed values do not fit int16, so this was to be expected.");
      verifyButton.disabled = false;
    }
  };
  worker.onerror = ({ message }) => {
    error.textContent = `the worker failed: ${message || "its code could not be loaded"}`;
  };

  known.addEventListener("change", () => {
    take(known.value);
    ask();
  });
  form.addEventListener("input", (event) => {
    if (event.target === known) return;
    const { points, m, r } = question();
    const same = CATALOGUE.find((one) => one.m === m && one.r === r && one.points === points.replaceAll(" ", ""));
    known.value = same?.id ?? "own";
    clearTimeout(timer);
    timer = window.setTimeout(ask, PAUSE_MS);
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  verifyButton.addEventListener("click", () => {
    verifyButton.disabled = true;
    verdict.className = "quiet";
    verdict.textContent = "Running";
    post({ kind: "verify", id, seed: crypto.getRandomValues(new Uint32Array(1))[0]! });
  });
  const copy = at<HTMLButtonElement>("copy");
  copy.addEventListener("click", () => void copyText(copy, JSON.stringify(report, null, 1)));

  known.value = START;
  take(START);
  ask();
  return {};
};

function productTable({ products, points }: LabReport): HTMLElement {
  const head = ["", "Points", "Input", "Gain", "Bits", "Filter", "Gain", "Bits", "Channels without wrapping"];
  const rows = products.map((product, p) => {
    const cells = [
      String(p + 1),
      `${printed(points[product.row]!)}, ${printed(points[product.column]!)}`,
      printed(product.left),
      String(product.inputGain),
      String(product.inputBits),
      printed(product.right),
      String(product.filterGain),
      String(product.filterBits),
      whole(product.channels),
    ];
    return make("tr", {}, ...cells.map((cell, i) => make("td", i === 0 || i > 2 ? { class: "number" } : {}, cell)));
  });
  return make(
    "table",
    { class: "plain" },
    make(
      "thead",
      {},
      make("tr", {}, ...head.map((name) => (name === "" ? make("td") : make("th", { scope: "col" }, name)))),
    ),
    make("tbody", {}, ...rows),
  );
}
