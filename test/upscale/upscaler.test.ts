import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { compile } from "../../src/engine/compile.ts";
import { loadWeights } from "../../src/formats/weights-file.ts";
import { luma } from "../../src/image/metrics.ts";
import type { Channels, Depth, Image, Region } from "../../src/image/types.ts";
import { sesrById } from "../../src/models/sesr.ts";
import { readImage } from "../../src/node/files.ts";
import { restoreModel } from "../../src/quantization/stored-model.ts";
import { runReferenceQuantised } from "../../src/reference/run.ts";
import { shippedModels } from "../../src/upscale/create-network.ts";
import { createUpscaler } from "../../src/upscale/create-upscaler.ts";
import { int8Model } from "../../src/upscale/int8-model.ts";
import { f32Model } from "../../src/upscale/trained-model.ts";
import type { UpscaleProgress } from "../../src/upscale/upscaler.ts";
import { SHIPPED } from "../../src/upscale/weights/index.generated.ts";
import { integers } from "../_helpers/random.ts";

const PHOTO = fileURLToPath(new URL("../../examples/photo.png", import.meta.url));

function picture(width: number, height: number, channels: Channels, depth: Depth = 8, seed = 3): Image {
  const values = integers(seed, width * height * channels, 2 ** depth - 1);
  return { width, height, channels, depth, data: depth === 8 ? Uint8Array.from(values) : Uint16Array.from(values) };
}

/** The int8 network from what weights/ holds. */
function shippedModel(id = "sesr-m5", scale: 2 | 4 = 2) {
  const url = (end: string): URL => new URL(`../../weights/${id}-x${scale}.${end}`, import.meta.url);
  const { ranges, equalisation, fine } = JSON.parse(readFileSync(url("calibration.json"), "utf8"));
  const network = sesrById(id, { scale });
  const trained = existsSync(url("int8.safetensors")) ? url("int8.safetensors") : url("safetensors");
  const model = { network, weights: loadWeights(readFileSync(trained), network) };
  return int8Model(model, { calibration: ranges, equalisation, fine });
}

test.each(SHIPPED)(
  "$id x$scale: what ships is what quantisation makes of the weights, and the f32 file",
  async (shipped) => {
    const { id, scale, int8, f32 } = shipped;
    expect(restoreModel((await int8()).model)).toEqual(shippedModel(id, scale));
    const file = readFileSync(new URL(`../../weights/${id}-x${scale}.safetensors`, import.meta.url));
    const network = sesrById(id, { scale });
    expect(await f32Model(network, await (await f32()).safetensors)).toEqual({
      network,
      weights: loadWeights(file, network),
    });
  },
);

describe("on a photograph", () => {
  test("int8: the engine equals the oracle on the whole picture, bit for bit, direct and Winograd", async () => {
    const photo = await readImage(PHOTO);
    const model = shippedModel();
    const data = Float32Array.from(luma(photo), (y) => y / 255);
    const input = { shape: [photo.height, photo.width, 1] as const, data };
    const expected = runReferenceQuantised(model, input).get("y")!;
    for (const algorithm of ["direct", "winograd"] as const) {
      using compiled = await compile(model, { algorithm });
      // Not by toEqual, which takes seconds for a million values.
      const result = compiled.run(input).data;
      expect(Buffer.compare(Buffer.from(result.buffer), Buffer.from(expected.buffer as ArrayBuffer))).toBe(0);
    }
  });

  test.each(["int8", "f32"] as const)("%s: tiles give the bits of the whole", async (precision) => {
    const photo = await readImage(PHOTO);
    using upscaler = await createUpscaler({ precision });
    const whole = await upscaler.upscale(photo);
    for (const tileSize of [16, 61, 128]) {
      const tiled = await upscaler.upscale(photo, { tileSize });
      // Not by toEqual, which takes seconds for a million values.
      expect(Buffer.compare(Buffer.from(tiled.data), Buffer.from(whole.data))).toBe(0);
    }
  });
});

