import { existsSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** Pictures that may not be in the repository: WASMOGRAD_DATA, or shared/data beside the checkout. */
export const dataFolder = process.env.WASMOGRAD_DATA ?? fileURLToPath(new URL("../../../shared/data", import.meta.url));

/** Whether a set is there; says on the console why tests are skipped otherwise. */
export function hasSet(name: string): boolean {
  const there = existsSync(`${dataFolder}/${name}/HR`);
  if (!there)
    console.log(`skipped: no ${dataFolder}/${name} (evaluation pictures are not redistributable; set WASMOGRAD_DATA)`);
  return there;
}

/** Names of the pictures of a set's folder (HR, LRx2, LRx4), sorted, with their paths. */
export function pictures(set: string, folder: string): { name: string; path: string }[] {
  const path = `${dataFolder}/${set}/${folder}`;
  return readdirSync(path)
    .filter((name) => name.endsWith(".png"))
    .sort()
    .map((name) => ({ name, path: `${path}/${name}` }));
}
