/** docs/models.md with its computed part: path -> text. */
import { readFileSync } from "node:fs";
import { buildModel, FAMILIES, modelInfo } from "../../src/models/registry.ts";
import { countNetwork } from "../../src/network/counts.ts";
import { nonLinearUnits } from "../../src/network/non-linear-units.ts";
import { absolute, fillBlocks, table } from "../documents.ts";

const DOCUMENT = "docs/models.md";

const grouped = (n: number): string => n.toLocaleString("en-US");

/** One row a network and scale, in the default form. */
function modelTable(): string {
  const rows = FAMILIES.flatMap(({ name, task, ids, scales }) =>
    ids.flatMap((id) =>
      (scales ?? [undefined]).map((scale) => {
        const options = scale === undefined ? {} : { scale };
        const { input, nnMass } = modelInfo(id, options);
        const network = buildModel(id, options);
        const { params, weights, macs } = countNetwork(network, input);
        return [
          `\`${id}\`${scale === undefined ? "" : ` x${scale}`}`,
          name,
          task,
          input.join("x"),
          ...[params, weights, macs, nonLinearUnits(network, input)].map(grouped),
          nnMass === null ? "-" : grouped(nnMass),
        ];
      }),
    ),
  );
  const counts = ["parameters", "weights", "MACs", "non-linear units", "NN-Mass"];
  return table(["id", "family", "task", "input", ...counts], rows);
}

export function modelDocuments(): Map<string, string> {
  const text = readFileSync(absolute(DOCUMENT), "utf8");
  return new Map([[DOCUMENT, fillBlocks(DOCUMENT, text, new Map([["models", modelTable()]]))]]);
}
