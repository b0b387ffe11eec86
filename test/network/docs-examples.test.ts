import { readFileSync } from "node:fs";
import { formatWithOptions } from "node:util";
import { describe, expect, it, test } from "vitest";
import { compactAttention } from "../../src/attention/compact.ts";
import { gaugeFix } from "../../src/attention/gauge-fix.ts";
import { simplifyBiases } from "../../src/attention/simplify-biases.ts";
import { buildModel, modelInfo } from "../../src/models/registry.ts";
import { sesr } from "../../src/models/sesr.ts";
import { attentionCosts } from "../../src/network/attention-costs.ts";
import { countNetwork } from "../../src/network/counts.ts";
import { nonLinearUnits } from "../../src/network/non-linear-units.ts";
import { collapse } from "../../src/network/passes/collapse.ts";
import { foldBatchNorms } from "../../src/network/passes/fold-batch-norm.ts";
import { fuse } from "../../src/network/passes/fuse.ts";
import { mergeBranches } from "../../src/network/passes/merge-branches.ts";
import { prepare } from "../../src/network/passes/prepare.ts";
import { halo } from "../../src/network/receptive-field.ts";
import { inferShapes } from "../../src/network/shapes.ts";
import { validate } from "../../src/network/validate.ts";
import { weightShapes } from "../../src/network/weights.ts";
import { calibrate } from "../../src/quantization/calibrate.ts";
import { quantise } from "../../src/quantization/quantise.ts";
import { dequantizeValue, quantizeValue } from "../../src/quantization/requantize.ts";
import { runReference, runReferenceQuantised } from "../../src/reference/run.ts";

/** Everything that the examples import from the package, from where it is defined. */
const PACKAGE: Readonly<Record<string, unknown>> = {
  attentionCosts,
  buildModel,
  calibrate,
  collapse,
  compactAttention,
  countNetwork,
  dequantizeValue,
  foldBatchNorms,
  fuse,
  gaugeFix,
  halo,
  inferShapes,
  mergeBranches,
  modelInfo,
  nonLinearUnits,
  prepare,
  quantise,
  quantizeValue,
  runReference,
  runReferenceQuantised,
  sesr,
  simplifyBiases,
  validate,
  weightShapes,
};

/** The example of an essay and what it claims to print. */
function example(file: string): { imports: string[]; code: string; output: string } {
  const text = readFileSync(new URL(`../../docs/${file}`, import.meta.url), "utf8");
  const [, block, output] = /```js\n([^`]*?(?:`[^`]+`[^`]*?)*)```[^`]*```text\n([^`]*)```/.exec(text)!;
  const [, names] = /import \{([^}]*)\} from "wasmograd";\n/.exec(block!)!;
  return { imports: names!.split(",").map((n) => n.trim()), code: block!.replace(/import .*\n/, ""), output: output! };
}

describe("examples in the docs", () => {
  it.each(["compact-attention.md", "models.md", "network.md", "quantization.md"])("%s prints what it says", (file) => {
    const { imports, code, output } = example(file);
    for (const name of imports) expect(PACKAGE).toHaveProperty(name);
    let printed = "";
    const log = (...values: unknown[]) => {
      printed += `${formatWithOptions({ colors: false }, ...values)}\n`;
    };
    new Function("console", ...imports, code)({ log }, ...imports.map((name) => PACKAGE[name]));
    expect(printed).toBe(output);
  });
});

test("the table of operators in network.md has every operator", () => {
  const text = readFileSync(new URL("../../docs/network.md", import.meta.url), "utf8");
  const [, table] = /\n\| op \| [^\n]*\n\|[-|]*\|\n((?:\|[^\n]*\n)*)/.exec(text)!;
  const documented = [...table!.matchAll(/^\| `([^`]+)` /gm)].map(([, op]) => op);
  const unknown = { name: "n", layers: [{ op: "none", name: "x" }], output: "x" };
  let message = "";
  try {
    validate(unknown);
  } catch (error) {
    message = (error as Error).message;
  }
  const [, known] = /expected one of (.*), got/.exec(message)!;
  expect(documented.sort()).toEqual(known!.split(", ").sort());
});
