/** What happens when, as a picture: one row a resource, time from left to right, how busy it is by height. */
import type { Lane, Traced } from "../timing/timeline.ts";
import {
  BLUE,
  element,
  escaped,
  GREEN,
  GREY_TINT,
  heading,
  LINE,
  line,
  MUTED,
  ORANGE,
  PURPLE,
  picture,
  RED,
  rect,
  text,
} from "./svg.ts";
import { ticks } from "./ticks.ts";

const [WIDTH, LEFT, RIGHT, TOP] = [960, 150, 24, 84];
const [ROW, BAR, LAYER_BAR] = [36, 24, 24];
const COUNTER_HEIGHT = 48;
/** Narrower slices are not seen, nor are narrower gaps between those of one layer. */
const LEAST = 0.4;
const LEAST_GAP = 2;
const COLOURS = [BLUE, ORANGE, GREEN, PURPLE, RED];
const CHARACTER = 6.6;

interface Bar {
  readonly layer: string;
  readonly start: number;
  end: number;
  busy: number;
}

/** Slices of one layer that follow each other without a gap that could be seen are one bar. */
function bars({ slices }: Lane, cyclesPerPixel: number): Bar[] {
  const found: Bar[] = [];
  for (const { layer, start, cycles, busy } of slices) {
    const last = found.at(-1);
    const narrow = last !== undefined && start + cycles - last.end < LEAST * cyclesPerPixel;
    if (last && start - last.end <= LEAST_GAP * cyclesPerPixel && (last.layer === layer || narrow)) {
      last.end = start + cycles;
      last.busy += busy;
    } else found.push({ layer, start, end: start + cycles, busy });
  }
  return found;
}

const inUnits = (ms: number): string =>
  ms === 0 ? "0" : ms >= 0.1 ? `${Number(ms.toPrecision(4))} ms` : `${Number((1000 * ms).toPrecision(4))} µs`;

/** As many characters of a name as there is room for; none where that would be too few to tell. */
function shortened(name: string, width: number): string {
  const room = Math.floor((width - 8) / CHARACTER);
  if (name.length <= room) return name;
  return room >= 9 ? `${name.slice(0, room - 1)}…` : "";
}

/** @param script what writes the picture */
export function ganttChart({ report, timeline }: Traced, script: string): string {
  const { lanes, counters, clockHz, cycles } = timeline;
  const { layers, total } = report;
  const inner = WIDTH - LEFT - RIGHT;
  const x = (cycle: number): number => LEFT + (cycle / cycles) * inner;
  const milliseconds = (of: number): number => (of / clockHz) * 1000;
  const colours = new Map(layers.map(({ name }, i) => [name, COLOURS[i % COLOURS.length]!]));
  const rows = lanes.length + 1;
  const foot = TOP + rows * ROW + counters.length * (COUNTER_HEIGHT + 12);
  const parts = heading(
    `${timeline.network} on ${timeline.device}`,
    `${inUnits(total.ms)} a picture, ${timeline.mode} mode; colours tell layers apart, heights how busy a resource is; layers that take turns are drawn in turn`,
  );
  const marks = ticks(milliseconds(cycles)).filter((ms) => ms <= milliseconds(cycles) * 1.0001);
  for (const ms of marks) {
    const at = LEFT + (ms / milliseconds(cycles)) * inner;
    parts.push(line(at, TOP - 6, at, foot, { stroke: LINE }));
    parts.push(text(at, TOP - 12, inUnits(ms), { anchor: "middle", size: 11, fill: MUTED }));
  }
  parts.push(text(LEFT - 10, TOP + LAYER_BAR / 2 + 5, "layers", { anchor: "end", size: 12, bold: true }));
  let start = 0;
  for (const { name, cycles: its, bound, why } of layers) {
    const [from, width] = [x(start), (its / cycles) * inner];
    start += its;
    if (width < LEAST / 4) continue;
    const label = `${name}: ${inUnits(milliseconds(its))}, ${bound}: ${why}`;
    const box = { x: from, y: TOP, width: Math.max(LEAST, width), height: LAYER_BAR, fill: colours.get(name)! };
    parts.push(element("rect", box, element("title", {}, escaped(label))));
    const shown = shortened(name, width);
    if (shown) parts.push(text(from + 4, TOP + 16, shown, { size: 11, fill: "#ffffff" }));
  }
  for (const [i, lane] of lanes.entries()) {
    const y = TOP + (i + 1) * ROW;
    const busy = lane.slices.reduce((sum, slice) => sum + slice.busy, 0);
    parts.push(text(LEFT - 10, y + 11, lane.title, { anchor: "end", size: 12 }));
    parts.push(
      text(LEFT - 10, y + 24, `${Math.round((100 * busy) / cycles)} % busy`, { anchor: "end", size: 10, fill: MUTED }),
    );
    parts.push(rect(LEFT, y, inner, BAR, { fill: GREY_TINT }));
    for (const bar of bars(lane, cycles / inner)) {
      const [from, width] = [x(bar.start), Math.max(LEAST, ((bar.end - bar.start) / cycles) * inner)];
      const share = bar.end > bar.start ? Math.min(1, bar.busy / (bar.end - bar.start)) : 1;
      const height = Math.max(1, BAR * share);
      const label = `${bar.layer}: ${lane.title} busy for ${inUnits(milliseconds(bar.busy))} of ${inUnits(milliseconds(bar.end - bar.start))}`;
      const box = { x: from, y: y + BAR - height, width, height, fill: colours.get(bar.layer) ?? MUTED };
      parts.push(element("rect", box, element("title", {}, escaped(label))));
    }
  }
  for (const [i, { title, unit, samples }] of counters.entries()) {
    const y = TOP + rows * ROW + i * (COUNTER_HEIGHT + 12);
    const most = Math.max(1, ...samples.map(({ value }) => value));
    parts.push(text(LEFT - 10, y + 14, title, { anchor: "end", size: 12 }));
    const shown = unit === "bytes" ? `${Math.round(most / 1024)} KiB at most` : `${most} ${unit} at most`;
    parts.push(text(LEFT - 10, y + 28, shown, { anchor: "end", size: 10, fill: MUTED }));
    parts.push(rect(LEFT, y, inner, COUNTER_HEIGHT, { fill: GREY_TINT }));
    const height = (value: number): number => y + COUNTER_HEIGHT * (1 - value / most);
    const steps = samples.flatMap(({ cycle, value }, at) => {
      const end = samples[at + 1]?.cycle ?? cycles;
      return [`${x(cycle).toFixed(1)},${height(value).toFixed(1)}`, `${x(end).toFixed(1)},${height(value).toFixed(1)}`];
    });
    const points = [`${LEFT},${y + COUNTER_HEIGHT}`, ...steps, `${LEFT + inner},${y + COUNTER_HEIGHT}`].join(" ");
    parts.push(element("polygon", { points, fill: MUTED, "fill-opacity": 0.6 }));
  }
  const longest = [...lanes].map(
    ({ title, slices }) => `${title} ${Math.round((100 * slices.reduce((sum, s) => sum + s.busy, 0)) / cycles)} %`,
  );
  return picture(
    {
      width: WIDTH,
      height: foot + 16,
      title: `What ${timeline.device} does while it runs ${timeline.network}`,
      description: `${inUnits(total.ms)} in all. Busy: ${longest.join(", ")}. ${total.why}.`,
      script,
    },
    parts,
  );
}