describe("pictures of every form", () => {
  test.each([1, 2, 3, 4] as const)("%i channels, 8 and 16 bits: size, depth and tiles", async (channels) => {
    using upscaler = await createUpscaler();
    for (const depth of [8, 16] as const) {
      const image = picture(37, 21, channels, depth);
      const whole = await upscaler.upscale(image);
      expect([whole.width, whole.height, whole.channels, whole.depth]).toEqual([74, 42, channels, depth]);
      expect((await upscaler.upscale(image, { tileSize: 16 })).data).toEqual(whole.data);
    }
  });

  test("16 bits: luma has more than the 256 levels of 8 bits, with either precision", async () => {
    // 600 steps of a 16th of a level of 8 bits, so 37 of those levels in all.
    const [width, height] = [600, 8];
    const data = Uint16Array.from({ length: width * height }, (_, i) => 30_000 + 16 * (i % width));
    for (const precision of ["int8", "f32"] as const) {
      using upscaler = await createUpscaler({ precision });
      const result = await upscaler.upscale({ width, height, channels: 1, depth: 16, data });
      const row = result.data.subarray(8 * 2 * width, 9 * 2 * width);
      // Outputs half a step apart may coincide, depending on the weights: as many levels as the input has are sure, of 1,200.
      expect(new Set(row).size).toBeGreaterThanOrEqual(width);
      for (const phase of [0, 1]) {
        expect(new Set(row.filter((_, i) => i % 2 === phase)).size).toBeGreaterThan(0.95 * width);
      }
      // Nearly everywhere it rises as the ramp does: what int8 rounds in between is the detail, not the picture.
      const off = [...row].filter((v, i) => Math.abs(v - (30_000 + 8 * i - 4)) > 257).length;
      expect(off).toBeLessThan(row.length / 20);
      // How exactly a network continues a ramp depends on its weights; rounding to 8 bits anywhere would be off by up to 128.
      if (precision === "f32") {
        for (const [i, v] of row.entries()) expect(Math.abs(v - (30_000 + 8 * i - 4))).toBeLessThan(32);
      }
    }
  });

  test("grey comes out as the same picture in RGB would", async () => {
    using upscaler = await createUpscaler({ precision: "f32" });
    const grey = picture(20, 15, 1);
    const rgb: Image = {
      ...grey,
      channels: 3,
      data: Uint8Array.from({ length: 900 }, (_, i) => grey.data[Math.floor(i / 3)]!),
    };
    const a = await upscaler.upscale(grey);
    const b = await upscaler.upscale(rgb);
    for (const [i, v] of a.data.entries()) expect(Math.abs(v - b.data[3 * i]!)).toBeLessThanOrEqual(1);
  });

  test("opaque stays opaque, a flat picture stays flat", async () => {
    for (const precision of ["int8", "f32"] as const) {
      using upscaler = await createUpscaler({ precision });
      for (const level of [0, 1, 128, 254, 255]) {
        const data = new Uint8Array(12 * 9 * 4).fill(level).map((v, i) => (i % 4 === 3 ? 255 : v));
        const result = await upscaler.upscale({ width: 12, height: 9, channels: 4, depth: 8, data });
        for (const [i, v] of result.data.entries()) {
          if (i % 4 === 3) expect(v).toBe(255);
          else expect(Math.abs(v - level)).toBeLessThanOrEqual(4);
        }
      }
    }
  });

  test.each([
    [1, 1],
    [3, 1],
    [1, 5000],
    [5000, 1],
    [2, 3],
  ])("%i x %i", async (width, height) => {
    for (const precision of ["int8", "f32"] as const) {
      using upscaler = await createUpscaler({ precision });
      const result = await upscaler.upscale(picture(width, height, 3));
      expect([result.width, result.height]).toEqual([2 * width, 2 * height]);
    }
  });

  test("an ImageData-like object is RGBA", async () => {
    using upscaler = await createUpscaler();
    const { data } = picture(5, 4, 4);
    const result = await upscaler.upscale({ width: 5, height: 4, data: new Uint8ClampedArray(data) });
    expect(result.channels).toBe(4);
  });
});

