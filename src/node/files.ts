import { randomBytes } from "node:crypto";
import { access, constants, opendir, readFile, realpath, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { check, WasmogradError } from "../errors.ts";
import type { Image, ImageInput } from "../image/types.ts";
import { checkEncodable, type DecodeOptions, decodeImage, type EncodeOptions, encodeImage } from "./codec.ts";
import { type ImageFormat, outputFormat } from "./format.ts";

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "no such file or directory",
  EACCES: "permission denied",
  EPERM: "operation not permitted",
  EISDIR: "it is a directory",
  ENOTDIR: "a part of the path is not a directory",
  ENOSPC: "no space left on the device",
  EROFS: "read-only file system",
  EMFILE: "too many open files",
  ENAMETOOLONG: "name too long",
};

function failed(verb: string, path: string, cause: unknown): WasmogradError {
  const { code, message } = cause as NodeJS.ErrnoException;
  const reason = (code && REASONS[code]) ?? String(message).split("\n", 1)[0];
  return new WasmogradError("ERR_IO", `cannot ${verb} ${path}: ${reason}${code ? ` (${code})` : ""}`, { cause });
}

/**
 * Reads and decodes a picture file.
 * @example
 * const image = await readImage("photo.jpg");
 * @throws WasmogradError ERR_IO, and those of `decodeImage`; messages name the file
 */
export async function readImage(path: string, options: Omit<DecodeOptions, "name"> = {}): Promise<Image> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path, options.signal ? { signal: options.signal } : {});
  } catch (cause) {
    options.signal?.throwIfAborted();
    throw failed("read", path, cause);
  }
  return decodeImage(bytes, { ...options, name: path });
}

/**
 * Encodes a picture in the format that the extension names and writes it whole or not at all: to a temporary file
 * beside, which is then renamed, or removed when anything fails or the signal aborts.
 * @example
 * await writeImage("large.png", image);
 * @throws WasmogradError ERR_IO, ERR_ARGUMENT (unknown extension), and those of `encodeImage`
 */
export async function writeImage(path: string, image: ImageInput, options: EncodeOptions = {}): Promise<void> {
  const format = outputFormat(path);
  await checkEncodable(format, path);
  const bytes = await encodeImage(image, format, options);
  await writeWhole(path, bytes, options.signal);
}

/** The text of a file. @throws WasmogradError ERR_IO */
export async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    throw failed("read", path, cause);
  }
}

/** Writes a file whole or not at all, replacing what was there. @throws WasmogradError ERR_IO */
export async function writeWhole(path: string, bytes: Uint8Array, signal?: AbortSignal): Promise<void> {
  // A link stays a link: what it points to is replaced. A file that was there keeps its permissions.
  const target = await realpath(path).catch(() => path);
  const mode = await stat(target).then(
    (s) => s.mode & 0o777,
    () => undefined,
  );
  const temporary = join(dirname(target), `.wasmograd-${randomBytes(8).toString("hex")}.tmp`);
  try {
    await writeFile(temporary, bytes, { flag: "wx", ...(mode !== undefined && { mode }), ...(signal && { signal }) });
    signal?.throwIfAborted();
    await rename(temporary, target);
  } catch (cause) {
    await rm(temporary, { force: true }).catch(() => {}); // the first error is the one to report
    signal?.throwIfAborted();
    throw failed("write", path, cause);
  }
}

/**
 * Tells before the work whether `writeImage` can be expected to succeed: known extension, encoder at hand, a directory
 * that can be written to.
 * @throws WasmogradError ERR_ARGUMENT, ERR_UNSUPPORTED, ERR_IO
 */
export async function checkOutput(path: string): Promise<ImageFormat> {
  const format = outputFormat(path);
  await checkEncodable(format, path);
  await checkDestination(path);
  return format;
}

/** The same of any file, for `writeWhole`. @throws WasmogradError ERR_IO */
export async function checkDestination(path: string): Promise<void> {
  try {
    await access(dirname(path), constants.W_OK);
    await (await opendir(dirname(path))).close(); // a file can be written to as well, but holds no files
  } catch (cause) {
    throw failed("write", path, cause);
  }
  const existing = await stat(path).catch(() => undefined);
  check(!existing?.isDirectory(), "ERR_IO", () => `cannot write ${path}: it is a directory (EISDIR)`);
}
