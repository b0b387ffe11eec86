/** Times the kernels. A worker of its own that is ended to stop it: between two kernels it listens to nobody. */
import { type BenchReport, runSuite, type Suite } from "../../src/bench/suite.ts";

export type Request = { readonly suite: Suite };

export type Reply =
  | { readonly kind: "progress"; readonly fraction: number; readonly name: string }
  | { readonly kind: "done"; readonly report: BenchReport }
  | { readonly kind: "failed"; readonly message: string };

const scope = globalThis as unknown as {
  postMessage(reply: Reply): void;
  onmessage: (event: MessageEvent<Request>) => void;
};

scope.onmessage = ({ data: { suite } }) => {
  runSuite(suite, { onProgress: (fraction, name) => scope.postMessage({ kind: "progress", fraction, name }) }).then(
    (report) => scope.postMessage({ kind: "done", report }),
    (error: Error) => scope.postMessage({ kind: "failed", message: error.message }),
  );
};