describe("while it runs", () => {
  test("progress never decreases, covers the result and ends at exactly 1", async () => {
    using upscaler = await createUpscaler();
    const seen: UpscaleProgress[] = [];
    const result = await upscaler.upscale(picture(70, 40, 3), { tileSize: 16, onProgress: (p) => seen.push(p) });
    expect(seen.length).toBe(15);
    expect(seen.every((p) => p.picture === result)).toBe(true);
    expect(seen.every((p, i) => i === 0 || p.fraction > seen[i - 1]!.fraction)).toBe(true);
    expect(seen.at(-1)!.fraction).toBe(1);
    expect(seen.reduce((area, { region }) => area + region.width * region.height, 0)).toBe(140 * 80);
  });

  test("what is reported finished is so in the picture at that time", async () => {
    using upscaler = await createUpscaler();
    const image = picture(70, 40, 3);
    const copies: { region: Region; rows: Uint8Array }[] = [];
    const rowsOf = ({ data, width }: Image, { x, y, width: columns, height }: Region): Uint8Array =>
      Uint8Array.from({ length: columns * height * 3 }, (_, i) => {
        const [row, sample] = [Math.floor(i / (columns * 3)), i % (columns * 3)];
        return data[((y + row) * width + x) * 3 + sample]!;
      });
    const result = await upscaler.upscale(image, {
      tileSize: 16,
      onProgress: ({ region, picture }) => copies.push({ region, rows: rowsOf(picture, region) }),
    });
    expect(copies.every(({ region, rows }) => Buffer.compare(rows, rowsOf(result, region)) === 0)).toBe(true);
  });

  test("an abort rejects with the signal's reason and leaves the upscaler usable", async () => {
    using upscaler = await createUpscaler();
    const image = picture(64, 64, 3);
    const controller = new AbortController();
    const reason = new Error("enough");
    const running = upscaler.upscale(image, {
      tileSize: 16,
      signal: controller.signal,
      onProgress: ({ tilesDone }) => tilesDone === 3 && controller.abort(reason),
    });
    await expect(running).rejects.toBe(reason);
    await expect(upscaler.upscale(image, { signal: controller.signal })).rejects.toBe(reason);
    expect((await upscaler.upscale(image)).width).toBe(128);
  });

  test("an abort at the very last tile still rejects", async () => {
    using upscaler = await createUpscaler();
    const controller = new AbortController();
    const running = upscaler.upscale(picture(20, 20, 3), {
      signal: controller.signal,
      onProgress: ({ fraction }) => fraction === 1 && controller.abort(new Error("late")),
    });
    await expect(running).rejects.toThrow(/late/);
  });

  test("disposed of while it runs: it stops with ERR_DISPOSED", async () => {
    const upscaler = await createUpscaler();
    const running = upscaler.upscale(picture(64, 64, 3), { tileSize: 16, onProgress: () => upscaler.dispose() });
    await expect(running).rejects.toThrow(expect.objectContaining({ code: "ERR_DISPOSED" }));
  });

  test("two at once do not disturb each other", async () => {
    using upscaler = await createUpscaler();
    const a = picture(50, 30, 3, 8, 1);
    const b = picture(33, 47, 4, 8, 2);
    const alone = [(await upscaler.upscale(a)).data, (await upscaler.upscale(b)).data];
    const together = await Promise.all([upscaler.upscale(a, { tileSize: 16 }), upscaler.upscale(b, { tileSize: 16 })]);
    expect(together.map((image) => image.data)).toEqual(alone);
  });

  test("200 pictures and 200 failures: memory does not grow", async () => {
    using upscaler = await createUpscaler();
    const image = picture(40, 30, 3);
    const bad = { ...image, data: image.data.subarray(1) };
    await upscaler.upscale(image);
    const bytes = upscaler.memoryBytes;
    const stop = (): never => {
      throw new Error("from the callback");
    };
    for (let i = 0; i < 200; i++) {
      await upscaler.upscale(image);
      await expect(upscaler.upscale(bad)).rejects.toThrow(/image.data/);
      await expect(upscaler.upscale(image, { onProgress: stop })).rejects.toThrow(/from the callback/);
    }
    expect(upscaler.memoryBytes).toBe(bytes);
  });

  test("full HD stays inside 64 MiB of WebAssembly memory", { timeout: 120_000 }, async () => {
    for (const precision of ["int8", "f32"] as const) {
      using upscaler = await createUpscaler({ precision });
      const result = await upscaler.upscale(picture(1920, 1080, 3));
      expect([result.width, result.height]).toEqual([3840, 2160]);
      expect(upscaler.memoryBytes).toBeLessThanOrEqual(64 * 2 ** 20);
    }
  });
});

