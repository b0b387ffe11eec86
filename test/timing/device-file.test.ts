import { describe, expect, it, test } from "vitest";
import { buildModel } from "../../src/models/registry.ts";
import { deviceFrom, parseDevice } from "../../src/timing/devices/device-file.ts";
import { withOverrides } from "../../src/timing/devices/overrides.ts";
import { device, deviceIds } from "../../src/timing/devices/registry.ts";
import { simulate } from "../../src/timing/simulate.ts";

const array = device("systolic");

describe("device files", () => {
  it.each(deviceIds())("%s comes back whole", (id) => {
    const known = device(id);
    const file = known.kind === "cpu" ? { format: "wasmograd-cpu", version: 1, device: known } : known;
    expect(parseDevice(JSON.stringify(file))).toEqual(known);
    expect(deviceFrom({ extends: id })).toEqual(device(id));
  });

  it("extend a device in one of its systems", () => {
    const options = { system: "deep-embedded", memory: "sram-only" };
    const own = deviceFrom({ extends: "ethos-u55-64", options, id: "mine", system: { clockHz: 1e8 } });
    const base = device("ethos-u55-64", options);
    expect(own).toEqual(withOverrides(base, { id: "mine", system: { clockHz: 1e8 } }));
  });

  test.each([
    ["[]", /^own\.json: expected an object, got \[\]$/],
    ["{", /^own\.json: expected JSON: /],
    [
      "{}",
      /^own\.json: expected "extends" with a known device, or "kind" of ethos-u, ethos-n, .*systolic.*, got undefined$/,
    ],
    ['{"extends": "u55"}', /^own\.json: extends: expected one of ethos-u55-32, .*, got "u55"$/],
    [
      '{"extends": "systolic", "options": {"clock": "1"}}',
      /^own\.json: options: expected ids of system, memory, metric, got/,
    ],
    ['{"kind": "systolic", "id": "a", "rows": 4}', /^own\.json: expected a field columns, got none$/],
    [
      JSON.stringify({ ...array, sram: { inputBytes: 1 } }),
      /^own\.json: expected a field sram\.filterBytes, got none$/,
    ],
    [JSON.stringify({ ...array, rows: 0 }), /^own\.json: rows: expected a number above 0, got 0$/],
    [JSON.stringify({ ...array, rows: 2.5 }), /^own\.json: rows: expected an integer, got 2\.5$/],
    [JSON.stringify({ ...array, wordsPerCycle: -1 }), /^own\.json: wordsPerCycle: expected a number above 0, got -1$/],
    [JSON.stringify({ ...array, dataflow: "rs" }), /^own\.json: dataflow: expected os or ws or is, got "rs"$/],
    [JSON.stringify({ ...array, colour: 1 }), /^own\.json: expected fields id, rows, .*, got "colour"$/],
    [
      '{"extends": "ethos-u55-128", "core": {"macsPerCycle": 0}}',
      /core\.macsPerCycle: expected a number above 0, got 0$/,
    ],
    [
      '{"extends": "ethos-u55-128", "system": {"second": {"bytesPerSecond": -5e8}}}',
      /system\.second\.bytesPerSecond: expected a number above 0, got -500000000$/,
    ],
    ['{"extends": "ethos-n78-4tops-4ple", "core": {"engines": 0}}', /core\.engines: expected a number above 0, got 0$/],
  ])("refuse %s in one line", (text, message) => {
    expect(() => parseDevice(text, "own.json")).toThrow(message);
  });
});

describe("devices that a network does not fit", () => {
  const run = (fields: object, model = "mobilenet-v2") =>
    simulate(buildModel(model), deviceFrom(fields), { input: [224, 224] });

  test.each([
    [
      { extends: "ethos-u55-128", core: { banks: 6 } },
      /^operation \S+: expected more core\.banks for a \S+ window in the shared buffer, got 6$/,
    ],
    [
      { extends: "ethos-n78-4tops-4ple", core: { sramBytes: 1024 } },
      /^operation \S+: expected more core\.sramBytes, to hold its smallest stripes, got 1024$/,
    ],
    [
      { extends: "systolic", sram: { outputBytes: 1024 } },
      /^operation \S+: expected sram\.outputBytes of at least 2048, .*, got 1024$/,
    ],
  ])("%j", (fields, message) => {
    expect(() => run(fields)).toThrow(message);
  });

  it("and no host for what they lack", () => {
    const none = { extends: "ethos-u55-128", host: null };
    expect(run(none).total.ms).toBeGreaterThan(0);
    expect(() => run(none, "deit-ti")).toThrow(
      /^operation \S+: expected one that the device runs, or a host beside it/,
    );
  });
});
