/** Writes the service worker: its list of files is what the build has made. */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import type { Plugin, Rolldown } from "vite";

type Chunk = Rolldown.OutputChunk;

/** Chunks that are loaded with these entries, without what they load later. */
function staticImports(chunks: readonly Chunk[], entries: readonly Chunk[]): Set<string> {
  const byName = new Map(chunks.map((chunk) => [chunk.fileName, chunk]));
  const found = new Set<string>();
  const visit = (chunk: Chunk | undefined): void => {
    if (!chunk || found.has(chunk.fileName)) return;
    found.add(chunk.fileName);
    for (const name of chunk.imports) visit(byName.get(name));
  };
  for (const entry of entries) visit(entry);
  return found;
}

/** Modules that begin what int8 upscaling loads: the page, its first view, the two workers, the weights of the network that it begins with. */
const CORE = [
  /\/demo\/index\.html$/,
  /\/demo\/main\.ts$/,
  /\/upscale\/view\.ts$/,
  /\/demo\/upscale\/worker\.ts$/,
  /\/src\/upscale\/worker\.ts$/,
  /sesr-m5-x2\.int8\.generated\.ts$/,
];

export function offline(): Plugin {
  let publicFolder = "";
  return {
    name: "wasmograd-offline",
    apply: "build",
    configResolved({ publicDir }) {
      publicFolder = publicDir;
    },
    generateBundle: {
      order: "post",
      handler(_, bundle) {
        const files = Object.values(bundle);
        const chunks = files.filter((file) => file.type === "chunk");
        const entries = chunks.filter(({ facadeModuleId }) =>
          CORE.some((pattern) => pattern.test(facadeModuleId ?? "")),
        );
        const core = staticImports(chunks, entries);
        const styles = [...core].flatMap((name) => {
          const { viteMetadata } = chunks.find(({ fileName }) => fileName === name)!;
          return [...(viteMetadata?.importedCss ?? [])];
        });
        const own = readdirSync(publicFolder);
        const first = ["./", ...own, ...core, ...styles];
        const all = files.map(({ fileName }) => fileName).filter((name) => name !== "index.html");
        const rest = all.filter((name) => !first.includes(name));
        const hash = createHash("sha256").update(all.join());
        for (const file of files) if (file.fileName === "index.html" && file.type === "asset") hash.update(file.source);
        for (const name of own) hash.update(readFileSync(`${publicFolder}/${name}`));
        const template = readFileSync(new URL("../offline/worker.js", import.meta.url), "utf8");
        const list = (names: readonly string[]): string => JSON.stringify([...new Set(names)]);
        const source = template
          .replace("__VERSION__", `wasmograd-${hash.digest("hex").slice(0, 12)}`)
          .replace("__CORE__", list(first))
          .replace("__REST__", list(rest.filter((name) => basename(name) !== "sw.js")));
        this.emitFile({ type: "asset", fileName: "sw.js", source });
      },
    },
  };
}
