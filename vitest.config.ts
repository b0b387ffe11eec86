import { defineConfig } from "vitest/config";

/** What drives a browser, and measures how soon a page answers. */
const PAGES = ["test/browser/**/*.test.ts", "test/demo/**/*.test.ts"];

export default defineConfig({
  test: {
    setupFiles: ["test/setup.ts"],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    projects: [
      {
        extends: true,
        // Two files at once on two cores too, where the default would leave one idle.
        test: { name: "node", include: ["test/**/*.test.ts"], exclude: PAGES, maxWorkers: 2 },
      },
      // By themselves, when the others are done: pages have both cores.
      { extends: true, test: { name: "page", include: PAGES, maxWorkers: 1, sequence: { groupOrder: 1 } } },
    ],
  },
});
