/** What the network sees beyond a picture's border, and that chroma and alpha see nothing of it. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  channelToPlane,
  pixelsToY,
  pixelsToYCbCr,
  planeToChannel,
  yCbCrToPixels,
  yToGrey,
} from "../../src/image/color.ts";
import { PlaneResizer } from "../../src/image/plane-resizer.ts";
import { type Channels, createImage, type Depth, hasAlpha, type Image, type Size } from "../../src/image/types.ts";
import { allocatePixels } from "../../src/image/views.ts";
import { instantiateKernels, type KernelInstance } from "../../src/kernels/load.ts";
import { createUpscaler } from "../../src/upscale/create-upscaler.ts";
import { picturePort } from "../../src/upscale/pixel-port.ts";
import { MARGIN } from "../../src/upscale/tiles.ts";
import type { Upscaler } from "../../src/upscale/upscaler.ts";
import { integers } from "../_helpers/random.ts";

function picture({ width, height }: Size, channels: Channels, depth: Depth, seed = 3): Image {
  const values = integers(seed, width * height * channels, 2 ** depth - 1);
  return { width, height, channels, depth, data: depth === 8 ? Uint8Array.from(values) : Uint16Array.from(values) };
}

const clamp = (value: number, limit: number): number => Math.min(Math.max(value, 0), limit - 1);

/** Sample by sample: the part of a picture that begins at (x, y), where pixels beyond the border are the nearest ones inside. */
function replicated(image: Image, x: number, y: number, { width, height }: Size): Image {
  const part = createImage(width, height, image.channels, image.depth);
  for (const i of part.data.keys()) {
    const pixel = Math.floor(i / image.channels);
    const column = clamp(x + (pixel % width), image.width);
    const row = clamp(y + Math.floor(pixel / width), image.height);
    part.data[i] = image.data[(row * image.width + column) * image.channels + (i % image.channels)]!;
  }
  return part;
}

test("reading beyond the border repeats it", () => {
  const side = fc.integer({ min: 1, max: 9 });
  const begin = fc.integer({ min: -6, max: 8 });
  fc.assert(
    fc.property(side, side, begin, begin, side, side, fc.constantFrom(8, 16), (w, h, x, y, more, height, depth) => {
      const image = picture({ width: w, height: h }, 3, depth as Depth);
      const left = Math.min(x, w - 1);
      const region = { x: left, y, width: Math.max(more, 1 - left), height };
      const expected = bytesOf(replicated(image, left, y, region).data);
      const found = new Uint8Array(expected.length);
      picturePort(image, image).read(region, found);
      expect(found).toEqual(new Uint8Array(expected));
    }),
  );
});

const bytesOf = ({ buffer, byteOffset, byteLength }: Image["data"]): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);

/** A picture's pixels and planes of its size in kernel memory, never freed: an instance lives as long as a test. */
class Canvas {
  readonly kernels: KernelInstance;
  readonly image: Image;
  readonly pixels: ReturnType<typeof allocatePixels>;
  readonly rowBytes: number;

  constructor(kernels: KernelInstance, image: Image) {
    this.kernels = kernels;
    this.image = image;
    this.pixels = allocatePixels(kernels, image, image.channels, image.depth);
    this.rowBytes = image.width * 4;
    kernels.memory.u8.set(bytesOf(image.data), this.pixels.pointer);
  }

  plane(values?: Float32Array): { pointer: number; rowBytes: number } {
    const pointer = this.kernels.memory.allocate(this.rowBytes * this.image.height);
    if (values) this.kernels.memory.f32.set(values, pointer / 4);
    return { pointer, rowBytes: this.rowBytes };
  }
}

