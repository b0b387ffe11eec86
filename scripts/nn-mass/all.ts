/** Everything that scripts/nn-mass-figure.ts writes: path -> text. */
import { readFileSync } from "node:fs";
import { absolute, fillBlocks } from "../documents.ts";
import { chart } from "./chart.ts";
import { FRONT, ranEBlocks, ranEFront, stored } from "./ran-e.ts";
import { ranEDeviceBlocks } from "./ran-e-device.ts";
import { correlations, runStudy } from "./study.ts";
import { blocks } from "./tables.ts";

export const DOCUMENT = "docs/ran.md";

export function everything(study = runStudy()): Map<string, string> {
  const document = readFileSync(absolute(DOCUMENT), "utf8");
  const ranE = stored();
  return new Map([
    ["docs/images/nn-mass.svg", chart(study, correlations(study))],
    [FRONT, ranEFront(ranE)],
    [DOCUMENT, fillBlocks(DOCUMENT, document, new Map([...blocks(study), ...ranEBlocks(ranE), ...ranEDeviceBlocks()]))],
  ]);
}
