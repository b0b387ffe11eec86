/**
 * Counting by running: an algorithm's own schedules on a whole layer, tile by tile, with every multiplication, addition and shift
 * counted where it happens and every stored byte where it is stored. Slow, and meant to be: it is the evidence for the formulas, and its
 * result is checked against direct convolution. Arithmetic is int32 modulo 2^32 as in the kernels.
 */
import { check } from "../errors.ts";
import { counted, noOperations, type OperationCount, wrapping } from "./arithmetic.ts";
import { countTransforms, type Transforms } from "./transforms.ts";

/** A convolution with stride 1 and no padding: input [height, width, ic] and filters [oc, kh, kw, ic], int8 values. */
export interface CountedLayer {
  /** Of the input, in pixels. */
  readonly height: number;
  /** Of the input, in pixels. */
  readonly width: number;
  /** Input channels. */
  readonly ic: number;
  /** Output channels. */
  readonly oc: number;
}

/** Of a Winograd layer. */
export interface LayerCounts {
  /** Products of transformed values: what Winograd saves. */
  readonly multiplications: number;
  /** Sums of those products over channels. */
  readonly accumulations: number;
  /** Of all input transforms. */
  readonly input: Readonly<OperationCount>;
  /** Of all filter transforms. */
  readonly filter: Readonly<OperationCount>;
  /** Of all output transforms. */
  readonly output: Readonly<OperationCount>;
  /** Undoing the scale: a product by the inverse of its odd part, if that is not 1, and a shift. */
  readonly rescale: Readonly<OperationCount>;
  /** Of what lies between the steps. */
  readonly bytes: StoredBytes;
}

/** Bytes stored: int16 factors, int32 products summed over channels. */
export interface StoredBytes {
  /** Of all tiles and channels. */
  readonly transformedInput: number;
  /** Of all filters. */
  readonly transformedFilters: number;
  /** Of all tiles and output channels. */
  readonly products: number;
}

/** Of direct convolution. */
export interface DirectCounts {
  /** Products. */
  readonly multiplications: number;
  /** Sums of them. */
  readonly accumulations: number;
}

/** What a counted layer computed, and at what price. */
export interface CountedResult<Counts> {
  /** [height - kh + 1, width - kw + 1, oc] */
  readonly output: Int32Array;
  /** Of the whole layer. */
  readonly counts: Counts;
}

/** Tiles of mv x mh outputs that cover the layer's. */
function tiling(
  layer: CountedLayer,
  { nested }: Transforms,
): { rows: number; columns: number; oh: number; ow: number } {
  const [v, h] = [nested.vertical.algorithm, nested.horizontal.algorithm];
  const oh = layer.height - v.r + 1;
  const ow = layer.width - h.r + 1;
  check(
    oh > 0 && ow > 0,
    "ERR_SHAPE",
    () => `layer: a ${v.r}x${h.r} kernel needs more than ${layer.height}x${layer.width}`,
  );
  return { rows: Math.ceil(oh / v.m), columns: Math.ceil(ow / h.m), oh, ow };
}

/**
 * Direct convolution with the same counters.
 * @param input height * width * ic values
 * @param filters OHWI, oc * kh * kw * ic values
 */
export function runDirect(
  layer: CountedLayer,
  [kh, kw]: readonly [number, number],
  input: Int8Array,
  filters: Int8Array,
): CountedResult<DirectCounts> {
  const { height, width, ic, oc } = layer;
  const [oh, ow] = [height - kh + 1, width - kw + 1];
  const output = new Int32Array(oh * ow * oc);
  let multiplications = 0;
  let accumulations = 0;
  for (let y = 0; y < oh; y++) {
    for (let x = 0; x < ow; x++) {
      for (let o = 0; o < oc; o++) {
        let sum: number | undefined;
        for (let t = 0; t < kh * kw; t++) {
          const pixel = (y + Math.floor(t / kw)) * width + x + (t % kw);
          for (let c = 0; c < ic; c++) {
            const product = Math.imul(input[pixel * ic + c]!, filters[(o * kh * kw + t) * ic + c]!);
            multiplications++;
            if (sum !== undefined) accumulations++;
            sum = ((sum ?? 0) + product) | 0;
          }
        }
        output[(y * ow + x) * oc + o] = sum ?? 0;
      }
    }
  }
  return { output, counts: { multiplications, accumulations } };
}