/** The padded picture's luma through the network and cropped; chroma and alpha from the picture as it is. */
async function oracle(upscaler: Upscaler, image: Image): Promise<Image> {
  const { scale } = upscaler;
  const kernels = await instantiateKernels({});
  const { width, height, channels, depth } = image;
  const around = { width: width + 2 * MARGIN, height: height + 2 * MARGIN };
  const padded = new Canvas(kernels, replicated(image, -MARGIN, -MARGIN, around));
  const seen = padded.plane();
  pixelsToY(kernels, around, padded.pixels, seen);
  const count = around.width * around.height;
  const luma = upscaler.upscaleLuma(kernels.memory.f32.slice(seen.pointer / 4, seen.pointer / 4 + count), around);
  const output = createImage(width * scale, height * scale, channels, depth);
  const cropped = Float32Array.from({ length: output.width * output.height }, (_, i) => {
    const [row, column] = [Math.floor(i / output.width), i % output.width];
    return luma[(row + MARGIN * scale) * around.width * scale + column + MARGIN * scale]!;
  });

  const [from, to] = [new Canvas(kernels, image), new Canvas(kernels, output)];
  const resizer = new PlaneResizer(kernels, { input: image, output });
  const enlarged = (plane: { pointer: number; rowBytes: number }): { pointer: number; rowBytes: number } => {
    const result = to.plane();
    resizer.run(plane, { x: 0, y: 0, width, height }, result, { ...output, x: 0, y: 0 });
    return result;
  };
  const y = to.plane(cropped);
  if (channels >= 3) {
    const [bareY, cb, cr] = [from.plane(), from.plane(), from.plane()];
    const planes = { y: bareY.pointer, cb: cb.pointer, cr: cr.pointer, rowBytes: from.rowBytes };
    pixelsToYCbCr(kernels, image, from.pixels, planes);
    const chroma = { cb: enlarged(cb).pointer, cr: enlarged(cr).pointer };
    yCbCrToPixels(kernels, output, { y: y.pointer, ...chroma, rowBytes: to.rowBytes }, to.pixels);
  } else {
    yToGrey(kernels, output, y, to.pixels);
  }
  if (hasAlpha(image)) {
    const alpha = from.plane();
    channelToPlane(kernels, image, from.pixels, channels - 1, alpha);
    planeToChannel(kernels, output, enlarged(alpha), to.pixels, channels - 1);
  }
  const bytes = bytesOf(output.data);
  bytes.set(kernels.memory.u8.subarray(to.pixels.pointer, to.pixels.pointer + bytes.length));
  return output;
}

describe.each([
  ["int8", 2],
  ["f32", 2],
  ["int8", 4],
  ["f32", 4],
] as const)("%s x%i", (precision, scale) => {
  test("luma is the padded picture's, chroma and alpha the bare one's, bit for bit and in tiles of any size", async () => {
    using upscaler = await createUpscaler({ precision, scale, threads: 1 });
    const side = fc.integer({ min: 1, max: 60 });
    await fc.assert(
      fc.asyncProperty(
        fc.record({ width: side, height: side }),
        fc.constantFrom(1, 2, 3, 4),
        fc.constantFrom(8, 16),
        fc.integer({ min: 16, max: 70 }),
        fc.nat(),
        async (size, channels, depth, tileSize, seed) => {
          const image = picture(size, channels as Channels, depth as Depth, seed);
          const expected = await oracle(upscaler, image);
          expect(await upscaler.upscale(image)).toEqual(expected);
          expect(await upscaler.upscale(image, { tileSize })).toEqual(expected);
        },
      ),
      {
        numRuns: 25,
        // Several bands, and several strips of one.
        examples: [
          [{ width: 1300, height: 20 }, 4, 8, 64, 1],
          [{ width: 17, height: 500 }, 3, 16, 64, 2],
        ],
      },
    );
  });

  test("a constant picture has no frame", async () => {
    using upscaler = await createUpscaler({ precision, scale, threads: 1 });
    const most = scale === 2 ? 1 : 2;
    for (const [width, height, tileSize] of [
      [1, 1],
      [3, 2],
      [24, 24],
      [70, 40, 16],
    ] as const) {
      for (const level of [0, 30, 128, 255]) {
        const data = new Uint8Array(width * height * 3).fill(level);
        const options = tileSize ? { tileSize } : {};
        const result = await upscaler.upscale({ width, height, channels: 3, depth: 8, data }, options);
        const worst = Array.from(result.data).reduce((far, value) => Math.max(far, Math.abs(value - level)), 0);
        expect(worst, `${width}x${height} of ${level}`).toBeLessThanOrEqual(most);
      }
    }
  });
});
