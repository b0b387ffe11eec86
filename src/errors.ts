/**
 * The one error type of the library. Messages are one line: which argument, what was expected, what came.
 * `code` is stable across versions; messages are not.
 */
export type ErrorCode =
  | "ERR_ARGUMENT" // an argument of the wrong kind or value
  | "ERR_SHAPE" // a tensor, picture or kernel whose shape or length does not fit
  | "ERR_QUANTIZATION" // a scale, zero point or range outside what is representable
  | "ERR_NETWORK" // a network description that is not a well-formed graph
  | "ERR_WEIGHTS" // missing, extra, wrongly shaped or non-finite weights
  | "ERR_FORMAT" // bytes that are not what they claim to be (picture or weight file)
  | "ERR_UNSUPPORTED" // well formed, but outside what is implemented
  | "ERR_TOO_LARGE" // refused before work begins, because it would not fit
  | "ERR_OUT_OF_MEMORY" // WebAssembly memory could not grow
  | "ERR_WASM" // no WebAssembly SIMD, or the module does not load
  | "ERR_WORKER" // a thread could not be started, or failed
  | "ERR_DISPOSED" // used after dispose()
  | "ERR_IO"; // a file that cannot be read or written

export class WasmogradError extends Error {
  override readonly name = "WasmogradError";
  readonly code: ErrorCode;
  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** @throws WasmogradError ERR_ARGUMENT unless the value is an object; what a JavaScript caller forgot is named, not dereferenced */
export function checkObject(name: string, value: unknown): void {
  check(
    typeof value === "object" && value !== null,
    "ERR_ARGUMENT",
    () => `${name}: expected an object, got ${String(value)}`,
  );
}

/** Throws `new WasmogradError(code, message())` unless the condition holds; the message is built only on failure. */
export function check(condition: boolean, code: ErrorCode, message: () => string): asserts condition {
  if (!condition) throw new WasmogradError(code, message());
}
