import { extname } from "node:path";
import { check } from "../errors.ts";

/** Formats that can be written, and read: PNG and JPEG always, the others when sharp is installed. */
export type ImageFormat = "png" | "jpeg" | "webp" | "avif" | "tiff";

/** What messages call a format. */
export const FORMAT_NAMES = { png: "PNG", jpeg: "JPEG", webp: "WebP", avif: "AVIF", tiff: "TIFF" } as const;

export const READABLE = "PNG, JPEG, or with the optional package sharp WebP, AVIF, TIFF";

const EXTENSIONS: Readonly<Record<string, ImageFormat>> = {
  ".png": "png",
  ".jpg": "jpeg",
  ".jpeg": "jpeg",
  ".webp": "webp",
  ".avif": "avif",
  ".tif": "tiff",
  ".tiff": "tiff",
};

/** The format that a path's extension names. @throws WasmogradError ERR_ARGUMENT for any other extension */
export function outputFormat(path: string): ImageFormat {
  const format = EXTENSIONS[extname(path).toLowerCase()];
  check(format !== undefined, "ERR_ARGUMENT", () => {
    return `${path}: expected a name that ends in ${Object.keys(EXTENSIONS).join(", ")}`;
  });
  return format;
}

/** Formats that are recognised only to say that they are not read. */
type OtherFormat = "GIF" | "BMP" | "HEIC";

function startsWith(bytes: Uint8Array, magic: string, at = 0): boolean {
  for (let i = 0; i < magic.length; i++) if (bytes[at + i] !== magic.charCodeAt(i)) return false;
  return true;
}

/** Tells a format from the first bytes; names play no part. @throws WasmogradError ERR_FORMAT, ERR_UNSUPPORTED */
export function sniff(bytes: Uint8Array, name: string): ImageFormat {
  check(bytes.length > 0, "ERR_FORMAT", () => `${name}: the file is empty`);
  const other = recogniseOther(bytes);
  check(other === undefined, "ERR_UNSUPPORTED", () => `${name}: ${other} is not read; expected ${READABLE}`);
  const format = recognise(bytes);
  check(format !== undefined, "ERR_FORMAT", () => `${name}: not a picture; expected ${READABLE}`);
  return format;
}

function recognise(bytes: Uint8Array): ImageFormat | undefined {
  if (startsWith(bytes, "\x89PNG")) return "png";
  if (startsWith(bytes, "\xff\xd8\xff")) return "jpeg";
  if (startsWith(bytes, "RIFF") && startsWith(bytes, "WEBP", 8)) return "webp";
  if (startsWith(bytes, "ftypavi", 4)) return "avif"; // brands avif and avis
  if (startsWith(bytes, "II*\0") || startsWith(bytes, "MM\0*")) return "tiff";
  return undefined;
}

function recogniseOther(bytes: Uint8Array): OtherFormat | undefined {
  if (startsWith(bytes, "GIF8")) return "GIF";
  if (startsWith(bytes, "BM")) return "BMP";
  if (startsWith(bytes, "ftyphei", 4) || startsWith(bytes, "ftyphev", 4) || startsWith(bytes, "ftypmif1", 4))
    return "HEIC";
  return undefined;
}
