import { createDetector } from "../../detector/create-detector.ts";
import { backboneOf } from "../../detector/networks.ts";
import { readImage } from "../../node/files.ts";
import type { Command } from "../command.ts";
import { DETECTOR_IDS } from "../detector-counts.ts";
import { readBytes } from "../input-files.ts";
import { choiceOption, UsageError } from "../options.ts";
import { table } from "../terminal.ts";

export const command: Command = {
  spec: {
    name: "detect",
    positionals: ["PICTURE"],
    summary:
      "Finds objects in a picture: boxes, labels (COCO's category numbers) and scores.\n" +
      "No trained weights are shipped: --weights names a file of your own.",
    options: {
      weights: {
        type: "string",
        value: "FILE",
        help: "safetensors by the names of RAN's official code or of torchvision's Faster R-CNN",
      },
      model: { type: "string", value: "ID", help: `${DETECTOR_IDS.join(", ")}; ran-i-s-detector by default` },
    },
  },

  async run(parsed, signal) {
    const [from] = parsed.positionals as [string];
    const id = choiceOption(parsed, "model", DETECTOR_IDS, "ran-i-s-detector");
    const file = parsed.text("weights");
    if (file === undefined) throw new UsageError("--weights: expected a safetensors file, got none");
    const started = performance.now();
    // First, as it is quick to fail.
    const image = await readImage(from, { signal });
    const decoded = performance.now();
    const weights = await readBytes(file);
    const detector = await createDetector({ backbone: backboneOf(id)!, weights });
    const ready = performance.now();
    const detections = detector.detect(image);
    const report = {
      model: id,
      width: image.width,
      height: image.height,
      decodeMs: decoded - started,
      loadMs: ready - decoded,
      detectMs: performance.now() - ready,
      peakWasmBytes: detector.memoryBytes,
      detections,
    };
    if (parsed.flag("json")) {
      process.stdout.write(`${JSON.stringify(report)}\n`);
      return;
    }
    const rows = detections.map(({ box, label, score }) => [
      String(label),
      score.toFixed(3),
      ...box.map((value) => value.toFixed(1)),
    ]);
    const found = rows.length === 0 ? "nothing found\n" : table(["label", "score", "x1", "y1", "x2", "y2"], rows);
    process.stdout.write(
      `${found}\n${from}: ${image.width}x${image.height}, ${id} f32, one thread\n` +
        `decode ${report.decodeMs.toFixed(0)} ms, load ${report.loadMs.toFixed(0)} ms, detect ${report.detectMs.toFixed(0)} ms, ` +
        `WebAssembly memory ${(report.peakWasmBytes / 2 ** 20).toFixed(1)} MiB\n`,
    );
  },
};
