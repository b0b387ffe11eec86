import { decodeBase64 } from "../base64.ts";
import { inflate } from "../inflate.ts";

/** The bytes of a binary embedded as base64 of raw deflate. */
export function inflateBase64(base64: string): Promise<Uint8Array<ArrayBuffer>> {
  return inflate(decodeBase64(base64));
}
