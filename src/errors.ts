/** What went wrong. Codes are stable across versions; messages are not. */
export type ErrorCode =
  /** An argument of the wrong kind or value. */
  | "ERR_ARGUMENT"
  /** A tensor, picture or kernel whose shape or length does not fit. */
  | "ERR_SHAPE"
  /** A scale, zero point or range outside what is representable. */
  | "ERR_QUANTIZATION"
  /** A network description that is not a well-formed graph. */
  | "ERR_NETWORK"
  /** Missing, extra, wrongly shaped or non-finite weights. */
  | "ERR_WEIGHTS"
  /** Bytes that are not what they claim to be (picture or weight file). */
  | "ERR_FORMAT"
  /** Well formed, but outside what is implemented. */
  | "ERR_UNSUPPORTED"
  /** Refused before work begins, because it would not fit. */
  | "ERR_TOO_LARGE"
  /** WebAssembly memory could not grow. */
  | "ERR_OUT_OF_MEMORY"
  /** No WebAssembly SIMD, or the module does not load. */
  | "ERR_WASM"
  /** A thread could not be started, or failed. */
  | "ERR_WORKER"
  /** Used after dispose(). */
  | "ERR_DISPOSED"
  /** A file that cannot be read or written. */
  | "ERR_IO";

/** The one error type of the library. Messages are one line: which argument, what was expected, what came. */
export class WasmogradError extends Error {
  /** Always "WasmogradError", also where `instanceof` fails because there are two copies of the library. */
  override readonly name = "WasmogradError";
  /** Which kind of error: stable across versions. */
  readonly code: ErrorCode;
  /** The library makes them; callers only catch them. */
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
