/** The int8 networks that ship, against the library's arithmetic written a second time in PyTorch (training/golden/int8_sesr.py), bit for bit. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { createUpscaler } from "../../src/upscale/create-upscaler.ts";
import { SHIPPED } from "../../src/upscale/weights/index.generated.ts";

const [height, width] = [37, 53];
const digests: Record<string, string> = JSON.parse(readFileSync(new URL("sesr-int8.json", import.meta.url), "utf8"));

/** The same formula as there. */
function picture(): Float32Array {
  return Float32Array.from({ length: height * width }, (_, i) => {
    const [y, x] = [Math.floor(i / width), i % width];
    return 16 + ((7 * y * y + 13 * x * y + 5 * x * x) % 21900) / 100;
  });
}

/** Bytes of binary32 numbers. */
function littleEndian(values: Float32Array): Uint8Array {
  const view = new DataView(new ArrayBuffer(values.byteLength));
  for (const [i, value] of values.entries()) view.setFloat32(4 * i, value, true);
  return new Uint8Array(view.buffer);
}

test("every network that ships has its digest", () => {
  expect(Object.keys(digests).sort()).toEqual(SHIPPED.map(({ id, scale }) => `${id}-x${scale}`).sort());
});

test.each(SHIPPED)("$id x$scale, direct and Winograd", async ({ id, scale }) => {
  for (const algorithm of ["direct", "winograd"] as const) {
    using upscaler = await createUpscaler({ model: id, scale, algorithm });
    const luma = upscaler.upscaleLuma(picture(), { width, height });
    expect(luma).toHaveLength(height * width * scale ** 2);
    expect(createHash("sha256").update(littleEndian(luma)).digest("hex")).toBe(digests[`${id}-x${scale}`]);
  }
});
