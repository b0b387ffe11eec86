import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseSafetensors, serialiseSafetensors, type TensorToWrite } from "../../src/formats/safetensors.ts";

/** A file from a header (any JSON or raw text) and data bytes. */
function file(header: unknown, data: readonly number[] | Uint8Array = [], length?: number): Uint8Array {
  const text = new TextEncoder().encode(typeof header === "string" ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + text.length + data.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(length ?? text.length), true);
  bytes.set(text, 8);
  bytes.set(data, 8 + text.length);
  return bytes;
}

const tensor = (begin: number, end: number, dtype = "I8", shape: unknown = [end - begin]) => ({
  dtype,
  shape,
  data_offsets: [begin, end],
});

describe("parseSafetensors", () => {
  it("reads every supported dtype, metadata, scalars and empty tensors, wherever the data lies in memory", () => {
    const bytes = file(
      {
        __metadata__: { layout: "OIHW" },
        f: tensor(0, 8, "F32", [2, 1]),
        h: tensor(8, 12, "F16", [2]),
        b: tensor(12, 14, "BF16", []),
        i: tensor(14, 18, "I32", [1]),
        q: tensor(18, 20, "I8", [2]),
        none: tensor(18, 18, "F32", [0, 3]),
      },
      [0, 0, 128, 63, 0, 0, 0, 192, 0, 60, 0, 56, 128, 63, 1, 0, 0, 128, 255, 127],
    );
    const shifted = Buffer.alloc(bytes.length + 3);
    shifted.set(bytes, 3);
    for (const input of [bytes, shifted.subarray(3)]) {
      const { tensors, metadata } = parseSafetensors(input);
      expect([...metadata]).toEqual([["layout", "OIHW"]]);
      expect(tensors.get("f")).toEqual({ dtype: "F32", shape: [2, 1], data: Float32Array.of(1, -2) });
      expect(tensors.get("h")).toEqual({ dtype: "F16", shape: [2], data: Float32Array.of(1, 0.5) });
      expect(tensors.get("b")).toEqual({ dtype: "BF16", shape: [], data: Float32Array.of(1) });
      expect(tensors.get("i")).toEqual({ dtype: "I32", shape: [1], data: Int32Array.of(-2147483647) });
      expect(tensors.get("q")).toEqual({ dtype: "I8", shape: [2], data: Int8Array.of(-1, 127) });
      expect(tensors.get("none")!.data).toHaveLength(0);
    }
  });

  it("copies the values", () => {
    const bytes = Buffer.from(file({ q: tensor(0, 2) }, [1, 2]));
    const { tensors } = parseSafetensors(bytes);
    bytes.fill(0);
    expect(tensors.get("q")!.data).toEqual(Int8Array.of(1, 2));
  });

  it("takes names for nothing but names", () => {
    const { tensors } = parseSafetensors(file('{"__proto__":{"dtype":"I8","shape":[1],"data_offsets":[0,1]}}', [7]));
    expect(tensors.get("__proto__")!.data).toEqual(Int8Array.of(7));
  });

  it.each<[string, Uint8Array, string]>([
    ["no bytes", new Uint8Array(), "expected at least 8 bytes, got 0"],
    ["a truncated header", file({ q: tensor(0, 0) }, [], 1000), "header: expected 1000 bytes, got only"],
    ["an absurd header length", file("{}", [], 2 ** 40), "header: expected at most 100000000 bytes, got 1099511627776"],
    ["bad JSON", file("{nope"), "header: expected JSON in UTF-8"],
    ["bad UTF-8", file("{}", [0xff], 3), "header: expected JSON in UTF-8"],
    ["a list as header", file("[]"), "header: expected a JSON object"],
    ["null as header", file("null"), "header: expected a JSON object"],
    [
      "null as entry",
      file({ q: null }),
      'tensor "q": dtype: expected one of F32, F16, BF16, I32, I8, I64, got undefined',
    ],
    ["an unknown dtype", file({ q: tensor(0, 1, "F64") }, [0]), 'got "F64"'],
    ["an inherited dtype", file({ q: tensor(0, 1, "toString") }, [0]), 'got "toString"'],
    ["a negative shape", file({ q: tensor(0, 1, "I8", [-1]) }, [0]), "shape: expected non-negative integers, got [-1]"],
    ["a fractional shape", file({ q: tensor(0, 1, "I8", [0.5]) }, [0]), "shape: expected non-negative integers"],
    [
      "a shape that is no list",
      file({ q: tensor(0, 1, "I8", 1) }, [0]),
      "shape: expected non-negative integers, got 1",
    ],
    [
      "an end before its begin",
      file({ q: tensor(1, 0, "I8", [1]) }, [0]),
      "data_offsets: expected [begin, end], got [1,0]",
    ],
    [
      "missing offsets",
      file({ q: { dtype: "I8", shape: [1] } }, [0]),
      "data_offsets: expected [begin, end], got undefined",
    ],
    [
      "offsets that do not fit the shape",
      file({ q: tensor(0, 3, "F32", [1]) }, [0, 0, 0]),
      "expected 4 bytes for shape [1], got 3",
    ],
    [
      "a shape whose size overflows",
      file({ q: tensor(0, 4, "I8", [2 ** 30, 2 ** 30, 2 ** 30]) }, [0, 0, 0, 0]),
      "bytes for shape",
    ],
    ["offsets beyond the data", file({ q: tensor(0, 4) }, [0, 0]), "expected an end within the 2 bytes of data, got 4"],
    [
      "overlap",
      file({ a: tensor(0, 2), b: tensor(1, 3) }, [0, 0, 0]),
      'tensor "b": data_offsets: expected to begin at 2',
    ],
    [
      "a gap",
      file({ a: tensor(0, 1), b: tensor(2, 3) }, [0, 0, 0]),
      "expected to begin at 1 without gap or overlap, got 2",
    ],
    ["surplus bytes", file({ a: tensor(0, 1) }, [0, 0]), "expected 1 bytes of data, got 2"],
    ["metadata that is no text", file({ __metadata__: { n: 1 } }), "__metadata__: expected an object of strings"],
  ])("refuses %s", (_, bytes, message) => {
    expect(() => parseSafetensors(bytes)).toThrow(
      expect.objectContaining({ code: "ERR_FORMAT", message: expect.stringContaining(message) }),
    );
  });

  it("never throws anything but ERR_FORMAT on damaged files", () => {
    const sound = serialiseSafetensors(
      new Map([["a", { shape: [2, 2], data: Float32Array.of(1, 2, 3, 4) }]]),
      new Map([["k", "v"]]),
    );
    fc.assert(
      fc.property(fc.nat(sound.length - 1), fc.nat(255), fc.nat(sound.length), (at, value, length) => {
        const damaged = sound.slice(0, length);
        if (at < length) damaged[at] = value;
        try {
          parseSafetensors(damaged);
        } catch (error) {
          expect((error as { code: string }).code).toBe("ERR_FORMAT");
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe("serialiseSafetensors", () => {
  const data = fc.oneof(
    fc.float32Array({ maxLength: 8 }),
    fc.int32Array({ maxLength: 8 }),
    fc.int8Array({ maxLength: 9 }),
  );
  const named = fc.dictionary(
    fc.string().filter((name) => name !== "__metadata__"),
    data,
  );

  it("is read back exactly, aligned, whatever the names", () => {
    fc.assert(
      fc.property(named, fc.dictionary(fc.string(), fc.string()), (arrays, texts) => {
        const entries = Object.entries(arrays).map(([name, d]): [string, TensorToWrite] => [
          name,
          { shape: [d.length], data: d },
        ]);
        const metadata = new Map(Object.entries(texts));
        const bytes = serialiseSafetensors(new Map(entries), metadata);
        expect(Number(new DataView(bytes.buffer).getBigUint64(0, true)) % 8).toBe(0);
        const read = parseSafetensors(bytes);
        expect(new Map(read.metadata)).toEqual(metadata);
        expect(read.tensors.size).toBe(entries.length);
        for (const [name, { data: expected }] of entries) expect(read.tensors.get(name)!.data).toEqual(expected);
      }),
      { numRuns: 100 },
    );
  });

  it.each<[string, Map<string, TensorToWrite>, string]>([
    [
      "values that do not fill the shape",
      new Map([["a", { shape: [3], data: new Int8Array(2) }]]),
      '"a": expected 3 values for shape [3], got 2',
    ],
    ["the reserved name", new Map([["__metadata__", { shape: [0], data: new Int8Array() }]]), "reserved __metadata__"],
  ])("refuses %s", (_, tensors, message) => {
    expect(() => serialiseSafetensors(tensors)).toThrow(
      expect.objectContaining({ code: "ERR_ARGUMENT", message: expect.stringContaining(message) }),
    );
  });
});
