import { describe, expect, it } from "vitest";
import { WasmogradError } from "../../src/errors.ts";
import { checkImage, createImage } from "../../src/image/types.ts";

const good = { width: 2, height: 2, channels: 3, depth: 8, data: new Uint8Array(12) };

describe("checkImage", () => {
  it("accepts every form and copies no samples", () => {
    expect(checkImage(good).data).toBe(good.data);
    const canvas = { width: 2, height: 1, data: new Uint8ClampedArray(8), colorSpace: "srgb" };
    expect(checkImage(canvas)).toEqual({ width: 2, height: 1, channels: 4, depth: 8, data: canvas.data });
    expect(checkImage({ width: 1, height: 1, channels: 2, depth: 16, data: new Uint16Array(2) }).depth).toBe(16);
  });

  it.each([
    [null, "ERR_ARGUMENT", "picture: expected { width, height, channels, depth, data }, got null"],
    ["a.png", "ERR_ARGUMENT", 'picture: expected { width, height, channels, depth, data }, got "a.png"'],
    [{ ...good, width: 0 }, "ERR_SHAPE", "picture.width: expected an integer from 1 to 1048576, got 0"],
    [{ ...good, height: 1.5 }, "ERR_SHAPE", "picture.height: expected an integer from 1 to 1048576, got 1.5"],
    [{ ...good, height: "2" }, "ERR_SHAPE", 'picture.height: expected an integer from 1 to 1048576, got "2"'],
    [
      { ...good, channels: 5 },
      "ERR_SHAPE",
      "picture.channels: expected 1 (grey), 2 (grey, alpha), 3 (RGB) or 4 (RGBA), got 5",
    ],
    [{ ...good, depth: 10 }, "ERR_ARGUMENT", "picture.depth: expected 8 or 16, got 10"],
    [
      { ...good, data: new Float32Array(12) },
      "ERR_ARGUMENT",
      "picture.data: expected Uint8Array or Uint8ClampedArray for depth 8, got Float32Array",
    ],
    [{ ...good, depth: 16 }, "ERR_ARGUMENT", "picture.data: expected Uint16Array for depth 16, got Uint8Array"],
    [
      { ...good, data: undefined },
      "ERR_ARGUMENT",
      "picture.data: expected Uint8Array or Uint8ClampedArray for depth 8, got undefined",
    ],
    [{ ...good, data: new Uint8Array(11) }, "ERR_SHAPE", "picture.data: expected 12 samples (2 x 2 x 3), got 11"],
  ])("refuses %o in one line", (input, code, message) => {
    const attempt = () => checkImage(input, "picture");
    expect(attempt).toThrow(new WasmogradError(code as "ERR_SHAPE", message));
    expect(attempt).toThrow(expect.objectContaining({ code }));
  });
});

describe("createImage", () => {
  it("makes zeroed samples of the depth", () => {
    expect(createImage(3, 2, 4, 16).data).toEqual(new Uint16Array(24));
  });

  it("says so when the engine cannot hold the picture", () => {
    expect(() => createImage(2 ** 20, 2 ** 20, 4)).toThrow(expect.objectContaining({ code: "ERR_OUT_OF_MEMORY" }));
  });
});
