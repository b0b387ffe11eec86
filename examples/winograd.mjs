// A Winograd algorithm from points of your own choice: its matrices, what it costs, and a layer counted by running it.
import {
  countTransforms,
  growth,
  isExact,
  nest,
  runCounted,
  runDirect,
  summarise,
  transforms,
  winograd,
} from "wasmograd";

const algorithm = winograd({ m: 4, r: 3, points: ["0", "1", "-1", "i", "-i", "inf"] });
const nested = nest({ vertical: algorithm }); // the same in both directions: F(4x4, 3x3)

const matrix = (rows) => rows.map((row) => `  ${row.map((z) => String(z).padStart(4)).join("")}`).join("\n");
console.log(`B^T of F(4, 3) with points ${algorithm.points.join(", ")}:\n${matrix(algorithm.BT)}`);

const { products, reduction, exactness } = summarise(nested, "mine");
console.log(`exact: ${isExact(nested)}; ${products} products, ${reduction.toFixed(2)} times fewer than direct`);
console.log(
  `int8 input in ${growth(nested).input.bits} bits, int8 filters in ${growth(nested).filter.bits}; ${exactness}`,
);

const found = transforms(nested);
const { input, output } = countTransforms(found);
console.log(`${input.adds} additions an input tile, ${output.adds} an output tile`);

const layer = { height: 18, width: 18, ic: 3, oc: 2 };
const x = Int8Array.from({ length: 18 * 18 * 3 }, (_, i) => i * 37);
const w = Int8Array.from({ length: 2 * 9 * 3 }, (_, i) => i * 29);
const direct = runDirect(layer, [3, 3], x, w);
const counted = runCounted(found, layer, x, w);
const same = direct.output.every((y, i) => y === counted.output[i]);
console.log(
  `multiplications: ${direct.counts.multiplications} direct, ${counted.counts.multiplications} counted here; same: ${same}`,
);
process.exitCode = same ? 0 : 1;