test("int8 with weights of one's own, their ranges, scales and fine tensors: XL as it ships, made anew from its files", async () => {
  const url = (end: string): URL => new URL(`../../weights/sesr-xl-x2.${end}`, import.meta.url);
  const { ranges: calibration, equalisation, fine } = JSON.parse(readFileSync(url("calibration.json"), "utf8"));
  expect(fine.length).toBeGreaterThan(0);
  const recipe = { weights: readFileSync(url("int8.safetensors")), calibration, equalisation };
  const image = picture(41, 29, 3);
  using shipped = await createUpscaler({ model: "sesr-xl" });
  using own = await createUpscaler({ model: "sesr-xl", ...recipe, fine });
  using coarse = await createUpscaler({ model: "sesr-xl", ...recipe });
  const expected = await shipped.upscale(image);
  expect(await own.upscale(image)).toEqual(expected);
  expect(await coarse.upscale(image)).not.toEqual(expected);
});

describe("refusals", () => {
  test("options by name", async () => {
    await expect(createUpscaler({ model: "esrgan" })).rejects.toThrow(/model: expected one of sesr-m3/);
    await expect(createUpscaler({ scale: 0.5 })).rejects.toThrow(/scale: expected a factor from 1 to 16, got 0.5/);
    await expect(createUpscaler({ precision: "int4" as never })).rejects.toThrow(/precision: expected/);
    await expect(createUpscaler({ model: "fsrcnn", scale: 4 })).rejects.toThrow(
      /no weights are shipped for fsrcnn x4, only for sesr-m3 x2, .*, sesr-xl x4$/,
    );
    await expect(createUpscaler(null as never)).rejects.toThrow(/options: expected an object, got null/);
    await expect(createUpscaler({ calibration: {} })).rejects.toThrow(/calibration: expected together with weights/);
    await expect(createUpscaler({ fine: ["features"] })).rejects.toThrow(/fine: expected together with weights/);
    await expect(createUpscaler({ weights: new Uint8Array(3) })).rejects.toThrow(
      expect.objectContaining({ code: "ERR_FORMAT" }),
    );
    expect(shippedModels()).toContainEqual({ model: "sesr-m5", scale: 2 });
  });

  test("pictures and tile sizes", async () => {
    const upscaler = await createUpscaler();
    const image = picture(8, 8, 3);
    await expect(upscaler.upscale({ ...image, width: 0 })).rejects.toThrow(/image.width/);
    await expect(upscaler.upscale(null as never)).rejects.toThrow(/image: expected/);
    await expect(upscaler.upscale(image, null as never)).rejects.toThrow(/options: expected an object/);
    await expect(upscaler.upscale(image, { signal: {} as never })).rejects.toThrow(/signal: expected an AbortSignal/);
    await expect(upscaler.upscale(image, { onProgress: 5 as never })).rejects.toThrow(
      /onProgress: expected a function/,
    );
    for (const tileSize of [0, 15, 20.5, Number.NaN]) {
      await expect(upscaler.upscale(image, { tileSize })).rejects.toThrow(/tileSize: expected an integer from 16/);
    }
    const wide = { ...picture(1, 1, 1), width: 2 ** 20, height: 1, data: new Uint8Array(2 ** 20) };
    await expect(upscaler.upscale(wide)).rejects.toThrow(expect.objectContaining({ code: "ERR_TOO_LARGE" }));
    upscaler.dispose();
    await expect(upscaler.upscale(image)).rejects.toThrow(expect.objectContaining({ code: "ERR_DISPOSED" }));
  });
});
