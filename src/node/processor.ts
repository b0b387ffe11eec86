/** What the operating system says of the processor. */
import { readFile } from "node:fs/promises";
import { cpus } from "node:os";

const KIB = 1024;
/** Where the system does not tell. */
const USUAL = { l1: 32 * KIB, l2: 1024 * KIB, l3: 16 * KIB * KIB };
const FOLDER = "/sys/devices/system/cpu/cpu0/cache";
const INDEXES = [0, 1, 2, 3, 4];

/** Bytes of the caches of the first core, by Linux's account; elsewhere usual ones. */
export async function cachesOf(): Promise<{ readonly l1: number; readonly l2: number; readonly l3: number }> {
  const read = (index: number, file: string): Promise<string> =>
    readFile(`${FOLDER}/index${index}/${file}`, "utf8").then((text) => text.trim());
  const found = new Map<string, number>();
  for (const index of INDEXES) {
    try {
      const [level, type, size] = await Promise.all(["level", "type", "size"].map((file) => read(index, file)));
      const [, count, unit] = /^(\d+)([KM])?$/.exec(size!) ?? [];
      const bytes = Number(count) * (unit === "M" ? KIB * KIB : unit === "K" ? KIB : 1);
      if (type !== "Instruction" && bytes > 0) found.set(`l${level}`, bytes);
    } catch {
      break;
    }
  }
  if (!found.has("l1") || !found.has("l2")) return USUAL;
  return { l1: found.get("l1")!, l2: found.get("l2")!, l3: found.get("l3") ?? 0 };
}

/** Nominal cycles a second, by Linux's or Node's account; 1 GHz where neither tells, so that cycles are nanoseconds. */
export async function nominalClock(): Promise<number> {
  const text = await readFile("/proc/cpuinfo", "utf8").catch(() => "");
  const [, listed] = /^cpu MHz\s*:\s*([\d.]+)$/m.exec(text) ?? [];
  const megahertz = Math.round(Number(listed ?? cpus()[0]?.speed ?? 0));
  return megahertz > 0 ? megahertz * 1e6 : 1e9;
}

/** Milliseconds that this process has computed for: what others take of the processor in the meantime does not count. */
export function processorTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
