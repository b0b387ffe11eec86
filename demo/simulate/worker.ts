/** Simulates, which takes some tenths of a second for large networks, and writes traces, which are long. */
import { buildModel, FAMILIES, modelInfo } from "../../src/models/registry.ts";
import { chromeTrace } from "../../src/timing/chrome-trace.ts";
import { type DeviceOptions, device, deviceIds, deviceOptions } from "../../src/timing/devices/registry.ts";
import type { SimulationReport } from "../../src/timing/report.ts";
import { modesOf, trace } from "../../src/timing/simulate.ts";
import type { Timeline, Traced } from "../../src/timing/timeline.ts";

export interface Question {
  readonly model: string;
  readonly scale?: 2 | 3 | 4;
  readonly device: string;
  readonly options: DeviceOptions;
  readonly mode: SimulationReport["mode"];
  /** [height, width]; what the network's authors count with unless given. */
  readonly input?: readonly [number, number];
}

export interface ModelFamily {
  readonly name: string;
  readonly ids: readonly string[];
  readonly scales: readonly number[];
}

export interface DeviceChoices {
  readonly id: string;
  /** The default first. */
  readonly modes: readonly SimulationReport["mode"][];
  readonly systems: readonly string[];
  readonly memories: readonly string[];
  readonly metrics: readonly string[];
}

export type Request =
  | { readonly kind: "question"; readonly id: number; readonly question: Question }
  /** Of the newest report. */
  | { readonly kind: "trace" };

export type Reply =
  | { readonly kind: "ready"; readonly families: readonly ModelFamily[]; readonly devices: readonly DeviceChoices[] }
  | {
      readonly kind: "report";
      readonly id: number;
      readonly report: SimulationReport;
      readonly input: readonly [number, number];
    }
  /** Of the report before it; apart, as it is much longer. */
  | { readonly kind: "timeline"; readonly id: number; readonly timeline: Timeline }
  | { readonly kind: "trace"; readonly file: Blob; readonly name: string }
  | { readonly kind: "failed"; readonly id: number; readonly message: string };

const scope = globalThis as unknown as {
  postMessage(reply: Reply): void;
  onmessage: (event: MessageEvent<Request>) => void;
};

let newest: Traced | undefined;

function answer(id: number, question: Question): void {
  try {
    const options = question.scale === undefined ? {} : { scale: question.scale };
    const input = question.input ?? modelInfo(question.model, options).input;
    const target = device(question.device, question.options);
    newest = trace(buildModel(question.model, options), target, { input, mode: question.mode });
    scope.postMessage({ kind: "report", id, report: newest.report, input });
    scope.postMessage({ kind: "timeline", id, timeline: newest.timeline });
  } catch (error) {
    scope.postMessage({ kind: "failed", id, message: error instanceof Error ? error.message : String(error) });
  }
}

scope.onmessage = ({ data: request }) => {
  if (request.kind === "question") answer(request.id, request.question);
  else if (newest) {
    const file = new Blob([JSON.stringify(chromeTrace(newest))], { type: "application/json" });
    const { network, device } = newest.report;
    scope.postMessage({ kind: "trace", file, name: `${network}-${device}.trace.json` });
  }
};

scope.postMessage({
  kind: "ready",
  families: FAMILIES.map(({ name, ids, scales }) => ({ name, ids, scales: scales ?? [] })),
  devices: deviceIds().map((id) => ({ id, modes: modesOf(device(id)), ...deviceOptions(id) })),
});