/**
 * Runs a layer by a Winograd algorithm, in integers modulo 2^32, and counts what that takes (ours).
 * @param input height * width * ic values
 * @param filters OHWI, oc * kh * kw * ic values
 * @throws WasmogradError ERR_SHAPE when the kernel does not fit into the input
 */
export function runCounted(
  transforms: Transforms,
  layer: CountedLayer,
  input: Int8Array,
  filters: Int8Array,
): CountedResult<LayerCounts> {
  const { nested } = transforms;
  const [v, h] = [nested.vertical.algorithm, nested.horizontal.algorithm];
  const { width, height, ic, oc } = layer;
  const { rows, columns, oh, ow } = tiling(layer, transforms);
  const stages = { input: noOperations(), filter: noOperations(), output: noOperations(), rescale: noOperations() };
  const bytes = { transformedInput: 0, transformedFilters: 0, products: 0 };
  let multiplications = 0;
  let accumulations = 0;

  const taps = v.r * h.r;
  const filterArithmetic = counted(wrapping, stages.filter);
  const U = Array.from({ length: oc * ic }, (_, i) => {
    const [o, c] = [Math.floor(i / ic), i % ic];
    const g = Array.from({ length: taps }, (_, t) => filters[(o * taps + t) * ic + c]!);
    const factors = Int16Array.from(transforms.filter(g, filterArithmetic));
    bytes.transformedFilters += factors.byteLength;
    return factors;
  });

  const output = new Int32Array(oh * ow * oc);
  const inputArithmetic = counted(wrapping, stages.input);
  const outputArithmetic = counted(wrapping, stages.output);
  const rescale = counted(wrapping, stages.rescale);
  const { shift, odd, inverse } = nested.result;
  for (let tile = 0; tile < rows * columns; tile++) {
    const [top, left] = [Math.floor(tile / columns) * v.m, (tile % columns) * h.m];
    const V = Array.from({ length: ic }, (_, c) => {
      const d = Array.from({ length: v.n * h.n }, (_, i) => {
        const [y, x] = [top + Math.floor(i / h.n), left + (i % h.n)];
        return y < height && x < width ? input[(y * width + x) * ic + c]! : 0;
      });
      const factors = Int16Array.from(transforms.input(d, inputArithmetic));
      bytes.transformedInput += factors.byteLength;
      return factors;
    });
    for (let o = 0; o < oc; o++) {
      const sums = Int32Array.from(nested.planes, (_, p) => {
        let sum: number | undefined;
        for (let c = 0; c < ic; c++) {
          const product = Math.imul(U[o * ic + c]![p]!, V[c]![p]!);
          multiplications++;
          if (sum !== undefined) accumulations++;
          sum = ((sum ?? 0) + product) | 0;
        }
        return sum ?? 0;
      });
      bytes.products += sums.byteLength;
      for (const [i, scaled] of transforms.output([...sums], outputArithmetic).entries()) {
        const undone = odd === 1n ? scaled : rescale.mulc(scaled, inverse);
        stages.rescale.shifts++;
        const [y, x] = [top + Math.floor(i / h.m), left + (i % h.m)];
        if (y < oh && x < ow) output[(y * ow + x) * oc + o] = undone >> shift;
      }
    }
  }
  return { output, counts: { multiplications, accumulations, ...stages, bytes } };
}

const times = ({ adds, shifts, constants }: OperationCount, n: number): OperationCount => ({
  adds: adds * n,
  shifts: shifts * n,
  constants: constants * n,
});

/** The same counts by formula, from the counts of one tile. */
export function predictCounts(transforms: Transforms, layer: CountedLayer): LayerCounts {
  const { nested } = transforms;
  const { ic, oc } = layer;
  const { rows, columns } = tiling(layer, transforms);
  const tiles = rows * columns;
  const products = nested.planes.length;
  const outputs = nested.vertical.algorithm.m * nested.horizontal.algorithm.m * tiles * oc;
  const each = countTransforms(transforms);
  return {
    multiplications: products * tiles * ic * oc,
    accumulations: products * tiles * (ic - 1) * oc,
    input: times(each.input, tiles * ic),
    filter: times(each.filter, ic * oc),
    output: times(each.output, tiles * oc),
    rescale: { adds: 0, shifts: outputs, constants: nested.result.odd === 1n ? 0 : outputs },
    bytes: {
      transformedInput: 2 * products * tiles * ic,
      transformedFilters: 2 * products * ic * oc,
      products: 4 * products * tiles * oc,
    },
  };
}
