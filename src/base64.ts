/** Base64 to bytes, by what the platform has for it. */
export function decodeBase64(text: string): Uint8Array<ArrayBuffer> {
  const { fromBase64 } = Uint8Array as unknown as { fromBase64?: (text: string) => Uint8Array<ArrayBuffer> };
  if (fromBase64) return fromBase64.call(Uint8Array, text);
  const { Buffer } = globalThis as { Buffer?: { from(text: string, encoding: string): Uint8Array } };
  // A copy, as a Buffer is a part of a larger pool; by the constructor, which does not go through an iterator.
  if (Buffer) return new Uint8Array(Buffer.from(text, "base64"));
  return Uint8Array.from(atob(text), (byte) => byte.charCodeAt(0));
}
