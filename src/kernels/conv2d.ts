import { check } from "../errors.ts";
import { type Conv2dOptionsF32, type Conv2dOptionsInt8, specOf } from "./conv2d-options.ts";
import { ConvolutionCall } from "./convolution/call.ts";
import type { AlgorithmId } from "./convolution/choice.ts";
import { PackedConvolution } from "./convolution/packed.ts";
import type { KernelInstance } from "./load.ts";

type DataOf<Options> = Options extends Conv2dOptionsInt8 ? Int8Array : Float32Array;

/** A convolution with its filter packed and its buffers reserved: run it as often as you like, then dispose of it. */
export class Conv2d<Data extends Int8Array | Float32Array = Int8Array | Float32Array> {
  /** [height, width, channels] of y. */
  readonly outputShape: readonly [height: number, width: number, channels: number];
  /** What runs. */
  readonly algorithm: AlgorithmId;
  /** Why it was chosen, in one line. */
  readonly reason: string;
  /** The kernel's name among the exports of the binary. */
  readonly kernel: string;
  readonly #kernels: KernelInstance;
  readonly #packed: PackedConvolution;
  readonly #call: ConvolutionCall | undefined;
  readonly #buffers: number[] = [];
  readonly #lengths: { readonly input: number; readonly output: number; readonly residual: number };
  readonly #float: boolean;
  #disposed = false;

  /** @internal `Kernels.conv2d` makes them. */
  constructor(kernels: KernelInstance, { spec, reason, geometry: g }: ReturnType<typeof specOf>) {
    this.#kernels = kernels;
    this.#float = spec.dtype === "f32";
    this.outputShape = [g.oh, g.ow, g.oc];
    const residual = spec.residual ? g.oh * g.ow * (spec.residual.broadcast ? 1 : g.oc) : 0;
    this.#lengths = { input: g.ih * g.iw * g.ic, output: g.oh * g.ow * g.oc, residual };
    this.#packed = new PackedConvolution(kernels, spec);
    this.algorithm = spec.algorithm;
    this.reason = reason;
    this.kernel = this.#packed.kernel;
    try {
      this.#call = new ConvolutionCall(kernels, this.#packed, g);
      const bytes = this.#float ? 4 : 1;
      for (const length of [this.#lengths.input, this.#lengths.output, residual]) {
        this.#buffers.push(kernels.memory.allocate(length * bytes));
      }
      this.#buffers.push(kernels.memory.allocate(this.#call.scratchBytes));
    } catch (error) {
      this.dispose();
      throw error;
    }
    const [input, output, residualBuffer, scratch] = this.#buffers as [number, number, number, number];
    this.#call!.bind(input, output, residual === 0 ? 0 : residualBuffer, scratch);
  }

  /**
   * Computes y from x (NHWC values); returns y, a new array if none is given. Reads and writes copies, so x may be y.
   * @param x height * width * channels of the input
   * @param y as many values as `outputShape` says
   * @param residual as many values as the output, or one a pixel, as the options say
   * @throws WasmogradError ERR_SHAPE on a wrong length, ERR_ARGUMENT on a wrong array type, ERR_DISPOSED
   */
  run(x: Data, y?: Data, residual?: Data): Data {
    check(!this.#disposed, "ERR_DISPOSED", () => "conv2d: this convolution was disposed of");
    this.#expect("x", x, this.#lengths.input);
    if (this.#lengths.residual > 0) this.#expect("residual", residual, this.#lengths.residual);
    else check(residual === undefined, "ERR_ARGUMENT", () => "residual: this convolution was made without one");
    const length = this.#lengths.output;
    const result = y ?? ((this.#float ? new Float32Array(length) : new Int8Array(length)) as Data);
    this.#expect("y", result, length);
    const [input, output, residualBuffer] = this.#buffers as [number, number, number, number];
    this.#write(x, input);
    if (residual) this.#write(residual, residualBuffer);
    this.#call!.run();
    const { f32, i8 } = this.#kernels.memory;
    if (result instanceof Float32Array) result.set(f32.subarray(output >> 2, (output >> 2) + length));
    else result.set(i8.subarray(output, output + length));
    return result;
  }

  #write(values: Data, pointer: number): void {
    if (values instanceof Float32Array) this.#kernels.memory.f32.set(values, pointer >> 2);
    else this.#kernels.memory.i8.set(values, pointer);
  }

  #expect(name: string, array: Data | undefined, length: number): asserts array is Data {
    const type = this.#float ? Float32Array : Int8Array;
    const fits = array instanceof type;
    check(
      fits,
      "ERR_ARGUMENT",
      () => `${name}: expected ${type.name}, got ${array?.constructor.name ?? String(array)}`,
    );
    check(array.length === length, "ERR_SHAPE", () => `${name}: expected ${length} values, got ${array.length}`);
  }

  /** Frees its buffers and its packed filter; the convolution cannot be used after it. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    for (const pointer of this.#buffers) this.#kernels.memory.free(pointer);
    this.#call?.dispose();
    this.#packed.dispose();
  }
  /** As `dispose`, for `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}

/** Makes a convolution ready: see `Kernels.conv2d`. */
export function createConv2d<Options extends Conv2dOptionsInt8 | Conv2dOptionsF32>(
  kernels: KernelInstance,
  options: Options,
): Conv2d<DataOf<Options>> {
  return new Conv2d<DataOf<Options>>(kernels, specOf(options));
}
