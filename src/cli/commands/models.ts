import { buildModel, modelIds } from "../../models/registry.ts";
import { countNetwork } from "../../network/counts.ts";
import { shippedModels } from "../../upscale/create-network.ts";
import type { Command } from "../command.ts";
import { grouped, table } from "../terminal.ts";

/** Counts are given for pictures that come out at 1280x720, as the SESR paper does. */
const OUTPUT = [720, 1280] as const;

export const command: Command = {
  spec: { name: "models", positionals: [], summary: "Lists the networks.", options: {} },

  async run(parsed) {
    const shipped = shippedModels();
    const models = modelIds().flatMap((id) =>
      ([2, 4] as const).map((scale) => {
        const { params, weights, macs } = countNetwork(buildModel(id, { scale }), [
          OUTPUT[0] / scale,
          OUTPUT[1] / scale,
        ]);
        const trained = shipped.some((s) => s.model === id && s.scale === scale);
        return { id, scale, params, weights, macs, weightsShipped: trained };
      }),
    );
    if (parsed.flag("json")) {
      process.stdout.write(`${JSON.stringify({ models })}\n`);
      return;
    }
    const rows = models.map((m) => [
      m.id,
      `x${m.scale}`,
      grouped(m.weights),
      `${(m.macs / 1e9).toFixed(2)} G`,
      m.weightsShipped ? "shipped" : "-",
    ]);
    process.stdout.write(table(["model", "scale", "weights", "MACs to 1280x720", "trained"], rows));
  },
};
