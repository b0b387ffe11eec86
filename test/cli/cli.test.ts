import { spawn } from "node:child_process";
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import type { Image } from "../../src/image/types.ts";
import { encodeImage } from "../../src/node/codec.ts";
import { readImage, writeImage } from "../../src/node/files.ts";
import { createUpscaler } from "../../src/upscale/create-upscaler.ts";
import { commandLine, MAIN, PHOTO } from "../_helpers/cli.ts";
import { ihdr, SIGNATURE } from "../_helpers/png.ts";
import { integers } from "../_helpers/random.ts";

const { folder, at, cli, json } = commandLine();

function noise(width: number, height: number, channels: 1 | 3 = 3): Image {
  return { width, height, channels, depth: 8, data: Uint8Array.from(integers(1, width * height * channels, 255)) };
}

describe("upscale", () => {
  test("a picture of twice the size, the same as from code", async () => {
    const report = json("upscale", PHOTO, "out.png");
    const photo = await readImage(PHOTO);
    expect(report).toEqual({
      width: 2 * photo.width,
      height: 2 * photo.height,
      model: "sesr-m5",
      scale: 2,
      precision: "int8",
      threads: 1,
      decodeMs: expect.any(Number),
      inferMs: expect.any(Number),
      encodeMs: expect.any(Number),
      peakWasmBytes: expect.any(Number),
    });
    using upscaler = await createUpscaler();
    const written = await readImage(at("out.png"));
    expect(written.data).toEqual((await upscaler.upscale(photo)).data);
  });

  test("a larger picture by the threads asked for: the same bytes", async () => {
    // Smooth, as packing megabytes of noise would take longer than everything else here.
    const wide = noise(1024, 520);
    for (let i = 0; i < wide.data.length; i++) wide.data[i] = (i >> 6) & 0xff;
    await writeImage(at("wide.png"), wide);
    expect(json("upscale", "wide.png", "two.png", "--threads", "2")).toMatchObject({ threads: 2 });
    expect(json("upscale", "wide.png", "one.png", "--threads", "1")).toMatchObject({ threads: 1 });
    expect(readFileSync(at("two.png"))).toEqual(readFileSync(at("one.png")));
  });

  test("f32, tiles, JPEG out, and text for people", () => {
    const { status, stdout } = cli(
      "upscale",
      PHOTO,
      "out.jpg",
      "--precision",
      "f32",
      "--tile",
      "64",
      "--quality",
      "80",
    );
    expect(status).toBe(0);
    expect(stdout).toMatch(/^out\.jpg: \d+x\d+ -> \d+x\d+, sesr-m5 x2 f32, one thread\n/);
  });

  test.each([
    [1, 1],
    [3, 1],
    [1, 5000],
  ])("a %i x %i picture", async (width, height) => {
    await writeImage(at("odd.png"), noise(width, height));
    expect(json("upscale", "odd.png", "odd2.png")).toMatchObject({ width: 2 * width, height: 2 * height });
  });
});

describe("sizes that no network was trained for", () => {
  beforeAll(() => writeImage(at("wide.png"), noise(61, 40)));

  test.each([
    ["--scale", "3", 183, 120],
    ["--scale", "1.5", 92, 60],
    ["--scale", "1", 61, 40],
    ["--to", "200x200", 200, 131],
    ["--to", "1000x100", 153, 100],
    ["--to", "61x500", 61, 40],
    ["--to", "122x80", 122, 80],
  ])("%s %s", async (option, value, width, height) => {
    expect(json("upscale", "wide.png", "sized.png", option, value)).toMatchObject({ width, height });
    expect(await readImage(at("sized.png"))).toMatchObject({ width, height });
  });

  test("says that a resize follows", () => {
    expect(cli("upscale", "wide.png", "sized.png", "--scale", "3").stdout).toMatch(/61x40 -> 183x120, .* and bicubic/);
    expect(cli("upscale", "wide.png", "sized.png").stdout).not.toMatch(/bicubic/);
  });
});

