/** How `evaluate` measures: what PSNR and SSIM are taken of, written down and selectable. */
import { choiceOption, integerOption, type OptionSpecs, type Parsed, UsageError } from "./options.ts";

export interface Protocol {
  readonly id: "default" | "srcnn";
  /** Pixels left out at each side. */
  readonly border: number;
  /** Whether results are rounded to 8 bits, as files are, before they are compared. */
  readonly rounded: boolean;
  /** Grey pictures as R = G = B, luma 16..235, or as luma as it is, 0..255. */
  readonly grey: "rgb" | "luma";
}

export function defaultProtocol(scale: number): Protocol {
  return { id: "default", border: scale, rounded: true, grey: "rgb" };
}

export const PROTOCOL_OPTIONS: OptionSpecs = {
  protocol: {
    type: "string",
    value: "NAME",
    help: "default, or srcnn: luma rounded to 8 bits, low resolution made from it and not rounded, grey as luma",
  },
  border: { type: "string", value: "N", help: "pixels left out at each side, by default as many as the scale" },
  rounding: { type: "string", value: "8bit|none", help: "of results before they are compared, 8bit by default" },
  grey: { type: "string", value: "rgb|luma", help: "grey pictures as grey RGB, luma 16..235, or as luma 0..255" },
};

/** What PROTOCOL_OPTIONS say. @throws UsageError */
export function protocolOption(parsed: Parsed, scale: number): Protocol {
  const id = choiceOption(parsed, "protocol", ["default", "srcnn"], "default");
  if (id === "srcnn" && parsed.text("grey") !== undefined)
    throw new UsageError("--grey: expected without --protocol srcnn");
  return {
    id,
    border: integerOption(parsed, "border", 0, 256) ?? scale,
    rounded: choiceOption(parsed, "rounding", ["8bit", "none"], "8bit") === "8bit",
    grey: choiceOption(parsed, "grey", ["rgb", "luma"], id === "srcnn" ? "luma" : "rgb"),
  };
}

/** One sentence that says everything. */
export function describeProtocol({ id, border, rounded, grey }: Protocol): string {
  const low =
    id === "default"
      ? "low resolution stored with 8 bits, Y from it in floating point"
      : "Y of the high resolution rounded to 8 bits, low resolution by bicubic resize of that Y and not rounded";
  return [
    `PSNR and SSIM on Y (BT.601 studio range, peak 255), border of ${border} pixels left out`,
    low,
    grey === "rgb" ? "grey pictures as grey RGB" : "grey pictures as luma of 0..255",
    "networks alone on Y, zero padding from its border on",
    rounded ? "results clipped and rounded to 8 bits" : "results neither clipped nor rounded",
  ].join("; ");
}
