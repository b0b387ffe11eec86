/** `wasmograd classify` on transformers that are described in a file: f32 and int8, the same bits by every exact algorithm. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { serialiseSafetensors } from "../../src/formats/safetensors.ts";
import { visionTransformer } from "../../src/models/deit.ts";
import { crossCovarianceTransformer } from "../../src/models/xcit.ts";
import type { Network } from "../../src/network/description.ts";
import { encodePng } from "../../src/node/png.ts";
import { integers } from "../_helpers/random.ts";
import { randomModel } from "../network/random-model.ts";

const MAIN = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "wasmograd-classify-"));
const at = (name: string): string => join(folder, name);

const CLASSES = ["bird", "cat", "dog"];
const vit = (attention: "standard" | "shared-kv"): Network =>
  visionTransformer({
    name: `vit-${attention}`,
    channels: 24,
    depth: 2,
    heads: 3,
    patch: 8,
    input: [32, 32],
    classes: CLASSES.length,
    attention,
  });
const sizes = { name: "xcit", channels: 16, depth: 1, heads: 2, normsTokens: true, classes: CLASSES.length };
const NETWORKS = [vit("standard"), vit("shared-kv"), crossCovarianceTransformer(sizes)];

/** As PyTorch has them: filters [out, in, h, w]. */
function checkpoint(network: Network): Uint8Array {
  const { weights } = randomModel(network, 3);
  const tensors = [...weights].map(([name, { shape, data }]) => {
    const [o, h, w, i] = shape as [number, number, number, number];
    return [name, { shape: shape.length === 4 ? [o, i, h, w] : shape, data }] as const;
  });
  return serialiseSafetensors(new Map(tensors));
}

beforeAll(() => {
  expect(existsSync(MAIN), "npm run build comes first").toBe(true);
  for (const network of NETWORKS) {
    writeFileSync(at(`${network.name}.json`), JSON.stringify(network));
    writeFileSync(at(`${network.name}.safetensors`), checkpoint(network));
  }
  for (const [i, name] of CLASSES.entries()) {
    mkdirSync(join(folder, "pictures", name), { recursive: true });
    for (const n of [0, 1, 2]) {
      const data = Uint8Array.from(integers(10 * i + n, 32 * 32 * 3, 80 * (i + 1)));
      writeFileSync(
        join(folder, "pictures", name, `${n}.png`),
        encodePng({ width: 32, height: 32, channels: 3, depth: 8, data }),
      );
    }
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("a description and its weights", () => {
  test.each(NETWORKS.map(({ name }) => name))("%s: all arithmetics, int8 as f32 in most answers", (name) => {
    const args = ["classify", "pictures", "--model", `${name}.json`, "--weights", `${name}.safetensors`, "--json"];
    const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args, "--portable"], {
      encoding: "utf8",
      cwd: folder,
    });
    expect([stderr, status]).toEqual(["", 0]);
    const { model, pictures, results } = JSON.parse(stdout);
    expect([model, pictures]).toEqual([name, 9]);
    const by = new Map<string, { agreement: number; sameBitsAsInt8Direct?: boolean }>(
      // biome-ignore lint/suspicious/noExplicitAny: a document
      results.map((result: any) => [result.variant, result]),
    );
    expect(by.get("int8 direct")!.agreement).toBeGreaterThanOrEqual(8 / 9);
    expect(by.get("int8 winograd")!.sameBitsAsInt8Direct).toBe(true);
  });
});