describe("bad input: one line on stderr, nothing written", () => {
  beforeAll(async () => {
    const png = await encodeImage(noise(40, 30), "png");
    writeFileSync(at("good.png"), png);
    writeFileSync(at("truncated.png"), png.subarray(0, png.length / 2));
    writeFileSync(at("truncated.jpg"), (await encodeImage(noise(40, 30), "jpeg")).subarray(0, 700));
    writeFileSync(at("empty.png"), "");
    writeFileSync(at("text.png"), "this is not a picture");
    const head = (width: number, height: number): Uint8Array =>
      Buffer.concat([SIGNATURE, ihdr({ width, height, bits: 8, colourType: 2 }), png.subarray(33)]);
    writeFileSync(at("huge.png"), head(12000, 9000));
    writeFileSync(at("zero.png"), head(0, 30));
    writeFileSync(at("picture.webp"), Buffer.from("RIFF\x10\0\0\0WEBPVP8 aaaaaaaa", "latin1"));
    mkdirSync(at("locked"));
    chmodSync(at("locked"), 0o500);
    writeFileSync(
      at("cycle.json"),
      JSON.stringify({
        name: "c",
        layers: [
          { op: "input", name: "x", channels: 1 },
          { op: "add", name: "a", inputs: ["x", "b"] },
          { op: "add", name: "b", inputs: ["a", "x"] },
        ],
        output: "b",
      }),
    );
  });

  const cases: [string, string[], number, RegExp][] = [
    ["no command", [], 2, /expected a command/],
    ["unknown command", ["sharpen"], 2, /expected one of the commands upscale, /],
    ["unknown option", ["upscale", "good.png", "o.png", "--frob"], 2, /--frob/],
    ["missing argument", ["upscale", "good.png"], 2, /expected IN OUT, got good.png/],
    ["surplus argument", ["models", "x"], 2, /expected no argument, got x/],
    ["unknown model", ["upscale", "good.png", "o.png", "--model", "esrgan"], 2, /model: expected one of sesr-m3/],
    ["no weights", ["upscale", "good.png", "o.png", "--model", "fsrcnn"], 2, /no weights are shipped for fsrcnn x2/],
    [
      "scale",
      ["upscale", "good.png", "o.png", "--scale", "0.5"],
      2,
      /--scale: expected a factor from 1 to 16, got 0.5/,
    ],
    [
      "no factor",
      ["upscale", "good.png", "o.png", "--scale", "x"],
      2,
      /--scale: expected a factor from 1 to 16, got x/,
    ],
    ["no size", ["upscale", "good.png", "o.png", "--to", "80"], 2, /--to: expected WIDTHxHEIGHT such as 1920x1080/],
    [
      "a smaller size",
      ["upscale", "good.png", "o.png", "--to", "39x90"],
      2,
      /--to: expected at least the picture's 40x30/,
    ],
    [
      "two sizes",
      ["upscale", "good.png", "o.png", "--to", "80x60", "--scale", "2"],
      2,
      /--to: expected without --scale/,
    ],
    ["a scale of a set", ["evaluate", "locked", "--scale", "3"], 2, /--scale: expected 2 or 4, got 3/],
    ["precision", ["upscale", "good.png", "o.png", "--precision", "int4"], 2, /--precision: expected int8 or f32/],
    ["tile", ["upscale", "good.png", "o.png", "--tile", "-4"], 2, /tile/],
    ["tile too small", ["upscale", "good.png", "o.png", "--tile", "8"], 2, /--tile: expected an integer from 16/],
    ["threads", ["upscale", "good.png", "o.png", "--threads", "0"], 2, /--threads: expected an integer from 1 to 256/],
    ["output format", ["upscale", "good.png", "o.gif"], 2, /o\.gif: expected a name that ends in/],
    ["no such file", ["upscale", "none.png", "o.png"], 1, /none\.png: no such file/],
    ["truncated PNG", ["upscale", "truncated.png", "o.png"], 1, /truncated\.png/],
    ["truncated JPEG", ["upscale", "truncated.jpg", "o.png"], 1, /truncated\.jpg/],
    ["empty file", ["upscale", "empty.png", "o.png"], 1, /empty\.png/],
    ["zero width", ["upscale", "zero.png", "o.png"], 1, /zero\.png/],
    ["not a picture", ["upscale", "text.png", "o.png"], 1, /text\.png/],
    ["too large", ["upscale", "huge.png", "o.png"], 1, /huge\.png: .*33,?554,?432/],
    ["a directory", ["upscale", "locked", "o.png"], 1, /locked: it is a directory/],
    ["output directory missing", ["upscale", "good.png", "none/o.png"], 1, /none\/o\.png: no such file or directory/],
    ["no such set", ["evaluate", "none"], 1, /none: no such directory/],
    ["no pictures", ["evaluate", "locked"], 1, /locked: no pictures/],
    ["unknown network", ["inspect", "vgg"], 2, /model: expected one of/],
    ["a cycle", ["inspect", "cycle.json"], 1, /cycle/],
    ["not JSON", ["inspect", "broken.json"], 1, /broken\.json/],
    ["a scale for a description", ["inspect", "cycle.json", "--scale", "4"], 2, /--scale: expected with a built-in/],
    ["input size", ["inspect", "sesr-m5", "--input", "12"], 2, /--input: expected HEIGHTxWIDTH/],
    ["suite", ["bench", "--suite", "all-of-it"], 2, /--suite: expected all or int8 or f32/],
  ];
  test.each(cases)("%s", (_, args, status, message) => {
    const before = readdirSync(folder).sort();
    const result = cli(...args);
    expect(result.stderr).toMatch(message);
    expect(result.stderr).toMatch(/^wasmograd: [^\n]+\n$/);
    expect(result.stdout).toBe("");
    expect(result.status).toBe(status);
    expect(readdirSync(folder).sort()).toEqual(before);
  });

  test.skipIf(process.getuid?.() === 0)("an unwritable output", () => {
    const result = cli("upscale", "good.png", "locked/o.png");
    expect(result.stderr).toMatch(/locked\/o\.png: permission denied/);
    expect(result.status).toBe(1);
  });

  test("without sharp, a WebP file says what to install", async () => {
    const sharp = await import("sharp" as string).catch(() => undefined);
    const result = cli("upscale", "picture.webp", "o.png");
    expect(result.status).toBe(1);
    expect(result.stderr).toMatch(sharp ? /picture\.webp/ : /picture\.webp: .*sharp/);
  });

  test("Ctrl-C ends it with 130 and leaves nothing behind", async () => {
    await writeImage(at("large.png"), noise(1500, 1000));
    const before = readdirSync(folder).sort();
    const child = spawn(
      process.execPath,
      [MAIN, "upscale", "large.png", "never.png", "--precision", "f32", "--tile", "16"],
      {
        cwd: folder,
      },
    );
    let stderr = "";
    child.stderr.on("data", (chunk) => (stderr += chunk));
    await new Promise((resolve) => setTimeout(resolve, 900));
    child.kill("SIGINT");
    const status = await new Promise((resolve) => child.on("exit", resolve));
    expect(status).toBe(130);
    expect(stderr).toBe("wasmograd: interrupted\n");
    expect(readdirSync(folder).sort()).toEqual(before);
  });
});

describe("help", () => {
  test("help and version", () => {
    expect(cli("--help").stdout).toMatch(/upscale .*\n.*evaluate /);
    expect(cli("upscale", "--help").stdout).toMatch(/^Usage: wasmograd upscale IN OUT/);
    expect(cli("--version").stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});
