import { buildModel, FAMILIES, modelInfo } from "../../models/registry.ts";
import { countNetwork } from "../../network/counts.ts";
import { shippedModels } from "../../upscale/create-network.ts";
import type { Command } from "../command.ts";
import { grouped, table } from "../terminal.ts";

/** 3115008000 -> "3.12 G", 40551040 -> "40.6 M". */
function short(macs: number): string {
  return macs >= 1e9 ? `${(macs / 1e9).toFixed(2)} G` : `${(macs / 1e6).toFixed(1)} M`;
}

export const command: Command = {
  spec: { name: "models", positionals: [], summary: "Lists the networks, by family.", options: {} },

  async run(parsed) {
    const shipped = shippedModels();
    const models = FAMILIES.flatMap(({ ids, scales }) =>
      ids.flatMap((id) =>
        (scales ?? [null]).map((scale) => {
          const options = scale === null ? {} : { scale };
          const { family, task, input } = modelInfo(id, options);
          const { params, weights, macs } = countNetwork(buildModel(id, options), input);
          const weightsShipped = shipped.some((s) => s.model === id && s.scale === scale);
          return { id, family, task, scale, input, params, weights, macs, weightsShipped };
        }),
      ),
    );
    if (parsed.flag("json")) {
      process.stdout.write(`${JSON.stringify({ models })}\n`);
      return;
    }
    const rows = models.map((m) => [
      m.id,
      m.scale === null ? "" : `x${m.scale}`,
      m.input.join("x"),
      grouped(m.params),
      grouped(m.weights),
      short(m.macs),
      m.weightsShipped ? "shipped" : "-",
      `${m.family}, ${m.task}`,
    ]);
    const header = ["model", "scale", "input", "parameters", "weights", "MACs", "trained", "family"];
    process.stdout.write(table(header, rows, { lastLeft: true }));
  },
};
