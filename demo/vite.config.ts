/** Builds the demo: a static folder with relative addresses, no inline scripts and no eval. */
import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";
import { offline } from "./vite/offline.ts";
import { threads } from "./vite/threads.ts";

export default defineConfig({
  root: fileURLToPath(new URL(".", import.meta.url)),
  base: "./",
  plugins: [threads(), offline()],
  build: {
    outDir: "dist",
    emptyOutDir: true,
    target: "es2022",
    // What preloads is told to the document, and workers have none.
    modulePreload: false,
    assetsInlineLimit: 0,
  },
});
