/** Simulates: large networks take some tenths of a second. */
import { buildModel, FAMILIES, modelInfo } from "../../src/models/registry.ts";
import { type DeviceOptions, device, deviceIds, deviceOptions } from "../../src/timing/devices/registry.ts";
import type { SimulationReport } from "../../src/timing/report.ts";
import { modesOf, trace } from "../../src/timing/simulate.ts";
import type { Traced } from "../../src/timing/timeline.ts";

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

export type Request = { readonly id: number; readonly question: Question };

export type Reply =
  | { readonly kind: "ready"; readonly families: readonly ModelFamily[]; readonly devices: readonly DeviceChoices[] }
  | {
      readonly kind: "report";
      readonly id: number;
      readonly traced: Traced;
      readonly input: readonly [number, number];
    }
  | { readonly kind: "failed"; readonly id: number; readonly message: string };

const scope = globalThis as unknown as {
  postMessage(reply: Reply): void;
  onmessage: (event: MessageEvent<Request>) => void;
};

scope.onmessage = ({ data: { id, question } }) => {
  try {
    const options = question.scale === undefined ? {} : { scale: question.scale };
    const input = question.input ?? modelInfo(question.model, options).input;
    const target = device(question.device, question.options);
    const traced = trace(buildModel(question.model, options), target, { input, mode: question.mode });
    scope.postMessage({ kind: "report", id, traced, input });
  } catch (error) {
    scope.postMessage({ kind: "failed", id, message: error instanceof Error ? error.message : String(error) });
  }
};

scope.postMessage({
  kind: "ready",
  families: FAMILIES.map(({ name, ids, scales }) => ({ name, ids, scales: scales ?? [] })),
  devices: deviceIds().map((id) => ({ id, modes: modesOf(device(id)), ...deviceOptions(id) })),
});
