/** Pictures with labels: a folder, or a tar file, with one folder a class. */
import { readdir, readFile, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { parseTar } from "nanotar";
import { check, WasmogradError } from "../errors.ts";

export interface LabelledPicture {
  readonly name: string;
  /** Number of its class, in the order of the classes' names. */
  readonly label: number;
  readonly bytes: () => Promise<Uint8Array>;
}

export interface LabelledPictures {
  readonly classes: readonly string[];
  /** Class by class and by name, so that the order does not depend on the file system. */
  readonly pictures: readonly LabelledPicture[];
}

const PICTURE = /\.(?:png|jpe?g|webp|avif|tiff?)$/i;

interface Entry {
  readonly path: readonly string[];
  readonly bytes: () => Promise<Uint8Array>;
}

async function fromTar(file: string): Promise<Entry[]> {
  let items: ReturnType<typeof parseTar>;
  try {
    items = parseTar(await readFile(file));
  } catch (cause) {
    throw new WasmogradError("ERR_FORMAT", `${file}: expected a tar file`, { cause });
  }
  return items.flatMap((item) => {
    if (item.type !== "file" || !("data" in item) || !item.data) return [];
    const { name, data } = item;
    return [{ path: name.split("/"), bytes: () => Promise.resolve(data) }];
  });
}

async function fromFolder(folder: string): Promise<Entry[]> {
  const names = await readdir(folder, { recursive: true });
  return names.map((name) => ({ path: name.split(/[\\/]/), bytes: () => readFile(join(folder, name)) }));
}

/** @throws WasmogradError ERR_IO when there is no such place or no picture in a folder of it, ERR_FORMAT on a broken tar file */
export async function findLabelled(place: string): Promise<LabelledPictures> {
  const info = await stat(place).catch((cause: unknown) => {
    throw new WasmogradError("ERR_IO", `${place}: no such file or directory`, { cause });
  });
  const entries = info.isDirectory() ? await fromFolder(place) : await fromTar(place);
  const pictures = entries.filter(({ path }) => path.length > 1 && PICTURE.test(path.at(-1)!));
  const expected = "expected pictures in folders, one a class";
  check(pictures.length > 0, "ERR_IO", () => `${place}: ${expected}, got none`);
  const classes = [...new Set(pictures.map(({ path }) => path.at(-2)!))].sort();
  const byPath = pictures.sort((a, b) => (a.path.join("/") < b.path.join("/") ? -1 : 1));
  return {
    classes,
    pictures: byPath.map(({ path, bytes }) => ({
      name: basename(path.join("/")),
      label: classes.indexOf(path.at(-2)!),
      bytes,
    })),
  };
}
