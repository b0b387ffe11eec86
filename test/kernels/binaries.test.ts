/** Where binaries come from: the package, a file, a server, a module of the caller's; and what is said when they do not. */
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { compile } from "../../src/engine/compile.ts";
import { compileBinary } from "../../src/kernels/binaries.ts";
import { loadKernels } from "../../src/kernels/kernels.ts";
import { instantiateKernels } from "../../src/kernels/load.ts";
import { buildModel } from "../../src/models/registry.ts";
import { randomMap, randomModel, seeded } from "../network/random-model.ts";

const BUILD = fileURLToPath(new URL("../../build", import.meta.url));
const wasm = (name: string) => readFileSync(join(BUILD, `${name}.wasm`));

let folder: string;
let server: Server;
let origin: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "wasmograd-binaries-"));
  for (const name of ["kernels", "layers"]) copyFileSync(join(BUILD, `${name}.wasm`), join(folder, `${name}.wasm`));
  server = createServer((request, response) => {
    if (request.url === "/kernels.wasm") response.end(wasm("kernels"));
    else if (request.url === "/half.wasm") response.end(wasm("kernels").subarray(0, 4000));
    else if (request.url === "/empty.wasm") response.end();
    else if (request.url === "/gone.wasm") response.writeHead(404).end();
    else
      response
        .setHeader("content-type", "text/html; charset=utf-8")
        .end("<!DOCTYPE html>\n<html><body>Home</body></html>");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  origin = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
});
afterAll(() => {
  server.close();
  rmSync(folder, { recursive: true });
});

const file = (name: string): URL => pathToFileURL(join(folder, name));

describe("from addresses", () => {
  test("one address stands for the files beside it, a list for those it names", async () => {
    const model = randomModel(buildModel("resnet20-cifar"), 5);
    const input = randomMap(seeded(6), [32, 32, 3], -1, 1);
    const expected = (await compile(model)).run(input).data;
    for (const wasmUrl of [file("kernels.wasm"), file("kernels.wasm").href, { layers: file("layers.wasm") }]) {
      expect((await compile(model, { wasmUrl })).run(input).data).toEqual(expected);
    }
    const wasmUrl = { kernels: `${origin}/kernels.wasm`, layers: file("missing.wasm") };
    await expect(compile(model, { wasmUrl })).rejects.toThrow(
      /missing\.wasm: expected a WebAssembly file, got none: ENOENT/,
    );
  });

  test("an address is compiled once, however many ask, and again after a failure", async () => {
    const wasmUrl = file("late.wasm");
    await expect(loadKernels({ wasmUrl })).rejects.toThrow("late.wasm: expected a WebAssembly file, got none: ENOENT");
    copyFileSync(join(BUILD, "kernels.wasm"), join(folder, "late.wasm"));
    const modules = await Promise.all([1, 2].map(() => compileBinary("kernels", { wasmUrl })));
    expect(modules[0]).toBe(modules[1]);
  });

  test.each([
    [
      "page/kernels.wasm",
      'got an HTML page of type text/html; charset=utf-8, beginning with "<!DOCTYPE html> <html><b"',
    ],
    ["empty.wasm", "got an empty answer"],
    ["gone.wasm", "got status 404 Not Found"],
  ])("%s: says what came", async (path, got) => {
    const message = `${origin}/${path}: expected a WebAssembly file, ${got} (see docs/browsers-and-bundlers.md)`;
    await expect(loadKernels({ wasmUrl: `${origin}/${path}` })).rejects.toMatchObject({ code: "ERR_WASM", message });
  });

  test("what is not ours, or not whole, is refused", async () => {
    const half = `${origin}/half.wasm`;
    await expect(loadKernels({ wasmUrl: half })).rejects.toThrow(
      `${half}: not valid: the file is damaged, or this engine`,
    );
    const other = file("layers.wasm");
    await expect(loadKernels({ wasmUrl: other })).rejects.toThrow(`${other}: expected kernels.wasm of this package`);
    writeFileSync(join(folder, "text.wasm"), "something else altogether");
    await expect(loadKernels({ wasmUrl: file("text.wasm") })).rejects.toThrow(
      'got 25 bytes, beginning with "something else altogethe"',
    );
    await expect(loadKernels({ wasmUrl: "kernels.wasm" })).rejects.toThrow("wasmUrl: expected a URL, got kernels.wasm");
  });
});

describe("from modules", () => {
  test("one stands for the kernels, a list for those it names", async () => {
    const module = await WebAssembly.compile(wasm("kernels"));
    expect(await compileBinary("kernels", { wasmModule: module })).toBe(module);
    expect(await compileBinary("kernels", { wasmModule: { kernels: module }, wasmUrl: file("missing.wasm") })).toBe(
      module,
    );
    expect(await compileBinary("layers", { wasmModule: module })).toBe(await compileBinary("layers"));
    const { exports } = await instantiateKernels({ wasmModule: module });
    expect(exports.qs8_conv2d_4x8).toBeTypeOf("function");
  });

  test("others are refused", async () => {
    const module = await WebAssembly.compile(wasm("layers"));
    await expect(loadKernels({ wasmModule: module })).rejects.toThrow(
      "wasmModule: expected kernels.wasm of this package",
    );
    const bytes = { kernels: wasm("kernels") } as unknown as { kernels: WebAssembly.Module };
    await expect(loadKernels({ wasmModule: bytes })).rejects.toThrow(
      "wasmModule.kernels: expected a WebAssembly.Module",
    );
  });
});
