/** Derives and verifies algorithms: the search for schedules of large ones takes longer than a page should be still. */
import type { Transforms } from "../../src/winograd/transforms.ts";
import { derive, type LabReport, type Question } from "./report.ts";
import { type Verification, verify } from "./verification.ts";

export type Request =
  | { readonly kind: "derive"; readonly id: number; readonly question: Question }
  | { readonly kind: "verify"; readonly id: number; readonly seed: number };

export type Reply =
  | { readonly kind: "report"; readonly id: number; readonly report: LabReport }
  | { readonly kind: "verified"; readonly id: number; readonly found: Verification; readonly last: boolean }
  | { readonly kind: "failed"; readonly id: number; readonly message: string };

const scope = globalThis as unknown as {
  postMessage(reply: Reply): void;
  onmessage: (event: MessageEvent<Request>) => void;
};

let current: Transforms | undefined;

scope.onmessage = ({ data: request }) => {
  const { id } = request;
  try {
    if (request.kind === "derive") {
      const { report, found } = derive(request.question);
      current = found;
      scope.postMessage({ kind: "report", id, report });
      return;
    }
    let last: Verification | undefined;
    for (const found of verify(current!, request.seed)) {
      last = found;
      scope.postMessage({ kind: "verified", id, found, last: false });
    }
    scope.postMessage({ kind: "verified", id, found: last!, last: true });
  } catch (error) {
    scope.postMessage({ kind: "failed", id, message: error instanceof Error ? error.message : String(error) });
  }
};
