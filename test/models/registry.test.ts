import { describe, expect, it } from "vitest";
import { buildModel, modelIds } from "../../src/models/registry.ts";
import { sesr } from "../../src/models/sesr.ts";

describe("registry", () => {
  it("knows the SESR family by id", () => {
    expect(modelIds()).toEqual(["sesr-m3", "sesr-m5", "sesr-m7", "sesr-m11", "sesr-xl"]);
    expect(buildModel("sesr-m5")).toEqual(sesr({ variant: "m5", scale: 2 }));
    const options = { scale: 4, form: "expanded" } as const;
    expect(buildModel("sesr-xl", options)).toEqual(sesr({ variant: "xl", ...options }));
  });

  it("names the known ids when asked for another", () => {
    const message = "model: expected one of sesr-m3, sesr-m5, sesr-m7, sesr-m11, sesr-xl, got sesr-m9";
    expect(() => buildModel("sesr-m9")).toThrow(expect.objectContaining({ code: "ERR_ARGUMENT", message }));
    expect(() => buildModel("constructor")).toThrow("got constructor");
  });
});
